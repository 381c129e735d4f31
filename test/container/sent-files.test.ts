import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { type OutRow, SessionFixture } from './session-fixture.ts';

const sendsFile: Script = async function* (query): AsyncGenerator<ProviderEvent> {
  writeFileSync(join(query.paths.agent, 'a.txt'), 'hello');
  await query.tools.call('send_file', { to: 'terminal', path: 'a.txt' });
  yield { kind: 'result', text: '' };
};

async function send(session: SessionFixture): Promise<{ row: OutRow; folder: string }> {
  await session.exchange({ text: 'hi' });
  const row = session.rows().at(-1);
  if (!row) throw new Error('nothing was sent');
  return { row, folder: join(session.files.outFiles, row.id) };
}

describe('the files of a message', () => {
  it.each(['delivered', 'failed', 'refused'])('are kept until it is %s, and then removed', async (state) => {
    await using session = new SessionFixture();
    await using _loop = new LoopHarness(session, new ScriptedProvider(sendsFile));
    const { row, folder } = await send(session);
    session.putDelivery(row, 'queued');
    session.putDelivery(row, 'sending');
    await session.exchange({ text: '/clear', command: 'clear' });
    expect(existsSync(join(folder, 'a.txt'))).toBe(true);
    session.putDelivery(row, state);
    await session.until(() => !existsSync(folder), 'removed');
  });

  it('are kept while its fate is unknown, because a person may have it sent again', async () => {
    await using session = new SessionFixture();
    await using _loop = new LoopHarness(session, new ScriptedProvider(sendsFile));
    const kept = await send(session);
    session.putDelivery(kept.row, 'unknown');
    const removed = await send(session);
    session.putDelivery(removed.row, 'delivered');
    await session.until(() => !existsSync(removed.folder), 'removed');
    expect(existsSync(kept.folder)).toBe(true);
  });

  it('that a killed runner left are removed by the next one, whether or not there is a row', async () => {
    await using session = new SessionFixture();
    const loop = new LoopHarness(session, new ScriptedProvider(sendsFile));
    const { row, folder } = await send(session);
    await loop[Symbol.asyncDispose]();
    const abandoned = join(session.files.outFiles, 'msg_without_a_row');
    mkdirSync(abandoned);
    utimesSync(abandoned, 1, 1);
    session.putDelivery(row, 'delivered');
    await using _next = new LoopHarness(session, new ScriptedProvider(sendsFile));
    await session.until(() => !existsSync(folder) && !existsSync(abandoned), 'removed');
  });
});
