/** The host dies at each step of a message from agent to agent: nothing is lost, and nothing comes twice. */
import { expect, onTestFinished, test } from 'vitest';
import { CHANNEL_OF, type ChatSetUp } from '../support/hosted/protocol.ts';
import { until } from '../support/until.ts';
import { Random } from './random.ts';
import { Story } from './story.ts';

const CHATS: ChatSetUp[] = [
  { agent: 'desk', idempotency: 'native', platformId: 'hall' },
  { agent: 'writer', idempotency: 'native', platformId: 'studio' },
];
const CHANNEL = CHANNEL_OF.native;
const QUESTION = 'ask writer send a file';
/** The first is the question on its way to the writer, the second the answer with its file on its way back. */
const STEPS = [
  ['session.made', 2],
  ['peers.chosen', 1],
  ['peers.committed', 1],
  ['peers.files-placed', 1],
  ['peers.chosen', 2],
  ['peers.committed', 2],
  ['delivery.taken', 1],
  ['delivery.taken', 3],
  ['delivery.sent', 1],
  ['delivery.sent', 2],
  ['delivery.sent', 3],
  ['delivery.settled', 1],
  ['delivery.settled', 2],
  ['delivery.settled', 3],
] as const;

test.each(STEPS)('at %s, time %i (fault: a message to an agent that runs twice is two)', async (step, nth) => {
  const story = new Story(new Random(1), {
    ...{ driver: 'process', image: '', chats: CHATS, provider: 'demo', pauseAfterMs: 60_000, stopAfterMs: 60_000 },
    acquaintances: [
      ['desk', 'writer'],
      ['writer', 'desk'],
    ],
  });
  onTestFinished(() => story.dispose());
  const first = await story.start({ signal: 'SIGKILL', kind: 'named', name: `failpoint ${step}`, nth });
  if (first === null) throw new Error('the host died before anybody wrote');
  await first.receive(CHANNEL, 'hall', QUESTION, 'c1');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
  const second = await story.startLast();
  // Told again, as a platform does that did not hear ok: the same message.
  await second.receive(CHANNEL, 'hall', QUESTION, 'c1');
  const files = () => story.platform.inChat(CHANNEL, 'hall').filter((posted) => posted.files.length > 0);
  await until('the file comes', () => files().length > 0);
  const report = await until('all has come to its end', async () => {
    const now = await second.report();
    return now?.messages.every(({ state }) => !['queued', 'read', 'sending'].includes(state)) ? now : null;
  });
  const heard = (agent: string) => {
    const sessions = report.sessions.filter((session) => session.agent === agent).map(({ id }) => id);
    return report.messages.filter((each) => each.direction === 'in' && sessions.includes(each.sessionId));
  };
  expect(heard('writer').map(({ text }) => text)).toEqual(['send a file']);
  // The person's question and the writer's answer.
  expect(heard('desk')).toHaveLength(2);
  expect(files()).toHaveLength(1);
  expect(story.platform.inChat(CHANNEL, 'hall')).toHaveLength(2);
  expect(report.ledgerBreak).toBeNull();
  await second.kill();
});
