import { describe, expect, test } from 'vitest';
import { describeDelivery } from '../../../../host/console/web/conversation/delivery.ts';
import { explainFileLimit, explainTextLimit } from '../../../../host/console/web/conversation/limits.ts';
import { isPlainText } from '../../../../host/console/web/conversation/plain-text.ts';
import { describeAsker } from '../../../../host/console/web/conversation/question.ts';
import { isFromAgent, planTimeline, type TimelineFacts } from '../../../../host/console/web/conversation/timeline.ts';
import { planWaterfall } from '../../../../host/console/web/details/plan-waterfall.ts';
import { sampleMessage, samplePending } from './samples.ts';

const DAY_MS = 86_400_000;

function plan(facts: Partial<TimelineFacts>) {
  return planTimeline({
    messages: [],
    pending: [],
    session: { chatId: 'chat_1' },
    myUserId: 'web:owner',
    readUpTo: null,
    startOfDay: (at) => Math.floor(at / DAY_MS) * DAY_MS,
    ...facts,
  });
}

describe('the timeline', () => {
  test('starts each day with its line', () => {
    const messages = [1, 2, 3].map((position) =>
      sampleMessage({ position, createdAt: position === 3 ? DAY_MS + 1 : position }),
    );
    expect(plan({ messages }).map((row) => row.kind)).toEqual(['day', 'message', 'message', 'day', 'message']);
  });

  test('gives messages of one author in a row one heading, and a new one after a pause', () => {
    const at = [0, 1_000, 600_000];
    const messages = at.map((createdAt, index) => sampleMessage({ position: index + 1, createdAt }));
    const starts = plan({ messages }).flatMap((row) => (row.kind === 'message' ? [row.startsGroup] : []));
    expect(starts).toEqual([true, false, true]);
  });

  test('names the destination of what went elsewhere, and only of that', () => {
    const here = sampleMessage({ position: 1 });
    const there = sampleMessage({ position: 2, chatId: 'chat_2', destination: 'family' });
    const rows = plan({ messages: [here, there] }).flatMap((row) => (row.kind === 'message' ? [row.elsewhere] : []));
    expect(rows).toEqual([null, 'family']);
  });

  test('marks the first unread message of the agent, not one of mine', () => {
    const messages = [
      sampleMessage({ position: 1 }),
      sampleMessage({ position: 2, direction: 'in' }),
      sampleMessage({ position: 3 }),
      sampleMessage({ position: 4 }),
    ];
    const kinds = plan({ messages, readUpTo: 1 }).map((row) =>
      row.kind === 'message' ? row.message.position : row.kind,
    );
    expect(kinds).toEqual(['day', 1, 2, 'unread-mark', 3, 4]);
  });

  test('leaves out a send whose message is there already, until it fails', () => {
    const sending = samplePending({ matchedId: 'msg_1' });
    const failed = samplePending({ matchedId: 'msg_1', status: { kind: 'waiting' } });
    expect(plan({ pending: [sending] })).toEqual([]);
    expect(plan({ pending: [failed] }).map((row) => row.kind)).toEqual(['day', 'pending']);
  });

  test('takes nobody else’s words for mine, whatever platform or page they came from', () => {
    const authors = ['telegram:5', 'web:anna', 'web:owner'];
    const messages = authors.map((id, index) =>
      sampleMessage({ position: index + 1, direction: 'in', author: { id, name: 'Ada' } }),
    );
    const rows = plan({ messages }).flatMap((row) => (row.kind === 'message' ? [row] : []));
    expect(rows.map(({ mine, startsGroup }) => [mine, startsGroup])).toEqual([
      [false, true],
      [false, true],
      [true, true],
    ]);
  });
});

