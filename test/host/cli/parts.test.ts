import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseInput } from '../../../host/cli/chat/input.ts';
import { type NoticePlan, planExchange, planNotices, type Seen } from '../../../host/cli/chat/plan.ts';
import { parseEventStream } from '../../../host/cli/client/event-stream.ts';
import type { Message, MessageState } from '../../../host/cli/client/types.ts';
import { matchNamed, shortenIds } from '../../../host/cli/match.ts';
import { renderMarkdown } from '../../../host/cli/output/markdown.ts';
import { createStyle } from '../../../host/cli/output/style.ts';
import { formatTable } from '../../../host/cli/output/table.ts';
import { displayWidth, oneLine, plainText, safeJson, truncate } from '../../../host/cli/output/text.ts';
import { formatAge, formatBytes, formatDuration } from '../../../host/cli/output/units.ts';
import { formatWaterfall } from '../../../host/cli/output/waterfall.ts';

const ESCAPE = String.fromCharCode(27);
const PLAIN = createStyle(false);

function makeMessage(change: Partial<Message>): Message {
  return {
    id: 'msg_1',
    position: 1,
    revision: 1,
    sessionId: 'ses_1',
    chatId: 'chat_1',
    threadId: null,
    direction: 'out',
    kind: 'chat',
    author: { id: null, name: 'main' },
    destination: null,
    text: 'x',
    attachments: [],
    inReplyTo: null,
    state: 'delivered',
    stateReason: null,
    clientId: null,
    reactions: [],
    traceId: 'trc_1',
    createdAt: 0,
    editedAt: null,
    question: null,
    usage: null,
    ...change,
  };
}

describe('text from others', () => {
  it('keeps no control character, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const character of plainText(text)) {
          const code = character.codePointAt(0) ?? 0;
          expect(code === 0x0a || (code >= 0x20 && !(code >= 0x7f && code <= 0x9f))).toBe(true);
        }
        expect(oneLine(text)).not.toContain('\n');
      }),
    );
  });

  it('survives as JSON, byte for byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
    );
  });

  it('is measured in columns and never cut wider than asked', () => {
    expect(displayWidth('héllo')).toBe(5);
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('👩‍👩‍👧 ok')).toBe(5);
    expect(displayWidth(`${ESCAPE}[1mbold${ESCAPE}[22m`)).toBe(4);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, columns) => {
        expect(displayWidth(truncate(oneLine(text), columns))).toBeLessThanOrEqual(columns);
      }),
    );
  });
});

describe('markdown', () => {
  const style = createStyle(true);
  it.each([
    ['**bold** word', `${ESCAPE}[1mbold${ESCAPE}[22m word`],
    ['`co*d*e`', `${ESCAPE}[36mco*d*e${ESCAPE}[39m`],
    ['- item', '• item'],
    ['  * [x] done', '  ☑ done'],
    ['# Title', `${ESCAPE}[1mTitle${ESCAPE}[22m`],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['snake_case_name', 'snake_case_name'],
    ['[here](https://x.org)', `${ESCAPE}[4mhere${ESCAPE}[24m ${ESCAPE}[2m(https://x.org)${ESCAPE}[22m`],
  ])('renders %j', (text, rendered) => {
    expect(renderMarkdown(text, style)).toBe(rendered);
  });

  it('leaves what stands in a fence alone', () => {
    expect(renderMarkdown('```js\n**x**\n```\n**y**', PLAIN)).toBe('```js\n**x**\n```\ny');
  });

  it('returns soon on text made to be slow', () => {
    for (const text of [
      '*'.repeat(60_000),
      '['.repeat(60_000),
      '**a '.repeat(15_000),
      '`'.repeat(60_000),
      '_a '.repeat(20_000),
    ]) {
      expect(renderMarkdown(text, PLAIN).length).toBeGreaterThan(0);
    }
  }, 5_000);
});

