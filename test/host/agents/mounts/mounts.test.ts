/** Mounts against a real file system: the allowlist's own safety, links, sockets, what is below, and what changes meanwhile. */
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Mounts } from '../../../../host/agents/mounts/mounts.ts';
import { confirmFolders } from '../../../../host/runtime/drivers/confirm-folders.ts';
import type { ContainerSpec } from '../../../../host/runtime/drivers/driver.ts';
import type { AgentGroup, Mount } from '../../../../host/store/agents.ts';

const UID = process.getuid?.() ?? 0;

function setUp(more: Partial<ConstructorParameters<typeof Mounts>[0]> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'portolan-mounts-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const make = (path: string) => {
    mkdirSync(join(root, path), { recursive: true });
    return join(root, path);
  };
  const [home, project, srv] = [make('home'), make('project'), make('srv')];
  const allowlistPath = join(make('config'), 'mounts.json');
  const write = (allow: unknown, path = allowlistPath) => {
    writeFileSync(path, typeof allow === 'string' ? allow : JSON.stringify({ version: 1, allow }));
    chmodSync(path, 0o600);
  };
  const agents: AgentGroup[] = [];
  const agent = addAgent(agents, 'main', []);
  const mounts = new Mounts({
    ...{ agents: { list: () => agents }, allowlistPath, canMount: true, home, project },
    ...{ userHome: make('user'), hostUid: UID, ...more },
  });
  const check = (path: string, given: Partial<Mount> = {}) =>
    mounts.check(agent, { name: 'x', path, isReadOnly: true, ...given });
  return { root, make, home, project, srv, allowlistPath, write, agents, agent, mounts, check };
}

function addAgent(agents: AgentGroup[], id: string, mounts: Mount[]): AgentGroup {
  // Only what is read of it.
  const agent = { id, name: id, config: { mounts } } as unknown as AgentGroup;
  agents.push(agent);
  return agent;
}

const refused = (why: string) => ({ kind: 'refuse', why: expect.stringContaining(why) });

describe('the allowlist', () => {
  it('allows what it names, read-only unless it says otherwise; without it nothing is allowed', async () => {
    const { srv, write, check } = setUp();
    expect(await check(srv)).toMatchObject(refused('there is no allowlist'));
    write([{ path: srv }]);
    expect(await check(srv, { isReadOnly: false })).toMatchObject({ kind: 'mount', source: srv, isReadOnly: true });
    write([{ path: srv, readOnly: false }]);
    expect(await check(srv, { isReadOnly: false })).toMatchObject({ kind: 'mount', isReadOnly: false });
  });

  it.each([
    ['others may write it', ({ allowlistPath }: World) => chmodSync(allowlistPath, 0o622), 'can be written by others'],
    [
      'others may write its folder',
      ({ root }: World) => chmodSync(join(root, 'config'), 0o777),
      'can be written by others',
    ],
    ['it is no JSON', ({ write }: World) => write('{'), 'not JSON'],
    [
      'it has a field that nobody knows',
      ({ write }: World) => write('{"version":1,"allow":[],"x":1}'),
      'Unrecognized key',
    ],
    ['it is of another version', ({ write }: World) => write('{"version":2,"allow":[]}'), 'version'],
    ['it is huge', ({ write }: World) => write(' '.repeat(70_000)), 'larger than'],
    [
      'it is a link',
      ({ root, allowlistPath }: World) => {
        renameSync(allowlistPath, join(root, 'real.json'));
        symlinkSync(join(root, 'real.json'), allowlistPath);
      },
      'it is a link',
    ],
  ])('is not used when %s', async (_name, spoil, why) => {
    const world = setUp();
    world.write([{ path: world.srv }]);
    expect(await world.check(world.srv)).toMatchObject({ kind: 'mount' });
    spoil(world);
    expect(await world.check(world.srv)).toMatchObject(refused(why));
  });

  it('is not used when it lies where containers or updates write, or belongs to somebody else', async () => {
    for (const place of ['home', 'project']) {
      const world = setUp();
      const allowlistPath = join(world.root, place, 'mounts.json');
      world.write([{ path: world.srv }], allowlistPath);
      const { home, project } = world;
      const other = new Mounts({
        ...{
          agents: { list: () => [] },
          allowlistPath,
          canMount: true,
          home,
          project,
          userHome: '/nobody',
          hostUid: UID,
        },
      });
      expect(other.allowed()).toMatchObject({ kind: 'unusable', why: expect.stringContaining('must lie outside') });
    }
    if (UID !== 0) return;
    // For a host of another user, root's folders are fine, and a third's are not.
    const { srv, write, allowlistPath, home, project } = setUp();
    write([{ path: srv }]);
    const { chownSync } = await import('node:fs');
    chownSync(allowlistPath, 12_345, 12_345);
    const other = new Mounts({
      ...{
        agents: { list: () => [] },
        allowlistPath,
        canMount: true,
        home,
        project,
        userHome: '/nobody',
        hostUid: 4_711,
      },
    });
    expect(other.allowed()).toMatchObject({ kind: 'unusable', why: expect.stringContaining('belongs to user 12345') });
  });
});

