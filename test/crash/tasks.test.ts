/** The host dies at each step of a task, from the request to the run: people are reminded, and once. */
import { expect, onTestFinished, test } from 'vitest';
import { CHANNEL_OF, type ChatSetUp } from '../support/hosted/protocol.ts';
import { until } from '../support/until.ts';
import { Random } from './random.ts';
import { Story } from './story.ts';

const CHAT: ChatSetUp = { agent: 'anna', idempotency: 'native', platformId: 'harbour' };
const CHANNEL = CHANNEL_OF.native;

test.each([
  'failpoint delivery.carried-out',
  'failpoint schedule.placed',
  'failpoint schedule.recorded-one',
  'failpoint schedule.recorded',
])('%s (fault: a request that runs twice makes two)', async (name) => {
  const story = new Story(new Random(1), {
    ...{ driver: 'process', image: '', chats: [CHAT], provider: 'demo', pauseAfterMs: 60_000, stopAfterMs: 60_000 },
  });
  onTestFinished(() => story.dispose());
  const first = await story.start({ signal: 'SIGKILL', kind: 'named', name, nth: 1 });
  if (first === null) throw new Error('the host died before anybody wrote');
  await first.receive(CHANNEL, CHAT.platformId, 'remind me in 2 seconds to stretch', 'c1');
  expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
  expect(first.output).toContain(`SIGKILL at ${name}`);
  const second = await story.startLast();
  // Told again, as a platform does that did not hear ok: the same message.
  await second.receive(CHANNEL, CHAT.platformId, 'remind me in 2 seconds to stretch', 'c1');
  // The other message is the answer to the request: "I will remind you …".
  const reminders = () =>
    story.platform.inChat(CHANNEL, CHAT.platformId).filter(({ text }) => !text.includes('I will remind you'));
  await until('the reminder comes', () => reminders().length > 0);
  await until('all has come to its end', async () => {
    const report = await second.report();
    return report?.messages.every(({ state }) => !['queued', 'read', 'sending'].includes(state)) ? report : null;
  });
  const report = await second.report();
  expect(report?.messages.filter(({ kind }) => kind === 'task')).toHaveLength(1);
  expect(reminders()).toHaveLength(1);
  await second.kill();
});
