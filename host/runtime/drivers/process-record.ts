/**
 * What the process driver knows of a run, on disk, so that a later host finds it:
 *
 *   <home>/processes/<sessionId>.json   the record, made before the process and replaced atomically
 *   <home>/processes/<sessionId>.log    what the newest run printed
 *
 * I1. The record is made with O_EXCL: it is what makes a second start of a session conflict.
 * I2. A process is its pid plus its start time in clock ticks: a reused pid is another process.
 */
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type ContainerId, parseContainerId, parseId, type SessionId } from '../../../shared/ids.ts';
import { errorCode } from '../../config/errors.ts';
import { DriverFault } from './driver.ts';

const recordSchema = z.object({
  version: z.literal(1),
  sessionId: z.string().transform((text, context) => {
    const id = parseId('session', text);
    if (id !== null) return id;
    context.addIssue({ code: 'custom', message: 'not a session id' });
    return z.NEVER;
  }),
  installId: z.string(),
  epoch: z.number().int(),
  configVersion: z.number().int(),
  image: z.string(),
  startedAtMs: z.number(),
  /** Null between the making of the record and of the process. */
  process: z.object({ pid: z.number().int().positive(), startTicks: z.string() }).nullable(),
  /** Null while it runs, and when nobody saw it end. */
  exit: z.object({ code: z.number().int() }).nullable(),
});
export type ProcessRecord = z.infer<typeof recordSchema>;

export class ProcessRecords {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  logPath(sessionId: SessionId): string {
    return join(this.#folder, `${sessionId}.log`);
  }

  /** Throws DriverFault `name-conflict` when the session has one (I1). */
  create(record: ProcessRecord): void {
    try {
      writeFileSync(this.#path(record.sessionId), JSON.stringify(record), { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      if (this.read(record.sessionId) === null) {
        // Torn: its host died while writing it, before there was a process.
        this.replace(record);
        return;
      }
      throw new DriverFault('name-conflict', 'a process of this session exists', { cause: error });
    }
  }

  replace(record: ProcessRecord): void {
    const path = this.#path(record.sessionId);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  /** Null when there is none, or none that can be read: a torn record is of a start that never finished. */
  read(sessionId: SessionId): ProcessRecord | null {
    let text: string;
    try {
      text = readFileSync(this.#path(sessionId), 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw error;
    }
    return parseRecord(text);
  }

  /** The record of exactly this run. */
  readRun(id: ContainerId): ProcessRecord | null {
    const sessionId = parseId('session', id.split('.')[0] ?? '');
    const record = sessionId === null ? null : this.read(sessionId);
    return record !== null && runId(record) === id ? record : null;
  }

  list(installId: string): ProcessRecord[] {
    const sessionIds = readdirSync(this.#folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => parseId('session', name.slice(0, -'.json'.length)) ?? []);
    return sessionIds.flatMap((id) => this.read(id) ?? []).filter((record) => record.installId === installId);
  }

  remove(sessionId: SessionId): void {
    rmSync(this.#path(sessionId), { force: true });
    rmSync(this.logPath(sessionId), { force: true });
  }

  #path(sessionId: SessionId): string {
    return join(this.#folder, `${sessionId}.json`);
  }
}

/** Names one run: the pid keeps two starts of one epoch apart. */
export function runId(record: ProcessRecord): ContainerId {
  const id = parseContainerId(`${record.sessionId}.${record.epoch}.${record.process?.pid ?? 0}`);
  if (id === null) throw new Error('a session id is always part of a container id');
  return id;
}

function parseRecord(text: string): ProcessRecord | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const parsed = recordSchema.safeParse(json);
  return parsed.success ? parsed.data : null;
}

export interface ProcessStat {
  /** R, S, D, T (stopped), Z (dead, not yet collected)… */
  state: string;
  startTicks: string;
}

/** Null when no process has this pid. Source: proc(5); the program's name may hold spaces and brackets. */
export function readProcessStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return null;
    throw error;
  }
  // Fields from the third on; the start time is field 22.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? null : { state, startTicks };
}
