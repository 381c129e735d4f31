/** The agent image holds all that MCP servers need: a real container, as hardened as the host makes it. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startContainer } from './session-container.ts';
import { PROGRAM_ENVIRONMENT, parseContent, SessionFixture } from './session-fixture.ts';

const SCRIPT = fileURLToPath(new URL('../support/mcp-server.mjs', import.meta.url));

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
  expect(Object.keys(JSON.parse(env)).sort()).toEqual([...PROGRAM_ENVIRONMENT, 'UNITS'].sort());
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