describe('units', () => {
  it.each([
    [0, 'now'],
    [12_000, '12s ago'],
    [3 * 3_600_000, '3h ago'],
    [-300_000, 'in 5m'],
    [49 * 3_600_000, '2d ago'],
  ])('an age of %i ms reads %s', (age, text) => {
    expect(formatAge(1_000_000_000_000 - age, 1_000_000_000_000)).toBe(text);
  });

  it('are short', () => {
    expect([0.84, 12.34, 302, 3_200, 300_000].map(formatDuration)).toEqual([
      '0.84 ms',
      '12.3 ms',
      '302 ms',
      '3.2 s',
      '5 min',
    ]);
    expect([512, 1_536, 26_214_400].map(formatBytes)).toEqual(['512 B', '1.5 KiB', '25 MiB']);
  });
});

describe('a table', () => {
  it('fits every width that its uncuttable columns leave', () => {
    const columns = [
      { title: 'A', value: (row: string[]) => row[0] ?? '' },
      { title: 'B', value: (row: string[]) => row[1] ?? '', minColumns: 3 },
      { title: 'C', value: (row: string[]) => row[2] ?? '', minColumns: 3 },
    ];
    const row = fc.tuple(fc.string({ maxLength: 5 }), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 1 }), fc.integer({ min: 15, max: 60 }), (rows, width) => {
        for (const line of formatTable(rows, columns, PLAIN, width).split('\n')) {
          expect(displayWidth(line.trimEnd())).toBeLessThanOrEqual(width);
        }
      }),
    );
  });
});

describe('a name or part of an id', () => {
  const items = [
    { id: 'ses_0mb2k9x0qaaaaaaaaaaa', name: 'Main' },
    { id: 'ses_0mb2k9x0qbbbbbbbbbbb', name: 'main' },
    { id: 'ses_0mb2k9x0qcccccmain12', name: null },
  ];
  it.each([
    ['main', { kind: 'found', item: items[1] }],
    ['MAIN', { kind: 'ambiguous', items: [items[0], items[1]] }],
    ['main12', { kind: 'found', item: items[2] }],
    ['aaaa', { kind: 'found', item: items[0] }],
    ['aa', { kind: 'none' }],
    ['ses_0mb', { kind: 'ambiguous', items }],
    ['0mb2k9x0qc', { kind: 'found', item: items[2] }],
  ])('%s means the one it names, or is not guessed', (text, match) => {
    expect(matchNamed(items, text)).toEqual(match);
  });

  it('short ids of a list tell its ids apart', () => {
    const short = shortenIds(['ses_0000000001aaaaaaaaaa', 'ses_0000000002aaaaaaaaaa']);
    expect(new Set(short.values()).size).toBe(2);
  });
});

describe('an event stream', () => {
  async function collect(text: string, cuts: number[]): Promise<unknown[]> {
    const bytes = Buffer.from(text);
    const edges = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 1; at < edges.length; at++) yield bytes.subarray(edges[at - 1], edges[at]);
    }
    const events: unknown[] = [];
    for await (const event of parseEventStream(chunks())) if (event !== 'alive') events.push(event);
    return events;
  }

  it('reads the same however its bytes are cut', async () => {
    const text =
      ': hello\r\n\r\nevent: message\r\nid: 7\r\ndata: {"a":"ü",\r\ndata: "b":1}\r\n\r\nid: 8\n\ndata: x\n\nevent: typing\ndata:no space\n\ndata: cut off';
    const expected = [
      { event: 'message', data: '{"a":"ü",\n"b":1}', lastEventId: '7' },
      { event: 'message', data: 'x', lastEventId: '8' },
      { event: 'typing', data: 'no space', lastEventId: '8' },
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200), { maxLength: 12 }), async (cuts) => {
        expect(await collect(text, cuts)).toEqual(expected);
      }),
    );
  });
});

