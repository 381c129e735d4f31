/** Which folders of the machine an agent may see: a table, then what holds for all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCredential, isWithin } from '../../../../host/agents/mounts/places.ts';
import { type Found, type MountFacts, planMount, planPath } from '../../../../host/agents/mounts/plan.ts';
import type { Mount } from '../../../../host/store/agents.ts';

const HOME = '/var/portolan/home';
const PROJECT = '/srv/portolan';

const at = (realPath: string): Found => ({ kind: 'folder', realPath, identity: '1:2', inside: { kind: 'clean' } });
const mount = (path: string, more: Partial<Mount> = {}): Mount => ({
  name: 'reports',
  path,
  isReadOnly: true,
  ...more,
});
const facts = (realPath: string, more: Partial<MountFacts> = {}): MountFacts => ({
  allowed: { kind: 'list', folders: [{ path: '/', isReadOnly: true }] },
  found: at(realPath),
  own: [HOME, PROJECT, '/home/op/.config/portolan/mounts.json'],
  userHome: '/home/op',
  writable: [],
  allowlistPath: '/home/op/.config/portolan/mounts.json',
  ...more,
});
const only = (path: string, isReadOnly = true): Partial<MountFacts> => ({
  allowed: { kind: 'list', folders: [{ path, isReadOnly }] },
});

describe('a mount is refused', () => {
  it.each<[string, Mount, MountFacts, string]>([
    ['without an allowlist', mount('/srv/a'), facts('/srv/a', { allowed: { kind: 'none' } }), 'there is no allowlist'],
    [
      'with an allowlist that others may write',
      mount('/srv/a'),
      facts('/srv/a', { allowed: { kind: 'unusable', why: 'it can be written by others' } }),
      'can be written by others',
    ],
    ['outside of what is allowed', mount('/srv/b'), facts('/srv/b', only('/srv/a')), 'is not in a folder'],
    [
      'beside what is allowed, with a name that begins alike',
      mount('/srv/ab'),
      facts('/srv/ab', only('/srv/a')),
      'is not in',
    ],
    ['through a link that leads out', mount('/srv/a/x'), facts('/var/x', only('/srv/a')), '/srv/a/x is /var/x, which'],
    ['through a link into .ssh', mount('/srv/a/x'), facts('/home/op/.ssh'), '.ssh'],
    ['that is a parent of what is allowed', mount('/srv'), facts('/srv', only('/srv/a')), 'is not in a folder'],
    ['where nothing is', mount('/srv/a'), facts('', { found: { kind: 'missing' } }), 'no such folder'],
    ['of a file or a socket', mount('/srv/a'), facts('', { found: { kind: 'no-folder' } }), 'only folders'],
    ['of the root', mount('/'), facts('/'), 'choose a folder in it'],
    ['of a home', mount('/home/ann'), facts('/home/ann'), 'whole home'],
    ['of all homes', mount('/home'), facts('/home'), 'choose a folder in it'],
    ['of /etc', mount('/etc/nginx'), facts('/etc/nginx'), "/etc is the system's"],
    ['of /proc', mount('/proc/1/root'), facts('/proc/1/root'), "/proc is the system's"],
    ['of /run, where sockets are', mount('/run/docker'), facts('/run/docker'), "/run is the system's"],
    ['of a cloud’s credentials in a project', mount('/srv/p/.aws'), facts('/srv/p/.aws'), '.aws'],
    ['of credentials in other case', mount('/srv/p/.SSH'), facts('/srv/p/.SSH'), '.SSH'],
    ['of a folder in credentials', mount('/srv/.gnupg/x'), facts('/srv/.gnupg/x'), '.gnupg'],
    ['of gcloud', mount('/srv/u/.config/gcloud'), facts('/srv/u/.config/gcloud'), '.config/gcloud'],
    ['of a browser’s profile', mount('/srv/u/.mozilla'), facts('/srv/u/.mozilla'), '.mozilla'],
    ['of the host’s home', mount(HOME), facts(HOME), "host's own"],
    ['in the host’s home', mount(`${HOME}/groups/a`), facts(`${HOME}/groups/a`), "host's own"],
    ['that holds the host’s home', mount('/var/portolan'), facts('/var/portolan'), "host's own"],
    ['of the project', mount(`${PROJECT}/host`), facts(`${PROJECT}/host`), "host's own"],
    [
      'that holds a .env below',
      mount('/srv/a'),
      facts('/srv/a', { found: { ...at('/srv/a'), inside: { kind: 'holds', what: 'web/.env' } } as Found }),
      'it holds web/.env',
    ],
    [
      'that cannot be looked into',
      mount('/srv/a'),
      facts('/srv/a', { found: { ...at('/srv/a'), inside: { kind: 'unknown', why: 'EIO' } } as Found }),
      'could not be looked at: EIO',
    ],
    [
      'in a folder that an agent may write',
      mount('/srv/a/b'),
      facts('/srv/a/b', { writable: ['/srv/a'] }),
      'an agent may write',
    ],
    ['with a name that climbs', mount('/srv/a', { name: '../in' }), facts('/srv/a'), 'a name is 1 to 63'],
    ['with a name of several levels', mount('/srv/a', { name: 'a/b' }), facts('/srv/a'), 'a name is 1 to 63'],
    ['without a name', mount('/srv/a', { name: '' }), facts('/srv/a'), 'a name is 1 to 63'],
    ['with a relative path', mount('srv/a'), facts('/srv/a'), 'must be absolute'],
    ['with ".."', mount('/srv/a/../../etc'), facts('/etc'), 'without "." and ".."'],
    ['with "."', mount('/srv/./a'), facts('/srv/a'), 'without "." and ".."'],
    ['with a newline', mount('/srv/a\nb'), facts('/srv/a'), 'control or invisible'],
    ['with a direction sign', mount('/srv/a\u202eb'), facts('/srv/a'), 'control or invisible'],
    ['with a zero byte', mount('/srv/a\0b'), facts('/srv/a'), 'control or invisible'],
    ['with a colon', mount('/srv/a:/workspace/in'), facts('/srv/a'), 'colon'],
    ['with a path that is too long', mount(`/${'x'.repeat(2_000)}`), facts('/srv/a'), 'longer than'],
  ])('%s', (_name, asked, given, why) => {
    const plan = planMount(asked, given);
    expect(plan).toMatchObject({ kind: 'refuse', why: expect.stringContaining(why) });
  });
});

describe('a mount', () => {
  it('shows the real path, with slashes that say nothing left out, in any language', () => {
    expect(planMount(mount('//srv///a/'), facts('/srv/a'))).toMatchObject({ kind: 'mount', source: '/srv/a' });
    expect(planMount(mount('/srv/Verträge 2026'), facts('/srv/Verträge 2026'))).toMatchObject({ kind: 'mount' });
  });

  it.each([
    ['both say so', false, false, false],
    ['not when the allowlist says read-only', true, false, true],
    ['not when the config does not ask', false, true, true],
    ['not when neither does', true, true, true],
  ])('is writable when %s', (_name, entry, asked, isReadOnly) => {
    expect(planMount(mount('/srv/a', { isReadOnly: asked }), facts('/srv/a', only('/srv', entry)))).toMatchObject({
      kind: 'mount',
      isReadOnly,
    });
  });

  it('follows the narrowest entry that holds it, and of two alike the stricter', () => {
    const folders = [
      { path: '/srv', isReadOnly: false },
      { path: '/srv/a', isReadOnly: true },
      { path: '/srv/a', isReadOnly: false },
    ];
    const given = facts('/srv/a/b', { allowed: { kind: 'list', folders } });
    expect(planMount(mount('/srv/a/b', { isReadOnly: false }), given)).toMatchObject({ isReadOnly: true });
  });

  it('may be of the very folder that another agent writes', () => {
    expect(planMount(mount('/srv/a'), facts('/srv/a', { writable: ['/srv/a'] }))).toMatchObject({ kind: 'mount' });
  });

  it('may hold an example of an .env', () => {
    expect(findCredential('/srv/a/.env.example')).toBeNull();
    expect(findCredential('/srv/a/.env.production')).toBe('.env.production');
    expect(findCredential('/srv/a/id_ed25519')).toBe('id_ed25519');
    expect(findCredential('/srv/a/identity.txt')).toBeNull();
  });
});

describe('whatever is asked', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', '.ssh', '.SSH', '.Config', 'gcloud', 'etc', 'srv', 'a', 'b', '.env', 'home', 'root'),
    fc.string({ maxLength: 8 }),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  const path = fc.array(part, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`);

  it('a path that is taken is absolute, normal and visible', () => {
    fc.assert(
      fc.property(path, (text) => {
        const plan = planPath(text);
        if (plan.kind === 'refuse') return true;
        return /^\/$|^(?:\/[^/]+)+$/.test(plan.path) && !/[\p{Cc}\p{Cf}:]|(?:^|\/)\.\.?(?:\/|$)/u.test(plan.path);
      }),
      { numRuns: 3_000 },
    );
  });

  it('what is mounted is allowed, holds no credential in its path, and is none of the host’s', () => {
    fc.assert(
      fc.property(path, path, path, fc.boolean(), fc.boolean(), (text, realPath, allowed, entry, asked) => {
        const normal = planPath(realPath);
        const real = normal.kind === 'path' ? normal.path : '/srv/a';
        const given = facts(real, { allowed: { kind: 'list', folders: [{ path: allowed, isReadOnly: entry }] } });
        const plan = planMount(mount(text, { isReadOnly: asked }), given);
        if (plan.kind === 'refuse') return true;
        const isClean =
          !/(?:^|\/)\.ssh(?:\/|$)/i.test(plan.source) && !given.own.some((own) => isWithin(own, plan.source));
        return isClean && isWithin(plan.source, allowed) && plan.isReadOnly === (entry || asked);
      }),
      { numRuns: 3_000 },
    );
  });
});
