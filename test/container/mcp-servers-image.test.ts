/** The agent image holds all that MCP servers need: a real container, as hardened as the host makes it. */
import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseContent, SessionFixture } from './session-fixture.ts';

const SCRIPT = fileURLToPath(new URL('../support/mcp-server.mjs', import.meta.url));
const AGENT_UID = 10001;

/** Starts the session's container, which ends with the test. */
function startContainer(session: SessionFixture): Disposable & { look(command: string): string; pause(): void } {
  const { in: inFolder, out, state, agent } = session.folders;
  for (const path of [out, state, agent, ...readdirSync(out).map((name) => join(out, name))]) {
    chownSync(path, AGENT_UID, AGENT_UID);
  }
  const mounts = { out, state, agent };
  const id = execFileSync('docker', [
    ...['run', '--detach', '--rm', '--init', '--network', 'none', '--read-only', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--pids-limit', '64', '--memory', '256m'],
    ...['--tmpfs', `/tmp:rw,size=16m,uid=${AGENT_UID},gid=${AGENT_UID}`, '-v', `${inFolder}:/workspace/in:ro`],
    ...Object.entries(mounts).flatMap(([name, from]) => ['-v', `${from}:/workspace/${name}`]),
    process.env.PORTOLAN_IMAGE ?? '',
  ])
    .toString()
    .trim();
  return {
    look: (command) => execFileSync('docker', ['exec', id, 'sh', '-c', command], { encoding: 'utf8', timeout: 25_000 }),
    pause() {
      for (const verb of ['pause', 'unpause']) execFileSync('docker', [verb, id], { stdio: 'ignore' });
    },
    [Symbol.dispose]: () => void execFileSync('docker', ['kill', id], { stdio: 'ignore' }),
  };
}

test('a server of an agent’s folder runs in its container: its tools work, a missing one is reported', async () => {
  const notes = { name: 'notes', command: 'node', args: ['notes.mjs'], env: { UNITS: 'metric' } };
  const missing = { name: 'missing', command: 'no-such-program', args: [], env: {} };
  await using session = new SessionFixture({ provider: 'demo', mcpServers: [notes, missing] });
  copyFileSync(SCRIPT, join(session.folders.agent, 'notes.mjs'));
  using container = startContainer(session);
  const [where = ''] = await session.exchange({ text: 'use notes where' });
  expect(where).toContain('"cwd":"/workspace/agent"');
  expect(where).toMatch(/"HOME":"\/workspace\/state"/);
  expect(where).toContain('"UNITS":"metric"');
  const [, env = '{}'] = /"env":(\{[^}]*\})/.exec(where) ?? [];
  expect(Object.keys(JSON.parse(env)).sort()).toEqual(['HOME', 'LANG', 'PATH', 'TZ', 'UNITS']);
  const report = session.rows().find((row) => row.kind === 'request');
  expect(report && parseContent(report)).toMatchObject({
    action: 'report_mcp_servers',
    servers: [
      { name: 'notes', problem: null, tools: 15 },
      { name: 'missing', problem: 'there is no program "no-such-program" in the container', tools: 0 },
    ],
  });
  // The kernel ends it before the runner when memory is short.
  const [, pid = ''] = /"pid":(\d+)/.exec(where) ?? [];
  expect(container.look(`cat /proc/${pid}/oom_score_adj`).trim()).toBe('1000');
  // Frozen and thawed with all that is in it.
  container.pause();
  expect((await session.exchange({ text: 'use notes echo {"text": "thawed"}' }))[0]).toContain('thawed');
  expect((await session.exchange({ text: 'run node --version' }))[0]).toMatch(/`node` says:\n\n```\nv\d+/);
});
