/**
 * Runs inside a real container, beside the real runner, as a program that an agent would write. Tries one sort of
 * escape, and writes what came of each attempt to report.json: the test judges. What an agent starts is ended after
 * 20 s, which a busy machine needs: it leaves the group of who started it, and tries then.
 */
import { spawn } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tryFloods } from './floods.ts';
import { tryForeignSockets } from './foreign-sockets.ts';
import { lookForSecrets } from './secrets.ts';
import { trySockets } from './sockets.ts';
import { tryGateway } from './through-gateway.ts';

export interface EscapeTask {
  /** Of the host, where something listens that nobody may reach. */
  innerPort: number;
  /** Where a server listens that a rule allows. */
  openPort: number;
  /** Where a server listens that takes tunnels. */
  tunnelPort: number;
  /** The host's own API. */
  apiPort: number;
  /** Addresses of the host on its networks. */
  hostAddresses: string[];
  /** The folder of another agent's session, as the host sees it; its socket is open. */
  foreignSession: string;
  foreignMessage: string;
  home: string;
  /** What must be nowhere; written backwards, so that the task itself does not hold it. */
  secrets: string[];
}

/** What came of each attempt, by its name. */
export type EscapeReport = Record<string, unknown>;

const TRIES: Record<string, (task: EscapeTask) => Promise<EscapeReport>> = {
  sockets: trySockets,
  'foreign-sockets': tryForeignSockets,
  gateway: tryGateway,
  secrets: lookForSecrets,
  floods: tryFloods,
};

const REPORT = '/workspace/agent/report.json';
const [program = '', sort = '', isAlone] = process.argv.slice(1);
const attempt = TRIES[sort];
if (attempt === undefined) throw new Error(`no attempts of the sort ${sort}`);
if (isAlone === undefined) {
  spawn(process.execPath, [program, sort, 'alone'], { detached: true, stdio: 'ignore' }).unref();
  console.log(`tries: ${sort}`);
} else {
  // Written by the test.
  const task = JSON.parse(readFileSync('/workspace/agent/task.json', 'utf8')) as EscapeTask;
  writeFileSync(`${REPORT}.part`, JSON.stringify(await attempt(task)));
  renameSync(`${REPORT}.part`, REPORT);
}
process.exit(0);
