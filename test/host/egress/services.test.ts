import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { Assignments } from '../../../host/egress/assignments.ts';
import { Credentials } from '../../../host/egress/credentials.ts';
import { KNOWN_SERVICES } from '../../../host/egress/known-services.ts';
import { fillHeader, planService, type ServiceInput } from '../../../host/egress/plan-service.ts';
import { type Service, Services } from '../../../host/egress/services.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { SecretUseStore } from '../../../host/store/secret-uses.ts';
import { SecretStore } from '../../../host/store/secrets.ts';
import { ServiceStore } from '../../../host/store/services.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { Vault } from '../../../host/vault/vault.ts';
import { makeTempHome } from '../../support/temp-home.ts';

const OWNER = 'web:owner';
const OLLAMA: ServiceInput = {
  name: 'ollama',
  url: 'http://127.0.0.1:11434/v1',
  api: 'openai',
  header: null,
  isPrivate: true,
};

function open() {
  const paths = makeTempHome();
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  const commit = <T>(work: () => T): T => db.transaction(work)();
  const shared = { ledger: new Ledger(db), commit, now: () => 1_800_000_000_000 };
  const secretUses = new SecretUseStore(db);
  const agents = new AgentStore(db);
  const vault = new Vault({ ...shared, secrets: new SecretStore(db), paths, environment: [] });
  vault.open();
  const services = new Services({ ...shared, services: new ServiceStore(db), secretUses });
  const assignments = new Assignments({ ...shared, vault, services, secretUses, agents });
  const credentials = new Credentials(secretUses, vault);
  const [anna, bert] = ['anna', 'bert'].map((name) => agents.create({ name, folder: name, now: 1 }));
  if (anna === undefined || bert === undefined) throw new Error('no agents');
  onTestFinished(() => {
    vault[Symbol.dispose]();
    db.close();
  });
  const get = (name: string): Service => {
    const service = services.get(name);
    if (service === null) throw new Error(`no service ${name}`);
    return service;
  };
  return { ...shared, db, agents, vault, services, assignments, credentials, anna: anna.id, bert: bert.id, get };
}

const secret = (text: string) => SecretValue.ofText(text);

describe('a credential', () => {
  it('is of the agent, else of all, and holds from the next request on', () => {
    const { assignments, credentials, anna, bert, get } = open();
    expect(credentials.credentialFor(get('anthropic'), anna)).toMatchObject({
      kind: 'missing',
      next: 'portolan secrets set anthropic',
    });
    expect(assignments.setSecret('anthropic', secret('sk-all'), OWNER)).toMatchObject({ assignedTo: 'anthropic' });
    assignments.setSecret('annas', secret('sk-anna'), OWNER);
    assignments.assign({ secretName: 'annas', service: 'anthropic', agentGroupId: anna }, OWNER);
    const header = (value: string) => ({ kind: 'header', name: 'x-api-key', value });
    expect(credentials.credentialFor(get('anthropic'), anna)).toEqual(header('sk-anna'));
    expect(credentials.credentialFor(get('anthropic'), bert)).toEqual(header('sk-all'));
    assignments.setSecret('annas', secret('sk-anna-2'), OWNER);
    expect(credentials.credentialFor(get('anthropic'), anna)).toEqual(header('sk-anna-2'));
  });

  it('of an agent that cannot be opened is not replaced by that of all: it would spend another’s money', () => {
    const { db, assignments, credentials, anna, bert, get } = open();
    assignments.setSecret('anthropic', secret('sk-all'), OWNER);
    assignments.setSecret('annas', secret('sk-anna'), OWNER);
    assignments.assign({ secretName: 'annas', service: 'anthropic', agentGroupId: anna }, OWNER);
    db.prepare("UPDATE secrets SET ciphertext = zeroblob(40) WHERE name = 'annas'").run();
    expect(credentials.credentialFor(get('anthropic'), anna).kind).toBe('missing');
    expect(credentials.credentialFor(get('anthropic'), bert).kind).toBe('header');
  });

  it('is not added to a service that takes none, or to a private one that was given none', () => {
    const { services, assignments, credentials, anna, get } = open();
    services.add({ ...OLLAMA, header: 'none' }, OWNER);
    services.add({ ...OLLAMA, name: 'vllm', url: 'http://10.0.0.7:8000/v1' }, OWNER);
    expect(credentials.credentialFor(get('ollama'), anna)).toEqual({ kind: 'none' });
    expect(credentials.credentialFor(get('vllm'), anna)).toEqual({ kind: 'none' });
    assignments.setSecret('vllm', secret('token'), OWNER);
    expect(credentials.credentialFor(get('vllm'), anna)).toMatchObject({
      name: 'authorization',
      value: 'Bearer token',
    });
  });

  it('goes with its secret', () => {
    const { vault, assignments, credentials, anna, get } = open();
    assignments.setSecret('anthropic', secret('sk-all'), OWNER);
    vault.remove('anthropic', 1, OWNER);
    expect(credentials.credentialFor(get('anthropic'), anna).kind).toBe('missing');
    expect(assignments.list()).toEqual([]);
  });

  it('for git over HTTPS is Basic with the token as its password', () => {
    const filled = fillHeader(KNOWN_SERVICES.get('github-git')?.headerValue ?? '', 'ghp_$&$1');
    expect(Buffer.from(filled.replace('Basic ', ''), 'base64').toString()).toBe('x-access-token:ghp_$&$1');
  });
});

