/** Safe kill: half a commit, left by a killed container, is rolled back by a throwaway one and never by the host. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, describe, expect, test } from 'vitest';
import { DockerDriver } from '../../../host/runtime/drivers/docker.ts';
import type { ContainerDriver } from '../../../host/runtime/drivers/driver.ts';
import { ProcessDriver } from '../../../host/runtime/drivers/process.ts';
import { type InstallId, makeId } from '../../../shared/ids.ts';
import { FILE_NAMES, WRITER_PRAGMAS } from '../../../shared/session-files.ts';
import { OUTBOUND_SCHEMA } from '../../../shared/session-schema.ts';
import { agentImage } from '../../support/image.ts';
import { makeSilentLog } from './silent-log.ts';
import { makeWorkspace, TEST_USER, type Workspace } from './workspace.ts';

/** Writes pages of a transaction into the database file, and dies. */
const DIE_IN_COMMIT = `const Database = require('better-sqlite3');
const db = new Database(process.argv[1]);
db.pragma('cache_size = 1'); db.pragma('cache_spill = 1');
db.exec('BEGIN');
const insert = db.prepare("INSERT INTO runner_state VALUES (?, json_quote(?), 1)");
for (let row = 0; row < 200; row++) insert.run('key' + row, 'x'.repeat(2000));
process.kill(process.pid, 'SIGKILL');`;

function makeHalfCommitted(out: string): string {
  const path = join(out, FILE_NAMES.outboundDb);
  const db = new Database(path);
  for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
  for (const statement of OUTBOUND_SCHEMA) db.exec(statement);
  db.prepare('INSERT INTO runner_state VALUES (?, ?, ?)').run('hello', '{}', 1);
  db.close();
  spawnSync(process.execPath, ['-e', DIE_IN_COMMIT, path], { stdio: 'inherit' });
  for (const name of readdirSync(out)) chownSync(join(out, name), TEST_USER.uid, TEST_USER.gid);
  return path;
}

function readOnly(path: string): unknown {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    return db.prepare('SELECT count(*) AS n FROM runner_state').get();
  } finally {
    db.close();
  }
}

const DRIVERS: [string, string, (installId: InstallId, workspace: Workspace) => ContainerDriver][] = [
  ['process', 'none', (installId, { folder }) => new ProcessDriver({ installId, home: folder, runnerPath: '' })],
  ['docker', agentImage(), (installId) => new DockerDriver({ installId, log: makeSilentLog() })],
];

describe.each(DRIVERS)('the %s driver', (_name, image, openDriver) => {
  const workspaces: Workspace[] = [];
  afterEach(() => {
    for (const workspace of workspaces.splice(0)) workspace.remove();
  });
  const prepare = () => {
    const workspace = makeWorkspace();
    workspaces.push(workspace);
    const installId = makeId('install');
    const driver = openDriver(installId, workspace);
    return { driver, spec: workspace.makeSpec(installId, image, [process.execPath, '-e', '']) };
  };

  test('rolls half a commit back, and leaves nothing running', async () => {
    const { driver, spec } = prepare();
    const path = makeHalfCommitted(spec.mounts.out);
    expect(() => readOnly(path)).toThrow(expect.objectContaining({ code: 'SQLITE_READONLY_ROLLBACK' }));
    await driver.recover(spec);
    expect(readOnly(path)).toEqual({ n: 1 });
    expect(existsSync(`${path}-journal`)).toBe(false);
    expect(await driver.list()).toEqual([]);
    await driver.close();
  });

  test('says so when there is no database', async () => {
    const { driver, spec } = prepare();
    await expect(driver.recover(spec)).rejects.toMatchObject({ name: 'DriverFault', kind: 'recovery' });
    expect(await driver.list()).toEqual([]);
    await driver.close();
  });
});
