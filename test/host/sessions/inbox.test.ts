import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createSessionFolder } from '../../../host/sessions/folder.ts';
import { Inboxes } from '../../../host/sessions/inbox.ts';
import { makeId } from '../../../shared/ids.ts';
import { sessionPaths } from '../../../shared/session-files.ts';
import { makeTempHome } from '../../support/temp-home.ts';

function makeInbox() {
  const { home } = makeTempHome();
  const ref = { id: makeId('session'), agentGroupId: makeId('agentGroup') };
  const paths = sessionPaths(home, ref.agentGroupId, ref.id);
  createSessionFolder(paths, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  const inboxes = new Inboxes(home, () => undefined);
  onTestFinished(() => inboxes[Symbol.dispose]());
  return { ref, paths, inboxes };
}

test('what waits when they are closed comes to no commit, and hears so', async () => {
  const { ref, paths, inboxes } = makeInbox();
  const wasDone: string[] = [];
  const waiting = inboxes.commit(ref, () => wasDone.push('waiting'));
  inboxes[Symbol.dispose]();
  await expect(waiting).rejects.toMatchObject({ code: 'host_stopping', retryable: true });
  await expect(inboxes.commit(ref, () => wasDone.push('late'))).rejects.toMatchObject({ code: 'host_stopping' });
  expect(() => inboxes.read(ref, (tables) => tables.highestSeq())).toThrow('the host is stopping');
  // The turn in which it would have been committed, and the one after.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(wasDone).toEqual([]);
  // Nobody holds it: it may be the next host's.
  const next = new Database(paths.inboundDb, { timeout: 0 });
  onTestFinished(() => void next.close());
  expect(() => next.exec('BEGIN EXCLUSIVE; COMMIT')).not.toThrow();
});

test('a commit that a container’s lock holds up is given up when they are closed', async () => {
  const { ref, paths, inboxes } = makeInbox();
  await inboxes.commit(ref, () => undefined);
  const container = new Database(paths.inboundDb, { readonly: true });
  onTestFinished(() => void container.close());
  container.exec('BEGIN; SELECT * FROM messages_in');
  let tries = 0;
  const waiting = inboxes.commit(ref, (tables) => {
    tries++;
    tables.noteNews();
    tables.setStatus('msg', 'failed');
  });
  const heard = expect(waiting).rejects.toMatchObject({ code: 'host_stopping' });
  while (tries === 0) await new Promise((resolve) => setImmediate(resolve));
  inboxes[Symbol.dispose]();
  await heard;
});
