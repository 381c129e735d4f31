/** Making room in a conversation of the provider `openai`: what is dropped, what is summarised, what always stays. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CompactionFacts,
  countFrom,
  joinSummary,
  planCompaction,
} from '../../../container/providers/openai/compaction/plan.ts';
import { buildPrompt } from '../../../container/providers/openai/prompt.ts';
import { callsOf, NO_USAGE, type TranscriptRecord } from '../../../container/providers/openai/records.ts';
import type { ProviderEvent } from '../../../container/providers/provider.ts';
import { type OpenAiMessage, openAiBody } from '../../support/model-servers/openai.ts';
import { collect, errorOf, makeWorld, PNG, promptOf, resultOf, type World } from './openai-fixture.ts';

const BLOCK = '<message to="terminal">Hello Anna.</message>';
const isSummaryCall = (messages: readonly OpenAiMessage[]) =>
  String(messages[0]?.content).includes('keep an agent’s memory') ||
  String(messages[0]?.content).includes("keep an agent's memory");
const bodies = (world: World) => world.server.requests.map((request) => openAiBody(request));

/** Answers summaries as such, and all else from a list. */
function script(world: World, ...answers: { calls?: string; text?: string; input?: number }[]): void {
  let at = 0;
  world.server.answer((request) => {
    if (isSummaryCall(openAiBody(request).messages)) {
      return { kind: 'text', text: 'Open work: Anna’s report in plan.md.', usage: { input: 50, output: 9 } };
    }
    const { calls, text = BLOCK, input = 100 } = answers[Math.min(at++, answers.length - 1)] ?? {};
    const usage = { input, output: 10 };
    if (calls === undefined) return { kind: 'text', text, usage };
    return { kind: 'tools', calls: [{ name: 'bash', input: { command: calls } }], usage };
  });
}

describe('when the window fills', () => {
  it('old tool results are dropped first, without a call', async () => {
    const world = await makeWorld();
    script(world, { calls: 'seq 1 6000' }, {}, { calls: 'seq 1 6000' }, {}, { input: 97_000 }, {});
    for (const text of ['one', 'two', 'three', 'four']) expect(resultOf(await world.say(text))).toBe(BLOCK);
    expect(bodies(world).some(({ messages }) => isSummaryCall(messages))).toBe(false);
    const last = bodies(world).at(-1)?.messages ?? [];
    const results = last.filter(({ role }) => role === 'tool').map(({ content }) => String(content));
    expect(results[0]).toMatch(/left out later/);
    expect(world.server.wrong).toEqual([]);
  });

  it('the older part becomes a summary, and it is counted', async () => {
    const world = await makeWorld();
    const talk = 'word '.repeat(30_000);
    script(world, { text: talk }, { text: talk }, { text: talk, input: 110_000 }, {});
    for (const text of ['the report', 'two', 'three']) await world.say(text);
    const events = await world.say('and now?');
    expect(resultOf(events)).toBe(BLOCK);
    expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 150, outputTokens: 19 } });
    const [summary, after] = bodies(world).slice(-2);
    expect(isSummaryCall(summary?.messages ?? [])).toBe(true);
    expect(summary?.tools).toBeUndefined();
    expect(JSON.stringify(after)).toContain('Anna’s report in plan.md');
    expect(JSON.stringify(after)).not.toContain('the report</message>');
    expect(JSON.stringify(after)).toContain('and now?');
    // In another process it is the short one that goes on.
    world.restart();
    await world.say('still there?');
    expect(bodies(world).at(-1)?.messages.slice(0, after?.messages.length)).toEqual(after?.messages);
    expect(world.server.wrong).toEqual([]);
  });

  it('that a server says makes room once, in the middle of a turn, and what was asked stays in its words', async () => {
    const world = await makeWorld({ rules: { contextTokens: 9_000 } });
    script(world, { calls: 'seq 1 4000', input: 2_000 }, { calls: 'seq 1 4000', input: 7_000 }, {});
    const events = await world.say('count twice, please');
    expect(resultOf(events)).toBe(BLOCK);
    expect(JSON.stringify(bodies(world).at(-1))).toContain('count twice, please');
    const results = bodies(world)
      .at(-1)
      ?.messages.filter(({ role }) => role === 'tool')
      .map(({ content }) => String(content));
    // The older one is gone; of the newest, which the model has not seen, both ends are there.
    expect(results?.[0]).toContain('left out later');
    expect(results?.[1]).toMatch(/^1\n2\n[\s\S]*bytes left out[\s\S]*\n4000$/);
    expect(world.server.wrong).toEqual([]);
  });

  it('in the middle of long work, what was said before it is summarised, and no words to people are lost', async () => {
    const world = await makeWorld({ rules: { contextTokens: 12_000 } });
    const early = '<message to="terminal">I begin.</message>';
    let steps = 0;
    world.server.answer((request) => {
      const { messages } = openAiBody(request);
      if (isSummaryCall(messages)) return { kind: 'text', text: 'Half of it is done.' };
      if (++steps > 12) return { kind: 'text', text: BLOCK };
      const text = steps === 1 ? early : `thinking aloud ${'so '.repeat(1_500)}`;
      return { kind: 'tools', text, calls: [{ name: 'bash', input: { command: 'seq 1 1000' } }] };
    });
    expect(resultOf(await world.say('work long'))).toBe(`${early}\n\n${BLOCK}`);
    expect(JSON.stringify(bodies(world).at(-1))).toContain('Half of it is done.');
    expect(JSON.stringify(bodies(world).at(-1))).toContain('work long');
    expect(world.server.wrong).toEqual([]);
  });

  it('with a single message that is too long, a person is told', async () => {
    const world = await makeWorld({ rules: { contextTokens: 5_000 } });
    script(world, {});
    const events = await world.say('x'.repeat(60_000));
    expect(errorOf(events)).toMatchObject({
      retryable: false,
      message: expect.stringContaining('more than the model'),
    });
    expect(resultOf(await world.say('short'))).toBe(BLOCK);
  });

  it('a summary that fails leaves the conversation as it is', async () => {
    const world = await makeWorld();
    const talk = 'word '.repeat(30_000);
    script(world, { text: talk }, { text: talk }, { text: talk, input: 110_000 });
    for (const text of ['one', 'two', 'three']) await world.say(text);
    const before = world.transcript();
    world.server.answer({ kind: 'text', text: BLOCK });
    // The function in the last place is gone now; what follows is what this test says.
    const broken = await makeBroken(world);
    expect(errorOf(broken)).toMatchObject({ retryable: true });
    expect(world.transcript().startsWith(before)).toBe(true);
  });
});

