/** When claims are written: I4 of the runner's outbox, seen from another connection as the host sees it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { Outbox } from '../../container/runner/outbox.ts';
import { OUTBOUND_SCHEMA } from '../../shared/session-schema.ts';
import { until } from '../support/until.ts';

function openOutbox() {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-claims-'));
  const path = join(folder, 'outbound.db');
  const reader = new Database(path);
  for (const statement of OUTBOUND_SCHEMA) reader.exec(statement);
  const outbox = new Outbox(path, () => 0, { ring: () => undefined });
  onTestFinished(() => {
    outbox[Symbol.dispose]();
    reader.close();
    rmSync(folder, { recursive: true, force: true });
  });
  /** Rises by one with each commit of another connection. */
  const changeCounter = () => Number(reader.prepare('SELECT * FROM pragma_data_version').pluck().get());
  const state = (id: string) =>
    reader.prepare<[string], string>('SELECT state FROM processing WHERE message_id = ?').pluck().get(id) ?? null;
  const finish = (id: string, tries = 0) =>
    outbox.finish({
      drafts: [],
      acks: [{ id, tries, state: 'done', stamps: {} }],
      continuation: undefined,
      idleSince: null,
    });
  return { outbox, changeCounter, state, finish };
}

test('the first batch of a process is claimed at once', () => {
  const { outbox, state } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  expect(state('a')).toBe('claimed');
});

test('a later turn that is over at once commits once, with its claim in it', () => {
  const { outbox, changeCounter, state, finish } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  finish('a');
  const before = changeCounter();
  outbox.claim([{ id: 'b', tries: 0 }], [], Date.now());
  expect(changeCounter()).toBe(before);
  expect(outbox.isTaken({ id: 'b', tries: 0 })).toBe(true);
  finish('b');
  expect(changeCounter()).toBe(before + 1);
  expect(state('b')).toBe('done');
});

test('a later turn that goes on is claimed soon, and its omitted context is settled with it', async () => {
  const { outbox, state, finish } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  finish('a');
  outbox.claim([{ id: 'b', tries: 0 }], [{ id: 'old', tries: 0 }], Date.now());
  await until('the claim is written', () => state('b') === 'claimed');
  expect(state('old')).toBe('done');
});

test('what a tool sends takes the claim along', () => {
  const { outbox, state, finish } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  finish('a');
  outbox.claim([{ id: 'b', tries: 0 }], [], Date.now());
  outbox.setTool({ tool: 'slow', startedAt: Date.now(), timeoutMs: 1_000 });
  expect(state('b')).toBe('claimed');
});

test('a message that was tried before is claimed at once, so that what kills the runner is counted', () => {
  const { outbox, state, finish } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  finish('a');
  outbox.claim([{ id: 'b', tries: 1 }], [], Date.now());
  expect(state('b')).toBe('claimed');
});

test('claims that are given back leave no mark, written or not', () => {
  const { outbox, state, finish } = openOutbox();
  outbox.claim([{ id: 'a', tries: 0 }], [], Date.now());
  finish('a');
  outbox.claim([{ id: 'b', tries: 0 }], [], Date.now());
  outbox.releaseClaims();
  expect(state('b')).toBeNull();
  expect(outbox.isTaken({ id: 'b', tries: 0 })).toBe(false);
});
