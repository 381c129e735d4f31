/** `portolan people` against the real API. */
import { expect, it } from 'vitest';
import type { UserId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { portolan, type RunOptions } from './support/run.ts';

async function setUp() {
  const api = await startApi();
  const known = [
    ['telegram:1', 'Anna'],
    ['slack:U1', 'Anna K'],
    ['telegram:2', 'Ben'],
  ] as const;
  // One after the other: the first identity of a person names them.
  for (const [at, [id, name]] of known.entries()) api.spine.users.ensure(id as UserId, name, at + 1);
  const run = (words: string, options?: RunOptions) => portolan(api.spine.home, words.split(' '), options);
  return { api, run };
}

const roles = (api: ApiFixture, id: string) => api.spine.users.rolesOf(id as UserId);

it('gives, shows and takes, and says how to undo it', async () => {
  const { api, run } = await setUp();
  expect(await run('people grant telegram:1 admin main')).toMatchObject({ code: 0, err: '' });
  expect(roles(api, 'telegram:1')).toEqual([{ role: 'admin', agentGroupId: api.agent.id }]);
  expect((await run('people')).out).toMatch(/Anna +admin of main +telegram:1/);
  expect((await run('people show anna')).out).toMatch(/telegram:1 +Anna .*admin of main by web:owner/);
  const taken = await run('people revoke anna admin main');
  expect(taken.out).toContain('Anna (telegram:1) is not admin of main any more. What is left: no role.');
  // By id: the name means nobody now.
  expect(taken.out).toContain('To undo: portolan people grant telegram:1 admin main');
  expect(roles(api, 'telegram:1')).toEqual([]);
});

it('adds and removes members; somebody new has a name', async () => {
  const { api, run } = await setUp();
  expect(await run('people add discord:9 main')).toMatchObject({ code: 4 });
  expect((await run('people add discord:9 main --name Dora')).out).toContain('Dora (discord:9) is member of main');
  expect(api.spine.users.isKnown('discord:9' as UserId, api.agent.id)).toBe(true);
  expect((await run('people remove Dora main')).code).toBe(0);
  expect(api.spine.users.isKnown('discord:9' as UserId, api.agent.id)).toBe(false);
});

it('asks before a name makes somebody decide, and says the id to type instead', async () => {
  const { api, run } = await setUp();
  api.spine.users.addMember(api.agent.id, 'telegram:1' as UserId, 1);
  const refused = await run('people grant anna admin main');
  expect(refused.code).toBe(2);
  expect(refused.err).toContain(' people grant telegram:1 admin main --yes');
  const asked = await run('people grant anna admin main', { isStdinInteractive: true, stdin: 'n\n' });
  expect([asked.code, `${asked.out}${asked.err}`]).toEqual([5, expect.stringContaining('Anna (telegram:1)')]);
  expect(roles(api, 'telegram:1')).toEqual([]);
  expect((await run('people grant anna admin main --yes')).code).toBe(0);
  expect(roles(api, 'telegram:1')).toEqual([{ role: 'admin', agentGroupId: api.agent.id }]);
});

it('asks before somebody may decide about everything, and before two are one', async () => {
  const { api, run } = await setUp();
  for (const words of ['grant telegram:1 owner', 'grant telegram:1 admin all', 'link telegram:1 slack:U1']) {
    const refused = await run(`people ${words}`);
    expect(refused, words).toMatchObject({ code: 2 });
    expect(refused.err).toContain(` people ${words} --yes`);
    expect((await run(`people ${words}`, { isStdinInteractive: true, stdin: 'n\n' })).code, words).toBe(5);
  }
  expect(roles(api, 'telegram:1')).toEqual([]);
  expect((await run('people grant telegram:1 owner', { isStdinInteractive: true, stdin: 'y\n' })).code).toBe(0);
  expect((await run('people link telegram:1 slack:U1 --yes')).out).toContain('portolan people unlink slack:U1');
  expect(roles(api, 'slack:U1')).toEqual([{ role: 'owner', agentGroupId: null }]);
  expect((await run('people')).out).toMatch(/Anna +owner +telegram:1, slack:U1/);
  expect((await run('people unlink slack:U1')).code).toBe(0);
  expect(roles(api, 'slack:U1')).toEqual([]);
  expect((await run('people unlink slack:U1')).code).toBe(5);
});

it('the last owner stays', async () => {
  const { run } = await setUp();
  const { code, err } = await run('people revoke web:owner owner');
  expect(code).toBe(5);
  expect(err).toContain('only owner');
});

it('names nobody by a name that strangers chose, and tells two of a name apart by id', async () => {
  const { api, run } = await setUp();
  const stranger = await run('people grant ben admin main');
  expect(stranger.code).toBe(4);
  expect(stranger.err).toContain('telegram:2');
  for (const id of ['telegram:2', 'telegram:3'] as UserId[]) {
    api.spine.users.ensure(id, 'Ben', 1);
    api.spine.users.addMember(api.agent.id, id, 1);
  }
  expect(await run('people show Ben')).toMatchObject({ code: 2, err: expect.stringContaining('telegram:3') });
});

it('says what a role is, and prints one JSON document for scripts', async () => {
  const { run } = await setUp();
  const wrong = await run('people grant telegram:1 king');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('admin <agent>') });
  const { out } = await run('people grant telegram:1 member main --json');
  expect(JSON.parse(out)).toMatchObject({ id: 'telegram:1', roles: [{ role: 'member', agentName: 'main' }] });
  expect(JSON.parse((await run('people list --all --json')).out).items).toHaveLength(4);
  expect(JSON.parse((await run('people grant telegram:404 owner --yes --json')).err).error.code).toBe(
    'person_not_found',
  );
});
