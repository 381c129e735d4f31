/**
 * Every statement boundary of a host process, numbered and named, so that a test can end the process at
 * any of them, at once or in order: SQL that writes, changes of the file system, steps of the container driver, the
 * host's own failpoints, and calls of a platform. Installed by the hosted program, never by a real host.
 *
 * A boundary stands before and after its action: between two actions there are two of them, which differ
 * when something else in the process (a timer, an answer) comes in between.
 */

import { writeSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import Database from 'better-sqlite3';
import { installFailpointHook } from '../../../host/observe/failpoint.ts';
import { DockerDriver } from '../../../host/runtime/drivers/docker.ts';
import { ProcessDriver } from '../../../host/runtime/drivers/process.ts';
import type { EndPlan } from './protocol.ts';

const load = createRequire(import.meta.url);

export class Boundaries {
  #end: EndPlan | null;
  readonly #counts = new Map<string, number>();
  #total = 0;

  constructor(end: EndPlan | null) {
    this.#end = end;
  }

  /** How often each boundary was reached since the start. */
  get census(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /** The process is here. Does not return from SIGKILL; of another signal the process hears in its next turn. */
  at(name: string): void {
    const times = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, times);
    this.#total++;
    const end = this.#end;
    if (end === null) return;
    const isHere = end.kind === 'named' ? end.name === name && end.nth === times : end.nth === this.#total;
    if (!isHere) return;
    writeSync(1, `${end.signal} at ${name} (${times})\n`);
    process.kill(process.pid, end.signal);
  }

  /** The process is ending already: boundaries on its way are not where that began. */
  disarm(): void {
    this.#end = null;
  }

  install(): void {
    installFailpointHook((name) => this.at(`failpoint ${name}`));
    this.#wrapSql();
    this.#wrapFiles();
    for (const driver of [ProcessDriver.prototype, DockerDriver.prototype]) this.#wrapDriver(driver);
  }

  #wrapSql(): void {
    const probe = new Database(':memory:');
    const statement: object = Object.getPrototypeOf(probe.prepare('SELECT 1'));
    probe.close();
    const nameOf = (self: unknown) => {
      // Called with a better-sqlite3 statement as `this`: it knows its text and its database.
      const { source, database, readonly } = self as Database.Statement;
      const isWrite = !readonly || /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/.test(source);
      return isWrite ? `sql ${shorten(database.name)} ${source.replace(/\s+/g, ' ').slice(0, 60)}` : null;
    };
    for (const method of ['run', 'get', 'all']) this.#wrap(statement, method, nameOf);
    this.#wrap(Database.prototype, 'exec', (self, [sql]) => {
      const text = String(sql)
        .replace(/--.*\n/g, '')
        .replace(/\s+/g, ' ')
        .trim();
      return `sql ${shorten((self as Database.Database).name)} ${text.slice(0, 60)}`;
    });
    this.#wrap(Database.prototype, 'pragma', (self, [text]) => {
      return `sql ${shorten((self as Database.Database).name)} PRAGMA ${String(text)}`;
    });
  }

  #wrapFiles(): void {
    const sync = load('node:fs');
    for (const method of FILE_CHANGES) {
      const name = (_self: unknown, [path, other]: unknown[]) =>
        `file ${method} ${shorten(method === 'rename' ? other : path)}`;
      this.#wrap(sync, `${method}Sync`, name);
      if (method in sync.promises) this.#wrap(sync.promises, method, name);
    }
    syncBuiltinESMExports();
  }

  #wrapDriver(prototype: object): void {
    for (const method of ['start', 'pause', 'resume', 'stop', 'kill', 'remove', 'recover']) {
      this.#wrap(prototype, method, () => `driver ${method}`);
    }
  }

  /** Puts boundaries around a method; around the whole of it when it answers with a promise. */
  #wrap(owner: object, method: string, nameOf: (self: unknown, args: unknown[]) => string | null): void {
    const boundaries = this;
    const original: unknown = Reflect.get(owner, method);
    if (typeof original !== 'function') throw new Error(`nothing to wrap: ${method}`);
    function wrapped(this: unknown, ...args: unknown[]): unknown {
      const name = nameOf(this, args);
      if (name === null) return Reflect.apply(original as () => unknown, this, args);
      boundaries.at(`before ${name}`);
      const result: unknown = Reflect.apply(original as () => unknown, this, args);
      if (!(result instanceof Promise)) {
        boundaries.at(`after ${name}`);
        return result;
      }
      return result.finally(() => boundaries.at(`after ${name}`));
    }
    Object.defineProperty(owner, method, { value: wrapped, writable: true, configurable: true });
  }
}

/** Methods of `fs` that change something, without their `Sync`. */
const FILE_CHANGES = ['mkdir', 'rename', 'writeFile', 'chown', 'chmod', 'rm', 'utimes', 'copyFile', 'cp'] as const;

/** The last two parts of a path, ids, descriptors and random parts left out: the same place has the same name in every run. */
function shorten(path: unknown): string {
  return String(path)
    .split('/')
    .slice(-2)
    .join('/')
    .replace(/^\d+\//, 'fd/')
    .replace(/[a-z]{2,4}_[0-9a-z]{20}/g, '#')
    .replace(/portolan-crash-\w+/, '');
}