describe('what the chat shows', () => {
  const state = fc.constantFrom<MessageState>(
    'queued',
    'sending',
    'delivered',
    'failed',
    'refused',
    'unknown',
    'dropped',
  );

  it('of a message, at most once, however often and in whatever order its revisions come', () => {
    const revisions = fc.array(fc.record({ revision: fc.integer({ min: 1, max: 9 }), state }), { minLength: 1 });
    fc.assert(
      fc.property(revisions, (changes) => {
        let seen: Seen | null = null;
        let shown = 0;
        for (const change of changes) {
          const plan: NoticePlan = planNotices(seen, makeMessage(change));
          seen = plan.seen;
          shown += plan.notices.filter(({ kind }) => kind === 'message').length;
          expect(shown).toBe(seen.isShown ? 1 : 0);
        }
        expect(seen?.message.revision).toBe(Math.max(...changes.map(({ revision }) => revision)));
      }),
    );
  });

  it('waits until the fate of an outgoing message is known', () => {
    const queued = planNotices(null, makeMessage({ state: 'queued' }));
    expect(queued.notices).toEqual([]);
    const message = makeMessage({ state: 'delivered', revision: 2 });
    const delivered = planNotices(queued.seen, message);
    expect(delivered.notices).toEqual([{ kind: 'message', message }]);
    expect(planNotices(delivered.seen, message).notices).toEqual([]);
  });

  it('tells of edits, new reactions and trouble', () => {
    const before = planNotices(null, makeMessage({ reactions: [{ emoji: '👍', by: 'a' }] }));
    const after = makeMessage({
      revision: 2,
      text: 'y',
      state: 'failed',
      reactions: [
        { emoji: '👍', by: 'a' },
        { emoji: '🎉', by: 'b' },
      ],
    });
    expect(planNotices(before.seen, after).notices.map(({ kind }) => kind)).toEqual(['edited', 'trouble', 'reaction']);
  });

  it.each<[MessageState, MessageState[], string]>([
    ['queued', [], 'waiting'],
    ['read', ['delivered'], 'waiting'],
    ['answered', [], 'settling'],
    ['answered', ['delivered'], 'settling'],
    ['answered', ['delivered', 'sending'], 'waiting'],
    ['failed', [], 'over'],
    ['failed', ['sending'], 'waiting'],
    ['failed', ['delivered'], 'over'],
    ['refused', [], 'over'],
    ['context', [], 'over'],
  ])('a question that is %s with replies %j is %s', (question, replies, stage) => {
    const messages = replies.map((reply) => makeMessage({ state: reply }));
    expect(planExchange(makeMessage({ direction: 'in', state: question }), messages).kind).toBe(stage);
  });
});

describe('a typed line', () => {
  it.each([
    ['/attach ~/a\\ b.pdf', { kind: 'attach', path: '~/a b.pdf' }],
    ["/attach 'a b.pdf'", { kind: 'attach', path: 'a b.pdf' }],
    ['/save 2', { kind: 'save', number: 2, path: null }],
    ['/save 2 out.txt', { kind: 'save', number: 2, path: 'out.txt' }],
    ['/quit', { kind: 'quit' }],
    ['/clear', { kind: 'text', text: '/clear' }],
    ['/clearx', { kind: 'text', text: '/clearx' }],
    ['/quitting is hard', { kind: 'text', text: '/quitting is hard' }],
    ['hello /quit', { kind: 'text', text: 'hello /quit' }],
  ])('%j is understood', (line, input) => {
    expect(parseInput(line)).toEqual(input);
  });

  it('that names a command without what it needs is told how', () => {
    expect(parseInput('/save').kind).toBe('wrong');
    expect(parseInput('/attach').kind).toBe('wrong');
  });
});

describe('a waterfall', () => {
  it('has a line for every stage and none wider than the screen, also when the clock jumped', () => {
    const times = fc.array(
      fc.record({ stage: fc.constantFrom('a', 'b', 'c'), at: fc.double({ min: 0, max: 1e6, noNaN: true }) }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(times, (stages) => {
        const lines = formatWaterfall(stages, ['a', 'b', 'c'], PLAIN, 80).split('\n');
        expect(lines).toHaveLength(3);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(80);
      }),
    );
  });
});
