/** Sockets that are not this session's: by path, by link, through /proc, without a path, and its own put elsewhere. */
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { EscapeReport, EscapeTask } from './main.ts';
import { codeOf, exchange, outcomes, tryConnect } from './wire.ts';

const OWN = '/workspace/in/gateway.sock';

export async function tryForeignSockets({ foreignSession, home }: EscapeTask): Promise<EscapeReport> {
  const foreign = join(foreignSession, 'in', 'gateway.sock');
  return {
    own: await tryConnect({ path: OWN }),
    'by path': await tryThroughLink(foreign),
    'by climbing': await tryThroughLink(`/workspace/in/${'../'.repeat(12)}${foreign.slice(1)}`),
    'through init': await tryThroughLink(`/proc/1/root${foreign}`),
    'through every process': await tryAllProcesses(foreign),
    'the api': await tryThroughLink(join(home, 'portolan.sock')),
    'the engine': await tryConnect({ path: '/var/run/docker.sock' }),
    abstract: listAbstract(),
    'abstract shim': await tryConnect({ path: '\0/containerd-shim/moby/shim.sock' }),
    'takes its own away': attempt(() => unlinkSync(OWN)),
    'renames its own': attempt(() => renameSync(OWN, '/workspace/in/other.sock')),
    'links its own': attempt(() => linkSync(OWN, '/workspace/out/linked.sock')),
    'listens in its place': await tryListen('/workspace/in/gateway.sock.making'),
    'says that it is another': await sayAnother(),
    'leaves sockets for the host': leaveSockets(),
  };
}

/** A socket's path has 107 bytes; a link is short wherever it leads. */
function tryThroughLink(path: string): Promise<string> {
  const link = join(mkdtempSync('/workspace/out/l'), 's');
  symlinkSync(path, link);
  return tryConnect({ path: link });
}

function attempt(what: () => void): string {
  try {
    what();
    return 'worked';
  } catch (error) {
    return codeOf(error);
  }
}

async function tryAllProcesses(path: string): Promise<string[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const tried = await Promise.all(
    pids.flatMap((pid) => ['root', 'cwd'].map((via) => tryThroughLink(`/proc/${pid}/${via}${path}`))),
  );
  return [...new Set(tried)].filter((word) => word === 'connected');
}

/** Abstract sockets belong to the network namespace. */
function listAbstract(): string[] {
  return [...readFileSync('/proc/net/unix', 'utf8').matchAll(/ (@\S+)$/gm)].map(([, name]) => name ?? '');
}

function tryListen(path: string): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(codeOf(error)));
    server.listen(path, () => server.close(() => resolve('worked')));
  });
}

/** Nothing in a request says who asks: these headers are words. */
async function sayAnother(): Promise<string[]> {
  const heard = await exchange(
    { path: OWN },
    [
      'GET /https/only-honest.example.com/ HTTP/1.1',
      'Host: 127.0.0.1',
      'X-Portolan-Session: ses_00000000000000000000',
      'X-Forwarded-For: 127.0.0.1',
      'Forwarded: for=127.0.0.1',
      'Connection: close\r\n\r\n',
    ].join('\r\n'),
  );
  return outcomes(heard);
}

/** What the host reads, measures and puts away must cope with them. */
function leaveSockets(): string {
  for (const folder of ['/workspace/out', '/workspace/state', '/workspace/agent']) {
    mkdirSync(join(folder, 'left'), { recursive: true });
    createServer().listen(join(folder, 'left', 'here.sock'));
  }
  return 'left';
}