type World = ReturnType<typeof setUp>;

describe('a folder', () => {
  it('is judged by its real path', async () => {
    const { srv, make, write, check, root } = setUp();
    write([{ path: srv }]);
    symlinkSync(make('elsewhere'), join(srv, 'out'));
    expect(await check(join(srv, 'out'))).toMatchObject(refused('is not in a folder'));
    make('srv/keys/.ssh');
    symlinkSync(join(srv, 'keys/.ssh'), join(srv, 'fine'));
    expect(await check(join(srv, 'fine'))).toMatchObject(refused('.ssh'));
    symlinkSync(make('srv/data'), join(root, 'in'));
    expect(await check(join(root, 'in'))).toMatchObject({ kind: 'mount', source: join(srv, 'data') });
  });

  it('that holds a credential or a socket within two levels is refused; deeper ones are the admin’s to know', async () => {
    const { srv, make, write, check } = setUp();
    write([{ path: srv }]);
    make('srv/a/b/c/.ssh');
    expect(await check(join(srv, 'a'))).toMatchObject({ kind: 'mount' });
    expect(await check(join(srv, 'a/b'))).toMatchObject(refused('it holds c/.ssh'));
    make('srv/u/.config/gcloud');
    expect(await check(join(srv, 'u'))).toMatchObject(refused('.config/gcloud'));
    expect(await check(join(srv, 'u/.config'))).toMatchObject(refused('gcloud'));
    make('srv/s');
    const server = createServer().listen(join(srv, 's', 'db'));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    expect(await check(join(srv, 's'))).toMatchObject(refused('db, a socket'));
    expect(await check(join(srv, 's', 'db'))).toMatchObject(refused('only folders'));
  });

  it('in one that an agent may write is refused: its container could put a link in the way', async () => {
    const { srv, make, write, check, agents } = setUp();
    write([{ path: srv, readOnly: false }]);
    make('srv/a/b');
    expect(await check(join(srv, 'a/b'))).toMatchObject({ kind: 'mount' });
    addAgent(agents, 'writer', [{ name: 'a', path: join(srv, 'a'), isReadOnly: false }]);
    expect(await check(join(srv, 'a/b'))).toMatchObject(refused('which an agent may write'));
  });

  it('that was changed for another since it was judged is not mounted', async () => {
    const { srv, make, write, agent, mounts, root } = setUp();
    write([{ path: srv }]);
    const data = make('srv/data');
    agent.config.mounts.push({ name: 'data', path: data, isReadOnly: true });
    const prepared = await mounts.prepare(agent);
    if (prepared.kind !== 'ready') throw new Error(prepared.why);
    const spec = { folders: prepared.folders } as unknown as ContainerSpec;
    expect(() => confirmFolders(spec)).not.toThrow();
    renameSync(data, join(root, 'moved'));
    expect(() => confirmFolders(spec)).toThrow('was changed for another');
    symlinkSync(join(root, 'moved'), data);
    expect(() => confirmFolders(spec)).toThrow('was changed for another');
    rmSync(data);
    make('srv/data');
    expect(() => confirmFolders(spec)).toThrow('was changed for another');
  });

  it('that may not be mounted any more keeps the container from starting, and says which', async () => {
    const { srv, make, write, agent, mounts, allowlistPath } = setUp();
    write([{ path: srv }]);
    agent.config.mounts.push({ name: 'data', path: make('srv/data'), isReadOnly: true });
    expect(await mounts.prepare(agent)).toMatchObject({ kind: 'ready' });
    rmSync(allowlistPath);
    expect(await mounts.prepare(agent)).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/^the mount data .*no allowlist/),
    });
  });

  it('is for nobody where agents are plain processes', async () => {
    const { srv, write, check } = setUp({ canMount: false });
    write([{ path: srv }]);
    expect(await check(srv)).toMatchObject(refused('plain processes'));
  });
});
