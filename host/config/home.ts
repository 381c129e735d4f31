/**
 * Everything the host keeps lives under one folder, `PORTOLAN_HOME`:
 *
 *   <home>/                0700
 *     central.db           the central database
 *     host.lock            one host per home
 *     portolan.sock        the API for this machine's owner, 0600
 *     api-token            the API's bearer token for scripts, 0600
 *     vault.key            what opens the secrets in central.db, 0600; or
 *     vault.json           the same, closed with a passphrase, 0600
 *     sessions/ groups/ logs/ uploads/ held/ channels/ processes/ probes/
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellWord } from '../../shared/shell-word.ts';
import { Fault } from './errors.ts';

export interface HomePaths {
  home: string;
  centralDb: string;
  lock: string;
  socket: string;
  apiToken: string;
  vaultKey: string;
  /** The key, closed with a passphrase. */
  vaultLock: string;
  sessions: string;
  groups: string;
  logs: string;
  logFile: string;
  /** Logs of image builds. */
  buildLogs: string;
  uploads: string;
  /** Files of messages that wait for an admin. */
  held: string;
  channels: string;
  /** What calls that test an agent's model need while they run. */
  probes: string;
}

export function homePaths(home: string): HomePaths {
  return {
    home,
    centralDb: join(home, 'central.db'),
    lock: join(home, 'host.lock'),
    socket: join(home, 'portolan.sock'),
    apiToken: join(home, 'api-token'),
    vaultKey: join(home, 'vault.key'),
    vaultLock: join(home, 'vault.json'),
    sessions: join(home, 'sessions'),
    groups: join(home, 'groups'),
    logs: join(home, 'logs'),
    logFile: join(home, 'logs', 'host.log'),
    buildLogs: join(home, 'logs', 'builds'),
    uploads: join(home, 'uploads'),
    held: join(home, 'held'),
    channels: join(home, 'channels'),
    probes: join(home, 'probes'),
  };
}

/** Longest path a Unix socket may have on Linux (108 bytes with the closing zero). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Creates the folders that are missing, closed to others. Throws Fault `home_unusable`. */
export function prepareHome(home: string): HomePaths {
  const paths = homePaths(resolve(home));
  if (Buffer.byteLength(paths.socket) > MAX_SOCKET_PATH_BYTES) {
    throw new Fault('home_unusable', `the path of PORTOLAN_HOME is too long for a Unix socket: ${paths.socket}`, {
      hint: 'choose a shorter PORTOLAN_HOME, at most 93 bytes',
    });
  }
  try {
    for (const folder of [
      paths.home,
      paths.sessions,
      paths.groups,
      paths.logs,
      paths.buildLogs,
      paths.uploads,
      paths.held,
      paths.channels,
      paths.probes,
    ]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new Fault('home_unusable', `cannot create ${paths.home}`, {
      cause,
      hint: 'set PORTOLAN_HOME to a folder that you may write',
    });
  }
  return paths;
}

/** The project's root: the nearest folder above this file that holds `migrations/`. Works from source and from dist/. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'migrations', 'central'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('cannot find the folder migrations/ above the program');
    folder = parent;
  }
  return folder;
}

/** `portolan` where a command begins, with a subcommand behind it: not in "run portolan as the user". */
const PORTOLAN_COMMAND = /(?:^|[;|&(`:] ?|\$ |npx |' )portolan (?=[a-z])(?!as )/g;

/** A hint's commands for this home: in another terminal its variables are not set. */
export function commandsFor(home: string, hint: string): string {
  if (home === join(projectRoot(), 'data')) return hint;
  const word = shellWord(home);
  return hint
    .replace(PORTOLAN_COMMAND, (command) => `${command}--home ${word} `)
    .replace(/((?:PORTOLAN_\w+=\S+ )*)npm run up/g, (command) => `PORTOLAN_HOME=${word} ${command}`);
}

/** Reads a small text file, null when it does not exist. */
export function readTextIfPresent(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** Writes a file that only its owner may read. */
export function writeSecretFile(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