async function makeBroken(world: World): Promise<ProviderEvent[]> {
  world.gateway.refusal = {
    status: 503,
    body: { type: 'error', error: { type: 'unreachable', message: 'The service is away.' }, next: null },
  };
  return await world.say('and now?');
}

describe('/compact', () => {
  const compact = async (world: World) => {
    const turn = world.provider.compact?.({ ...world.input(promptOf('/compact')), prompt: promptOf('/compact') });
    return turn === undefined ? [] : await collect(turn);
  };

  it('makes a summary of all that was said, and removes pictures that nobody sees any more', async () => {
    const world = await makeWorld();
    script(world, { text: 'A long story. '.repeat(400), input: 2_000 });
    const path = world.file('a.png', PNG);
    await world.say(promptOf('tell', [{ name: 'a.png', sizeBytes: PNG.length, contentType: 'image/png', path }]));
    const media = () => readdirSync(join(world.paths.state, 'openai', 'media'));
    expect(media()).toHaveLength(1);
    const events = await compact(world);
    expect(resultOf(events)).toMatch(/^Compacted: .* About [\d.]+k tokens became [\d.]+k\.$/);
    expect(events.at(-1)).toMatchObject({ usage: { inputTokens: 50, outputTokens: 9 } });
    expect(media()).toHaveLength(0);
    await world.say('go on');
    expect(JSON.stringify(bodies(world).at(-1))).not.toContain('A long story');
    expect(world.server.wrong).toEqual([]);
  });

  it('says that there is nothing yet, where there is not', async () => {
    const world = await makeWorld();
    expect(resultOf(await compact(world))).toContain('nothing to compact');
    expect(world.server.requests).toHaveLength(0);
  });
});

describe('a plan', () => {
  const text = fc.string({ maxLength: 30 }).map((part) => part.repeat(60));
  /** A transcript as turns make it: calls have results, turns have ends, the last may be running. */
  const turn = fc.record({
    asked: text,
    steps: fc.array(fc.array(text, { maxLength: 3 }), { maxLength: 4 }),
    said: text,
  });
  const conversation = fc.record({ turns: fc.array(turn, { minLength: 1, maxLength: 6 }), isRunning: fc.boolean() });
  let ids = 0;
  const toRecords = ({ turns, isRunning }: typeof conversation extends fc.Arbitrary<infer T> ? T : never) => {
    const records: TranscriptRecord[] = [{ kind: 'header', version: 1 }];
    for (const [index, { asked, steps, said }] of turns.entries()) {
      records.push({ kind: 'user', text: `asked ${index} ${asked}`, media: [], messageIds: [`m${index}`] });
      const base = { kind: 'assistant', model: 'm', usage: NO_USAGE, isCut: false } as const;
      for (const results of steps) {
        const calls = results.map(() => ({ type: 'call', id: `c${++ids}`, name: 'bash', input: {} }) as const);
        records.push({ ...base, parts: [{ type: 'text', text: 'hm' }, ...calls] });
        for (const [at, { id }] of calls.entries()) {
          records.push({ kind: 'result', callId: id, name: 'bash', isOk: true, text: results[at] ?? '', media: [] });
        }
      }
      if (isRunning && index === turns.length - 1) continue;
      records.push({ ...base, parts: [{ type: 'text', text: said }] }, { kind: 'end', isAnswered: true });
    }
    return records;
  };
  const facts = fc.record({
    windowTokens: fc.integer({ min: 100, max: 20_000 }),
    fixedTokens: fc.integer({ min: 0, max: 500 }),
    reason: fc.constantFrom<CompactionFacts['reason']>('size', 'refused', 'asked'),
  });

  it('never parts a call from its results, never grows, and keeps what the running turn was asked', () => {
    fc.assert(
      fc.property(conversation, facts, (made, given) => {
        const records = toRecords(made);
        const plan = planCompaction(records, given);
        if (plan.kind === 'nothing') return;
        const after = plan.kind === 'drop' ? plan.records : joinSummary(plan, 'in short');
        if (after === null) return;
        expect(countFrom(after)).toBeLessThan(countFrom(records));
        const open = new Set<string>();
        for (const record of after) {
          if (record.kind === 'assistant') for (const { id } of callsOf(record)) open.add(id);
          if (record.kind === 'result') expect(open.delete(record.callId)).toBe(true);
        }
        expect(open.size).toBe(0);
        if (made.isRunning) {
          const wanted = `asked ${made.turns.length - 1} `;
          expect(after.some((record) => record.kind === 'user' && record.text.startsWith(wanted))).toBe(true);
        }
        // What comes out can be asked: the prompt's shape is checked by the server of the other tests.
        const load = () => null;
        expect(buildPrompt(after, { instructions: 'i', api: 'openai', model: 'm', load }).length).toBeGreaterThan(1);
      }),
      { numRuns: 500 },
    );
  });
});
