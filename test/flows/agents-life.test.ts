/** Agents made and removed, destinations renamed and revoked, while real containers run. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FlowHost } from '../support/flow-host.ts';
import { until } from '../support/until.ts';

function containersOf(sessionId: string): string {
  const label = `label=portolan.session=${sessionId}`;
  return execFileSync('docker', ['ps', '-q', '--filter', label], { encoding: 'utf8' }).trim();
}

async function ask(flow: FlowHost, path: string, method: string, body: object | null, revision = 0): Promise<unknown> {
  const authorization = `Bearer ${readFileSync(flow.host.paths.apiToken, 'utf8').trim()}`;
  const answer = await fetch(`http://127.0.0.1:${flow.host.port}/api/v1${path}`, {
    method,
    headers: {
      authorization,
      'if-match': `"${revision}"`,
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === null ? {} : { body: JSON.stringify(body) }),
  });
  expect(answer.status).toBeLessThan(300);
  return answer.status === 204 ? null : answer.json();
}

test('a rename and a removal hold for the next send of a running container, without a restart', async () => {
  const flow = await new FlowHost().startForTest();
  const { destinations } = flow.host.stores;
  flow.wire(flow.agent, 'family');
  flow.wire(flow.agent, 'work');
  await flow.ask('family', 'tell work one');
  await flow.next('work', 0);
  const session = await flow.say('family', 'who am i');
  const container = containersOf(session.id);
  expect(container).not.toBe('');

  const work = destinations.find(flow.agent.id, 'work');
  await ask(flow, `/destinations/${work?.id}`, 'PATCH', { name: 'office' }, work?.revision);
  await flow.ask('family', 'tell office two');
  expect((await flow.next('work', 1)).text).toContain('two');
  await flow.ask('family', 'tell work three');
  expect((await flow.next('work', 2)).text).toContain('three');

  await ask(flow, `/destinations/${work?.id}`, 'DELETE', null, (work?.revision ?? 0) + 1);
  await flow.ask('family', 'tell office four');
  await flow.ask('family', 'tell work five');
  expect((await flow.ask('family', 'destinations')).text).not.toMatch(/office|work/);
  expect(flow.seen('work')).toHaveLength(3);
  expect(containersOf(session.id)).toBe(container);
});

test('an admin agent makes another, which answers it, and is removed while its container runs', async () => {
  const flow = await new FlowHost().startForTest();
  flow.wire(flow.agent, 'family');
  await flow.ask('family', 'create an agent called Writer that writes short');
  const { agents, sessions } = flow.host.stores;
  const writer = await until('the agent is there', () => agents.findByName('Writer'), 30_000);
  await until('its folder is ready', () => agents.listOpenWork().length === 0);
  expect(readFileSync(join(flow.home, 'groups', 'writer', 'AGENTS.md'), 'utf8')).toContain('short');
  await until('people hear of it', () => flow.seen('family').some((reply) => /writer/i.test(reply.text)));

  const chat = flow.wire(writer, 'studio');
  const session = await flow.say('studio', 'help');
  expect((await flow.next('studio', 0)).text).toContain('demo provider');
  await until('its container runs', () => containersOf(session.id) !== '');

  const removal = await ask(flow, `/agents/${writer.id}`, 'DELETE', null, writer.revision);
  expect(removal).toMatchObject({ wirings: 1, pointing: 1 });
  await until('its container is gone', () => containersOf(session.id) === '', 30_000);
  await until('all is done', () => agents.getArchived(writer.id)?.openWork === null, 30_000);
  expect(sessions.get(session.id)).toBeNull();
  expect(readdirSync(join(flow.home, 'groups')).filter((name) => !name.startsWith('.'))).toEqual(['main']);
  const before = flow.seen('studio').length;
  await expect(flow.say('studio', 'are you there?')).rejects.toThrow();
  expect(flow.seen('studio')).toHaveLength(before);
  expect((await flow.ask('family', 'destinations')).text).not.toContain('writer');
  expect(chat.platformId).toBe('studio');
});