describe('assignments', () => {
  it('are made by the name of a new secret alone, never by a new value', () => {
    const { assignments } = open();
    assignments.setSecret('anthropic', secret('1'), OWNER);
    expect(assignments.unassign('anthropic', null, OWNER)).toBe(true);
    expect(assignments.setSecret('anthropic', secret('2'), OWNER)).toMatchObject({ assignedTo: null });
    expect(assignments.list()).toEqual([]);
    expect(assignments.unassign('anthropic', null, OWNER)).toBe(false);
  });

  it('are refused for what is not there', () => {
    const { assignments, services, anna } = open();
    assignments.setSecret('github', secret('1'), OWNER);
    services.add({ ...OLLAMA, header: 'none' }, OWNER);
    const assign = (secretName: string, service: string) =>
      assignments.assign({ secretName, service, agentGroupId: anna }, OWNER);
    expect(assign('nothing', 'github')).toMatchObject({ code: 'secret_not_found' });
    expect(assign('github', 'nothing')).toMatchObject({ code: 'service_not_found' });
    expect(assign('github', 'ollama')).toMatchObject({ code: 'no_header' });
  });

  it('are in the ledger with what they replaced, by names', () => {
    const { assignments, ledger, anna } = open();
    assignments.setSecret('github', secret('sk-1'), OWNER);
    assignments.setSecret('other', secret('sk-2'), OWNER);
    assignments.assign({ secretName: 'other', service: 'github', agentGroupId: null }, OWNER);
    assignments.assign({ secretName: 'other', service: 'github', agentGroupId: anna }, OWNER);
    const entries = ledger.listAbout('other', 10).map(({ kind, detail }) => ({ kind, detail }));
    expect(entries).toEqual([
      { kind: 'secret.set', detail: { isNew: true } },
      { kind: 'secret.assigned', detail: { service: 'github', agent: null, before: 'github' } },
      { kind: 'secret.assigned', detail: { service: 'github', agent: anna, before: null } },
    ]);
  });
});

