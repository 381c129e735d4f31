/** Credentials, wherever a program could look for them. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EscapeReport, EscapeTask } from './main.ts';
import { codeOf, exchange, gatewayPort, outcomes } from './wire.ts';

/** Folders of files that are the image's alone take long and hold nothing of this host. */
const FOLDERS = ['/workspace', '/tmp', '/run', '/etc', '/app', '/root', '/home', '/var/lib', '/var/run', '/dev/shm'];
const MAX_FILE_BYTES = 8 * 2 ** 20;
const MAX_FILES = 20_000;

export async function lookForSecrets({ secrets: backwards, foreignMessage }: EscapeTask): Promise<EscapeReport> {
  const secrets = backwards.map((text) => [...text].reverse().join(''));
  const echo = (path: string, ...headers: string[]) =>
    exchange(
      gatewayPort(),
      [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, 'Connection: close\r\n\r\n'].join('\r\n'),
    );
  const answers = {
    // Its server sends all that it was sent back: as headers and as a body, plain, and in Base64.
    echoed: await echo('/service/reflector/echo'),
    'echoed in base64': await echo('/service/reflector/echo-base64'),
    'echoed in a header': await echo('/service/reflector/echo-header'),
    'echoed by halves': await echo('/service/reflector/echo-slowly'),
    'asked for compressed': await echo('/service/reflector/echo', 'Accept-Encoding: gzip, br'),
    'asked for a part': await echo('/service/reflector/echo', 'Range: bytes=0-'),
    'on behalf of another': await echo(`/for/${foreignMessage}/service/reflector/echo`),
    refused: await echo('/service/github/user'),
  };
  const told = Object.fromEntries(
    Object.entries(answers).map(([name, heard]) => [name, [...outcomes(heard), ...find(heard, secrets)]]),
  );
  return {
    environment: find(JSON.stringify(process.env), secrets),
    'names in the environment': Object.keys(process.env).filter((name) => /KEY|TOKEN|SECRET|PASS|CRED/i.test(name)),
    'environments of processes': readProc('environ', secrets),
    'arguments of processes': readProc('cmdline', secrets),
    'memory of processes': readMemories(secrets),
    files: readFiles(secrets),
    ...told,
  };
}

function find(text: string, secrets: readonly string[]): string[] {
  return secrets.filter((secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString('base64')));
}

function readProc(file: string, secrets: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => find(readQuietly(`/proc/${pid}/${file}`), secrets));
}

/** Of the runner, which has the same uid: it must not hold what is secret in the first place. */
function readMemories(secrets: readonly string[]): string[] {
  const found = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid))) {
    for (const [, from = '', to = ''] of readQuietly(`/proc/${pid}/maps`).matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      const text = readMemory(`/proc/${pid}/mem`, Number.parseInt(from, 16), Number.parseInt(to, 16));
      for (const secret of find(text, secrets)) found.add(secret);
    }
  }
  return [...found];
}

function readMemory(path: string, from: number, to: number): string {
  const buffer = Buffer.alloc(Math.min(to - from, 64 * 2 ** 20));
  try {
    const file = openSync(path, 'r');
    try {
      return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, from));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    return codeOf(error);
  }
}

function readFiles(secrets: readonly string[]): string[] {
  const found: string[] = [];
  let left = MAX_FILES;
  const walk = (folder: string): void => {
    for (const entry of list(folder)) {
      const path = join(folder, entry);
      if (left-- < 0) return;
      const stats = statQuietly(path);
      if (stats?.isDirectory() === true) walk(path);
      else if (stats?.isFile() === true && stats.size <= MAX_FILE_BYTES) {
        if (find(readQuietly(path), secrets).length > 0) found.push(path);
      }
    }
  };
  for (const folder of FOLDERS) walk(folder);
  return found;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    return codeOf(error) === '' ? [] : [];
  }
}

function statQuietly(path: string) {
  return statSync(path, { throwIfNoEntry: false });
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    return codeOf(error);
  }
}