test('what another agent wrote into my chat is its own, not mine', () => {
  const theirs = sampleMessage({ position: 1, direction: 'in', author: { id: 'agt_2', name: 'researcher' } });
  const mine = sampleMessage({ position: 2, direction: 'in', author: { id: 'web:owner', name: 'Olga' } });
  const rows = plan({ messages: [theirs, mine] }).flatMap((row) => (row.kind === 'message' ? [row] : []));
  expect(rows.map((row) => row.mine)).toEqual([false, true]);
  expect(rows.map((row) => isFromAgent(row.message))).toEqual([true, false]);
});

describe('the state of a message', () => {
  test('shows that another agent has read or answered what was written to it, and lets nobody send that again', () => {
    const toAgent = { position: 1, chatId: null, destination: 'researcher' } as const;
    expect(describeDelivery(sampleMessage({ ...toAgent, state: 'read' }))?.label).toBe('Read by the agent');
    expect(describeDelivery(sampleMessage({ ...toAgent, state: 'answered' }))?.label).toBe('Answered');
    expect(describeDelivery(sampleMessage({ ...toAgent, state: 'failed' }))).toMatchObject({
      loud: true,
      canSettle: false,
    });
  });

  test('lets a person settle only deliveries that failed or are not known', () => {
    const settled = (['queued', 'sending', 'delivered', 'failed', 'refused', 'unknown', 'dropped'] as const).filter(
      (state) => describeDelivery(sampleMessage({ position: 1, state }))?.canSettle,
    );
    expect(settled).toEqual(['failed', 'unknown']);
  });

  test('speaks up about every inbound message that got no answer', () => {
    for (const state of ['failed', 'refused'] as const) {
      expect(describeDelivery(sampleMessage({ position: 1, direction: 'in', state }))?.loud).toBe(true);
    }
  });
});

describe('limits said before sending', () => {
  test('name the file that is too large, and both sizes', () => {
    expect(explainFileLimit([{ name: 'a.bin', size: 26 * 1024 * 1024 }])).toContain('“a.bin” is 26.0 MB');
    expect(explainFileLimit([{ name: 'a.bin', size: 25 * 1024 * 1024 }])).toBeNull();
  });

  test('count the files', () => {
    expect(explainFileLimit(Array.from({ length: 11 }, () => ({ name: 'a', size: 1 })))).toContain('at most 10');
  });

  test('count the text in bytes of UTF-8', () => {
    expect(explainTextLimit('é'.repeat(32 * 1024))).toBeNull();
    expect(explainTextLimit(`${'é'.repeat(32 * 1024)}a`)).toContain('at most 64');
  });
});

describe('a text made to choke the Markdown parser', () => {
  test.each(['> ', '>', '1. ', '- ', '[', '> 1. - '])('of %j again and again is shown as it is', (mark) => {
    expect(isPlainText(mark.repeat(2_000))).toBe(true);
  });

  test('is told from a long but ordinary one', () => {
    expect(isPlainText('- one\n- two\n\n| a | b |\n|---|---|\n\n> quoted **words**\n\n'.repeat(100))).toBe(false);
  });
});

test('the waterfall puts each stage after the one before it, within the whole', () => {
  const bars = planWaterfall([
    { stage: 'received', at: 1_000, sincePreviousMs: null },
    { stage: 'woken', at: 1_150, sincePreviousMs: 150 },
    { stage: 'sent', at: 1_200, sincePreviousMs: 50 },
  ]);
  expect(bars.map((bar) => bar.durationMs)).toEqual([null, 150, 50]);
  expect(bars[1]).toMatchObject({ label: 'Container woken', startPercent: 0, widthPercent: 75 });
  for (const bar of bars) expect(bar.startPercent + bar.widthPercent).toBeLessThanOrEqual(100);
});

test('a card of the host is named as that, and a question of an agent as the agent’s, whatever it says', () => {
  expect(describeAsker({ approvalId: 'apr_1' }, 'Portolan')).toEqual({
    isHost: true,
    words: 'Portolan needs a decision',
  });
  expect(describeAsker({ approvalId: null }, 'main')).toEqual({ isHost: false, words: 'main asks' });
});
