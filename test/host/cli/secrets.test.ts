/** Secrets, services and the vault from the command line, against the real API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readSecretly } from '../../../host/cli/prompt-secret.ts';
import { projectRoot } from '../../../host/config/home.ts';
import { SecretStore } from '../../../host/store/secrets.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import { Vault } from '../../../host/vault/vault.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { portolan, type Run, type RunOptions } from './support/run.ts';

const GITHUB = { name: 'github', baseUrl: new URL('https://api.github.com'), isModel: false, isPrivate: false };
const VALUE = 'sk-never-seen-again';
const PASSPHRASE = 'five words of a passphrase';

function run(api: ApiFixture, words: string[], options?: RunOptions): Promise<Run> {
  return portolan(api.spine.home, words, options);
}

function use(api: ApiFixture, provider: string, service: string | null): void {
  api.spine.db
    .prepare('UPDATE container_configs SET provider = ?, service = ? WHERE agent_group_id = ?')
    .run(provider, service, api.agent.id);
}

describe('portolan secrets', () => {
  it('set: one command for a stranger with ten minutes, and what to type next', async () => {
    const api = await startApi();
    const { out, err, code } = await run(api, ['secrets', 'set', 'anthropic'], { stdin: `${VALUE}\n` });
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toBe(
      [
        '✓ The secret anthropic is set.',
        '  Requests of all agents for the service anthropic get it from now on.',
        '',
        'Next, type:',
        '  portolan provider set main claude',
        '',
      ].join('\n'),
    );
    use(api, 'claude', null);
    const again = await run(api, ['secrets', 'set', 'anthropic'], { stdin: 'sk-new' });
    expect(again.out).toBe(
      '✓ The secret anthropic has a new value.\n  From the next request on: anthropic.\n\nNext, type:\n  portolan provider test main\n',
    );
    const reveal = api.vault.reveal('anthropic');
    expect(reveal.kind === 'open' && reveal.value.reveal()).toBe('sk-new');
  });

  it('set: what a service is for decides what is next; where an agent may reach it already, nothing', async () => {
    const api = await startApi();
    api.spine.namedServices.set('github', GITHUB);
    expect((await run(api, ['secrets', 'set', 'github'], { stdin: VALUE })).out).toContain(
      'portolan access allow main github',
    );
    expect((await run(api, ['access', 'allow', 'main', 'github'])).code).toBe(0);
    const again = await run(api, ['secrets', 'set', 'github'], { stdin: 'ghp-new' });
    expect(again.out).toBe('✓ The secret github has a new value.\n  From the next request on: github.\n');
  });

  it.each([
    [['anthropic', VALUE]],
    [['anthropic', '--value', VALUE]],
    [['anthropic', `--value=${VALUE}`]],
    [[`anthropic=${VALUE}`]],
    [[`ANTHROPIC:${VALUE}`]],
    [[VALUE.toUpperCase()]],
  ])('set: a value among the words is refused without being repeated (%#)', async (words) => {
    const api = await startApi();
    for (const more of [[], ['--json']]) {
      const { out, err, code } = await run(api, ['secrets', 'set', ...words, ...more], { stdin: 'x' });
      expect(code).toBe(2);
      expect(out + err).toContain('secrets set');
      expect(`${out}${err}`.toLowerCase()).not.toContain('never-seen');
    }
    expect(api.vault.list()).toEqual([]);
  });

  it('set: nothing on stdin is no value', async () => {
    const api = await startApi();
    const { err, code } = await run(api, ['secrets', 'set', 'anthropic'], { stdin: '\n' });
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('The value is empty.') });
  });

  it('list: names, where they go and who uses them, and nothing of the values', async () => {
    const api = await startApi();
    expect((await run(api, ['secrets'])).out).toContain('portolan secrets set anthropic');
    await run(api, ['secrets', 'set', 'anthropic'], { stdin: VALUE });
    await run(api, ['secrets', 'set', 'mine'], { stdin: VALUE });
    use(api, 'claude', null);
    const { out } = await run(api, ['secrets', 'list'], { columns: 80 });
    expect(out).toMatch(/anthropic +anthropic +main/);
    expect(out).toMatch(/mine +nothing yet +–/);
    const json = await run(api, ['secrets', '--json']);
    expect(JSON.parse(json.out).items).toHaveLength(2);
    expect(out + json.out).not.toMatch(/sk-|never|\b19\b/);
  });

  it('assign and unassign: for one agent, with how to undo it', async () => {
    const api = await startApi();
    await run(api, ['secrets', 'set', 'mains-key'], { stdin: VALUE });
    const assigned = await run(api, ['secrets', 'assign', 'mains-key', '--service', 'anthropic', '--agent', 'main']);
    expect(assigned.out).toBe(
      '✓ Requests of main for anthropic get mains-key from now on.\nTo undo: portolan secrets unassign anthropic --agent main\n',
    );
    expect((await run(api, ['secrets', 'assign', 'mains-key'])).err).toContain('--service <service>');
    expect((await run(api, ['secrets', 'assign', 'mains-key', '--service', 'nothing'])).code).toBe(4);
    expect((await run(api, ['secrets', 'unassign', 'anthropic', '--agent', 'main'])).code).toBe(0);
    expect((await run(api, ['secrets', 'unassign', 'anthropic', '--agent', 'main'])).code).toBe(4);
  });

  it('remove: says what stops working, and asks', async () => {
    const api = await startApi();
    await run(api, ['secrets', 'set', 'anthropic'], { stdin: VALUE });
    use(api, 'claude', null);
    const refused = await run(api, ['secrets', 'remove', 'anthropic']);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('secrets remove anthropic --yes') });
    const asked = await run(api, ['secrets', 'remove', 'anthropic'], { stdin: 'n\n', isStdinInteractive: true });
    expect(asked.err).toContain(
      'anthropic will get nothing. main cannot think without it. Remove the secret anthropic?',
    );
    expect(asked.code).toBe(5);
    expect((await run(api, ['secrets', 'remove', 'anthropic', '--yes'])).code).toBe(0);
    expect((await run(api, ['secrets', 'remove', 'anthropic', '--yes'])).code).toBe(4);
  });

  it('passphrase, unlock and rotate-key: from a file, a prompt or a pipe', async () => {
    const api = await startApi();
    await run(api, ['secrets', 'set', 'anthropic'], { stdin: VALUE });
    expect((await run(api, ['secrets', 'rotate-key'])).out).toContain('Every secret is sealed with a new key');
    expect((await run(api, ['secrets', 'passphrase'], { stdin: 'short' })).code).toBe(2);
    const closed = await run(api, ['secrets', 'passphrase'], { stdin: PASSPHRASE });
    expect(closed.out).toContain('portolan secrets unlock');
    expect(existsSync(api.spine.home.vaultKey)).toBe(false);
    const file = join(api.spine.home.home, 'passphrase');
    writeFileSync(file, `${PASSPHRASE}\n`, { mode: 0o644 });
    chmodSync(file, 0o644);
    const env = { PORTOLAN_VAULT_PASSPHRASE_FILE: file };
    const open = await run(api, ['secrets', 'rotate-key'], { env });
    expect(open).toMatchObject({ code: 1, err: expect.stringContaining(`chmod 600 ${file}`) });
    chmodSync(file, 0o600);
    expect((await run(api, ['secrets', 'rotate-key'], { env })).code).toBe(0);
    const unlocked = await run(api, ['secrets', 'unlock']);
    expect(unlocked).toMatchObject({ code: 0, out: expect.stringContaining('The vault is open') });
    expect((await run(api, ['secrets', 'lock'])).out).toContain('portolan secrets unlock');
    expect(api.vault.state.kind).toBe('locked');
    expect((await run(api, ['secrets', 'unlock'], { stdin: PASSPHRASE })).code).toBe(0);
    expect((await run(api, ['secrets', 'passphrase', '--remove'])).code).toBe(2);
    expect((await run(api, ['secrets', 'passphrase', '--remove', '--yes'])).code).toBe(0);
    const lock = await run(api, ['secrets', 'lock']);
    expect(lock).toMatchObject({ code: 5, err: expect.stringContaining('secrets passphrase') });
    chmodSync(api.spine.home.vaultKey, 0o640);
    const unusable = await run(api, ['secrets', 'unlock']);
    expect(unusable).toMatchObject({ code: 5, err: expect.stringContaining('chmod 600') });
  });

  it('against a locked vault: unlock with a wrong passphrase, then with the right one', async () => {
    const api = await startApi();
    // As an earlier host left it.
    const { spine } = api;
    const { ledger, commit, now, home: paths } = spine;
    const earlier = new Vault({ secrets: new SecretStore(spine.db), ledger, commit, paths, environment: [], now });
    await earlier.setPassphrase(SecretValue.ofPassphrase(PASSPHRASE), 'web:owner');
    api.vault.open();
    expect((await run(api, ['status'])).out).toContain('portolan secrets unlock');
    const set = await run(api, ['secrets', 'set', 'github'], { stdin: 'x', isStdinInteractive: true });
    expect(set).toMatchObject({ code: 5, err: expect.stringContaining('secrets unlock') });
    // Nobody is asked for a value that cannot be kept.
    expect(set.out + set.err).not.toContain('The value of');
    const wrong = await run(api, ['secrets', 'unlock'], { stdin: 'not that one' });
    expect(wrong).toMatchObject({ code: 5, err: expect.stringContaining('That is not the passphrase.') });
    const early = await run(api, ['secrets', 'unlock'], { stdin: PASSPHRASE });
    expect(early).toMatchObject({ code: 5, err: expect.stringContaining('wait') });
    const later = api.spine.now() + 2_000;
    api.spine.now = () => later;
    expect(await run(api, ['secrets', 'unlock'], { stdin: PASSPHRASE })).toMatchObject({ code: 0, err: '' });
  });
});

describe('portolan services', () => {
  it('list, add, remove', async () => {
    const api = await startApi();
    const listed = await run(api, ['services'], { columns: 80 });
    expect(listed.out).toMatch(/anthropic +anthropic API +no +https:\/\/api\.anthropic\.com/);
    const words = ['services', 'add', 'ollama', '--url', 'http://127.0.0.1:11434/v1', '--api', 'openai'];
    const refused = await run(api, words);
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('--private') });
    const added = await run(api, [...words, '--private']);
    expect(added.out).toContain('portolan provider set main openai --service ollama --model');
    use(api, 'openai', 'ollama');
    const used = await run(api, ['services', 'remove', 'ollama', '--yes']);
    expect(used).toMatchObject({ code: 5, err: expect.stringContaining('main thinks through it') });
    use(api, 'demo', null);
    expect((await run(api, ['services', 'remove', 'ollama', '--yes'])).code).toBe(0);
    expect((await run(api, ['services', 'remove', 'ollama', '--yes'])).code).toBe(4);
    expect((await run(api, ['services', 'add', 'x', '--url', 'https://x.example.com', '--api', 'grpc'])).code).toBe(2);
    expect((await run(api, ['services', 'add', 'x'])).code).toBe(2);
  });
});

describe('a prompt that shows nothing', () => {
  function makePrompt() {
    const shown: string[] = [];
    const modes: boolean[] = [];
    const stdin = Object.assign(new PassThrough(), { setRawMode: (isRaw: boolean) => void modes.push(isRaw) });
    const stderr = new PassThrough().setEncoding('utf8').on('data', (text: string) => void shown.push(text));
    const interrupted = new AbortController();
    const terminal = { stdin, stderr, isStdinInteractive: true, interrupted: interrupted.signal };
    const answer = readSecretly({ terminal } as unknown as Parameters<typeof readSecretly>[0], 'The value:');
    return { shown, modes, stdin, interrupted, answer };
  }

  it('takes one line, with corrections, and drops what was pasted behind it', async () => {
    const { stdin, answer, modes, shown } = makePrompt();
    stdin.write('wrong\u0015sk-é');
    stdin.write('xy\u007f\u007f-1\rrm -rf /\r');
    expect(await answer).toBe('sk-é-1');
    expect(modes).toEqual([true, false]);
    expect(shown.join('')).toBe('The value: \n');
  });

  it.each([['Ctrl+C', '\u0003']])('ends at %s, with the terminal as it was', async (_what, key) => {
    const { stdin, answer, modes } = makePrompt();
    stdin.write(`sk-1${key}`);
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    expect(modes).toEqual([true, false]);
  });

  it('ends when the command is interrupted', async () => {
    const { interrupted, answer, modes } = makePrompt();
    interrupted.abort();
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' });
    expect(modes).toEqual([true, false]);
  });

  it('on a real terminal', async () => {
    const api = await startApi();
    const program = join(projectRoot(), 'dist', 'cli.mjs');
    const command = `${process.execPath} ${program} --home ${api.spine.home.home} secrets set anthropic`;
    const child = await runOnTerminal(command, `${VALUE}\r`);
    expect(child).toContain('The secret anthropic is set.');
    expect(child).not.toContain('never-seen');
    const reveal = api.vault.reveal('anthropic');
    expect(reveal.kind === 'open' && reveal.value.reveal()).toBe(VALUE);
  });
});

/** What a person sees who types `keys` at the prompt. */
async function runOnTerminal(command: string, keys: string): Promise<string> {
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let seen = '';
  let hasTyped = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    seen += text;
    if (hasTyped || !seen.includes('not shown')) return;
    hasTyped = true;
    child.stdin.write(keys);
  });
  await once(child, 'close');
  return seen;
}