describe('a service of one’s own', () => {
  it.each([
    ['userinfo', { url: 'https://user:key@api.example.com/v1' }, 'bad_url'],
    ['a query', { url: 'https://api.example.com/v1?key=1' }, 'bad_url'],
    ['an empty query', { url: 'https://api.example.com/v1?' }, 'bad_url'],
    ['a fragment', { url: 'https://api.example.com/v1#x' }, 'bad_url'],
    ['another scheme', { url: 'file:///etc/passwd' }, 'bad_url'],
    ['a hidden slash', { url: 'https://api.example.com/%2e%2e/v1' }, 'bad_url'],
    ['plain HTTP', { url: 'http://api.example.com/v1' }, 'private_url'],
    ['a loopback address', { url: 'https://127.0.0.1/v1' }, 'private_url'],
    ['a loopback address in decimal', { url: 'https://2130706433/v1' }, 'private_url'],
    ['a mapped address', { url: 'https://[::ffff:10.0.0.1]/v1' }, 'private_url'],
    ['a name of this machine', { url: 'https://localhost/v1' }, 'private_url'],
    ['a name of this network', { url: 'https://vault.internal/v1' }, 'private_url'],
    ['a metadata address, whoever asks', { url: 'http://169.254.169.254/latest', isPrivate: true }, 'bad_url'],
    ['a public address without TLS, whoever asks', { url: 'http://8.8.8.8/v1', isPrivate: true }, 'private_url'],
    ['a header of the gateway’s', { header: 'Host: {}' }, 'bad_header'],
    ['a header without a place', { header: 'Authorization: Bearer sk-1' }, 'bad_header'],
    ['a header with two places', { header: 'Authorization: {} {}' }, 'bad_header'],
    ['a header of two lines', { header: 'Authorization: {}\r\nHost: other' }, 'bad_header'],
    ['a name with a slash', { name: '../x' }, 'bad_name'],
  ])('is refused with %s', (_what, change, code) => {
    const input = { name: 'mine', url: 'https://api.example.com/v1', api: null, header: null, isPrivate: false };
    expect(planService({ ...input, ...change })).toMatchObject({ kind: 'refused', code });
  });

  it('is kept in one form', () => {
    const plan = planService({ ...OLLAMA, url: 'http://LOCALHOST:11434/v1//', header: 'X-Key: k {}' });
    expect(plan).toMatchObject({
      service: { baseUrl: 'http://localhost:11434/v1', header: 'x-key', headerValue: 'k {}' },
    });
  });

  it('takes neither the name of a known one nor that of another', () => {
    const { services } = open();
    expect(services.add({ ...OLLAMA, name: 'anthropic' }, OWNER)).toMatchObject({ code: 'name_taken' });
    expect(services.add(OLLAMA, OWNER)).toMatchObject({ kind: 'added' });
    expect(services.add({ ...OLLAMA, url: 'http://127.0.0.1:1/v1' }, OWNER)).toMatchObject({ code: 'name_taken' });
    expect(services.get('ollama')?.baseUrl.href).toBe('http://127.0.0.1:11434/v1');
  });

  it('stays while an agent thinks through it or may reach it, and they are named', () => {
    const { db, services, anna, bert } = open();
    services.add(OLLAMA, OWNER);
    db.prepare("UPDATE container_configs SET service = 'ollama' WHERE agent_group_id = ?").run(anna);
    db.prepare(
      `INSERT INTO access_rules (id, agent_group_id, service, created_by, created_at) VALUES ('r', ?, 'ollama', 'x', 1)`,
    ).run(bert);
    const refused = services.remove('ollama', 1, OWNER);
    expect(refused).toMatchObject({ code: 'service_used' });
    expect(refused).toMatchObject({ why: 'The service "ollama" is used: anna thinks through it, bert may reach it.' });
    expect(services.remove('anthropic', 1, OWNER)).toMatchObject({ code: 'known_service' });
  });

  it('that comes back at another address gets no secret of the one before', () => {
    const { services, assignments, credentials, anna, get } = open();
    services.add(OLLAMA, OWNER);
    assignments.setSecret('ollama', secret('token'), OWNER);
    expect(services.remove('ollama', 1, OWNER)).toEqual({ kind: 'removed' });
    services.add({ ...OLLAMA, url: 'https://attacker.example.com/v1', isPrivate: false }, OWNER);
    expect(credentials.credentialFor(get('ollama'), anna).kind).toBe('missing');
    // Nor by a new value of that secret.
    assignments.setSecret('ollama', secret('token-2'), OWNER);
    expect(credentials.credentialFor(get('ollama'), anna).kind).toBe('missing');
  });

  it('stays what it is when a newer version knows its name', () => {
    const { db, services, assignments, credentials, anna, get } = open();
    services.add({ ...OLLAMA, name: 'mine' }, OWNER);
    // As if `github` had not been known when it was added.
    db.prepare("UPDATE services SET name = 'github' WHERE name = 'mine'").run();
    expect(get('github').baseUrl.href).toBe('http://127.0.0.1:11434/v1');
    expect(services.list().filter(({ name }) => name === 'github')).toMatchObject([{ isKnown: false }]);
    assignments.setSecret('github', secret('token'), OWNER);
    expect(services.remove('github', 1, OWNER)).toEqual({ kind: 'removed' });
    expect(get('github').baseUrl.href).toBe('https://api.github.com/');
    expect(credentials.credentialFor(get('github'), anna).kind).toBe('missing');
  });

  it('that changed meanwhile is not removed', () => {
    const { services } = open();
    services.add(OLLAMA, OWNER);
    expect(services.remove('ollama', 2, OWNER)).toEqual({ kind: 'stale' });
  });
});

it('known services have addresses with TLS, and names that rules take', () => {
  for (const [name, service] of KNOWN_SERVICES) {
    expect(service.baseUrl.protocol).toBe('https:');
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
    expect(service.headerValue).toMatch(/\{/);
  }
});
