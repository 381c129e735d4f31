/**
 * One host per home. The lock is a row lock of the operating system on `host.lock` (through SQLite's own
 * exclusive lock), so that it ends with its process however that ends: no stale lock, no guessing at pids.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { errorCode, Fault } from './errors.ts';

export interface HomeLock extends Disposable {}

/** Throws Fault `home_in_use`. */
export function lockHome(path: string): HomeLock {
  const db = new Database(path, { timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE');
    writeFileSync(`${path}.pid`, `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    db.close();
    if (errorCode(error) !== 'SQLITE_BUSY') throw error;
    throw new Fault('home_in_use', `another host (pid ${readPid(path)}) runs on this home`, {
      hint: 'npx portolan stop, or set another PORTOLAN_HOME and PORTOLAN_PORT',
    });
  }
  return {
    [Symbol.dispose]() {
      db.close();
    },
  };
}

function readPid(path: string): string {
  try {
    return readFileSync(`${path}.pid`, 'utf8').trim();
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return 'unknown';
  }
}
