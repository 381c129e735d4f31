/** What people and agents write, and what signs them in, is in no log, whatever goes wrong with it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { logInto } from '../support/log-file.ts';
import { until } from '../support/until.ts';

/** As a platform's client makes them: its words quote the message, and the request hangs on it. */
class RequestError extends Error {
  readonly config = { data: { text: 'marker-request-body' }, headers: { Authorization: 'marker-platform-token' } };
}

test('logs hold no message, no file name and no secret, whatever becomes of a message', async () => {
  const flow = new FlowHost({ driver: 'process', logLevel: 'trace' });
  const readLog = logInto(join(flow.home, 'logs', 'host.log'), 'trace');
  await flow.startForTest();
  const { stores, port } = flow.host;
  const { channel } = flow;
  flow.wire(flow.agent, 'family');
  const work = flow.wire(flow.agent, 'work');
  const outbound = () => stores.transcript.listChangedSince(0, 1_000).filter(({ direction }) => direction === 'out');
  const untilEnded = (state: string) => until(state, () => outbound().find((message) => message.state === state));

  // A message with a file, and its answer.
  const path = join(flow.home, 'uploads', 'upload');
  writeFileSync(path, 'marker-file-content');
  const file = { name: 'marker-file-name.txt', contentType: 'text/plain', sizeBytes: 19, path };
  expect((await flow.ask('family', 'look: marker-question', [file])).text).toContain('marker-file-name.txt');
  await flow.ask('family', 'remember marker-note');
  expect((await flow.ask('family', 'recall')).text).toContain('marker-note');

  // The platform says no, and quotes what it was given.
  channel.script.push({ kind: 'rejected', reason: 'cannot parse "marker-rejected"' });
  await flow.say('family', 'recall');
  await untilEnded('failed');

  // Its client throws: nobody knows whether it was sent, so it is sent again.
  const { send } = channel;
  channel.send = async () => {
    channel.send = send;
    throw new RequestError('400 for "marker-thrown"', { cause: new Error('marker-cause') });
  };
  await flow.ask('family', 'recall');

  // To where the agent may no longer write: its chart is of before.
  const place = stores.destinations.findByTarget(flow.agent.id, 'channel', work.id);
  expect(place !== null && stores.destinations.remove(place.id, place.revision)).toBe(true);
  await flow.say('family', 'tell work marker-refused');
  await until('it is refused', () => stores.ledger.listRefusals(10).length > 0);

  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/agents`, {
    headers: { Authorization: 'Bearer marker-wrong-token' },
  });
  expect(answer.status).toBe(401);
  const token = readFileSync(flow.host.paths.apiToken, 'utf8').trim();
  const signIn = flow.host.makeSignInLink().split('token=')[1] ?? '';
  expect([token.length, signIn.length].every((length) => length > 20)).toBe(true);

  // Each went wrong where it is logged.
  for (const told of ['without success', 'a channel threw', 'messages were refused']) expect(readLog()).toContain(told);
  await flow.stop();
  readLog();
  const entries = readdirSync(join(flow.home, 'logs'), { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile())) {
    const text = readFileSync(join(parentPath, name), 'utf8');
    expect(text.match(/marker-[a-z-]+/g) ?? [], name).toEqual([]);
    for (const secret of [token, signIn]) expect(text).not.toContain(secret);
  }
});
