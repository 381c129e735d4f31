/** Every route, tried by everybody on everything: what each may not do, and may not even know of. */
import { expect, it } from 'vitest';
import { RIGHTS } from '../../../host/access/console.ts';
import { makeId } from '../../../shared/ids.ts';
import { NO_PACKAGES } from '../../../shared/packages.ts';
import { CALLERS, type Caller, type ConsolePeople, startWithPeople } from '../../support/console-people.ts';

const EVERYTHING: readonly Caller[] = ['gus', 'owner', 'machine'];
const MEMBERS_OF_MAIN: readonly Caller[] = ['mia', 'max', 'ada'];
const SOMETHING: readonly Caller[] = [...MEMBERS_OF_MAIN, 'mo', 'bob', ...EVERYTHING];

/** A thing, who sees it, and who may change it; said by hand, not taken from the code. */
interface Target {
  id: string;
  sees: readonly Caller[];
  changes: readonly Caller[];
}

const NOWHERE = { sees: EVERYTHING, changes: EVERYTHING };

function listTargets(people: ConsolePeople): Record<string, Target[]> {
  const { main, other, ofMia, ofMax, ofOwner, onPlatform, ofOther, approvals, api } = people;
  const ofMain = { sees: ['ada', ...EVERYTHING], changes: ['ada', ...EVERYTHING] } as const;
  const ofOthers = { sees: ['bob', ...EVERYTHING], changes: ['bob', ...EVERYTHING] } as const;
  const corners = [
    { of: ofMia, sees: ['mia', ...ofMain.sees] as const, changes: ofMain.changes },
    { of: ofMax, sees: ['max', ...ofMain.sees] as const, changes: ofMain.changes },
    { of: ofOwner, ...ofMain },
    { of: onPlatform, ...ofMain },
    { of: ofOther, ...ofOthers },
  ];
  const inCorners = (key: 'chat' | 'message' | 'task'): Target[] =>
    corners.map(({ of, sees, changes }) => ({ id: of[key], sees, changes }));
  const own = (rows: { id: string; agentGroupId: string }[]): Target[] =>
    rows.map(({ id, agentGroupId }) => ({ id, ...(agentGroupId === main.id ? ofMain : ofOthers) }));
  const { destinations, wirings } = api.spine;
  return {
    agents: [
      { id: main.id, sees: [...MEMBERS_OF_MAIN, ...EVERYTHING], changes: ofMain.changes },
      { id: other.id, sees: ['mo', 'bob', ...EVERYTHING], changes: ofOthers.changes },
      { id: 'agt_00000000000000000000', ...NOWHERE },
    ],
    chats: [...inCorners('chat'), { id: 'chat_00000000000000000000', ...NOWHERE }],
    sessions: [
      ...corners.map(({ of, sees, changes }) => ({ id: of.session.id, sees, changes })),
      { id: 'ses_00000000000000000000', ...NOWHERE },
    ],
    messages: [...inCorners('message'), { id: 'msg_00000000000000000000', ...NOWHERE }],
    tasks: [...inCorners('task'), { id: 'tsk_00000000000000000000', ...NOWHERE }],
    destinations: own([main, other].flatMap(({ id }) => destinations.listFor(id))),
    wirings: own(wirings.list(100)),
    builds: own(
      [main, other].map(({ id: agentGroupId }) => {
        const build = { id: makeId('imageBuild'), agentGroupId };
        api.builds.insert({ ...build, approvalId: null, image: 'own:1', packages: NO_PACKAGES, createdAt: 0 });
        return build;
      }),
    ),
    approvals: [
      { id: approvals.main, ...ofMain },
      { id: approvals.other, ...ofOthers },
      { id: approvals.host, ...NOWHERE },
    ],
  };
}

const GENERAL: Record<string, readonly Caller[]> = {
  self: ['nora', 'rita', ...SOMETHING],
  member: SOMETHING,
  admin: ['ada', 'bob', ...EVERYTHING],
  'global-admin': EVERYTHING,
  owner: ['owner', 'machine'],
  machine: ['machine'],
};

type Expected = 'allowed' | 401 | 403 | 404;

function expectFor(right: string, caller: Caller, target: Target | null): Expected {
  if (caller === 'stranger') return 401;
  const general = GENERAL[right];
  if (general !== undefined) return general.includes(caller) ? 'allowed' : 403;
  if (target === null || !target.sees.includes(caller)) return 404;
  return right === 'reader-of' || target.changes.includes(caller) ? 'allowed' : 403;
}

/** Sent without what a change needs, so that what is allowed fails later and changes nothing. */
function attack(people: ConsolePeople, caller: Caller, method: string, path: string) {
  const isSafe = method === 'GET' || path === '/logout' || path === '/me/sign-ins' || path === '/shutdown';
  const json = isSafe ? {} : { json: { nothing: 'of the kind' } };
  return people.call(caller, path, { method, ...json });
}

interface Route {
  method: string;
  path: string;
  right: string;
}

/** By what they are about: one host for all routes of a kind, those that sign somebody out last. */
const KINDS = new Map<string, Route[]>();
for (const [route, right] of Object.entries(RIGHTS)) {
  if (right === 'stranger' || route === 'GET /events' || route === 'POST /logout') continue;
  const [method = '', path = ''] = route.split(' ');
  const kind = path.split('/')[1] ?? '';
  const isLast = path.endsWith('/sign-ins') && method === 'DELETE';
  const known = KINDS.get(kind) ?? [];
  KINDS.set(kind, isLast ? [...known, { method, path, right }] : [{ method, path, right }, ...known]);
}

it.each([...KINDS])(
  'routes about %s are refused to all whose right they are not',
  { timeout: 60_000 },
  async (kind, routes) => {
    const people = await startWithPeople();
    for (const route of routes) {
      const targets = route.path.includes('{id}') ? (listTargets(people)[kind] ?? [null]) : [null];
      let refused = 0;
      for (const target of targets) refused += await tryAll(people, route, target);
      expect([route, refused > 0]).toEqual([route, true]);
    }
    expect(people.api.shutdowns).toBe(kind === 'shutdown' ? 1 : 0);
  },
);

/** How often it was refused. */
async function tryAll(people: ConsolePeople, { method, path, right }: Route, target: Target | null): Promise<number> {
  const named = path
    .replace('{id}', target?.id ?? 'web:nobody')
    .replace('{name}', 'plan.txt')
    .replace('{other}', 'web:mia')
    .replace('{role}', 'member')
    .replace('{of}', people.main.id)
    .replace(/\{\w+\}/g, '1');
  const nothing = target === null ? named : named.replace(target.id, `${target.id.split('_')[0]}_zzzzzzzzzzzzzzzzzzzz`);
  let refused = 0;
  for (const caller of CALLERS) {
    const { status, text } = await attack(people, caller, method, named);
    const expected = expectFor(right, caller, target);
    const said = `${caller}: ${method} ${named} → ${status} ${text.slice(0, 200)}`;
    if (expected === 'allowed') {
      // What is not there, or not in that state, is not found by those either who might.
      expect([said, status === 401 || status === 403 || (status === 404 && !isMissing(path, target))]).toEqual([
        said,
        false,
      ]);
      continue;
    }
    expect([said, status]).toEqual([said, expected]);
    refused++;
    // Word for word what an address of nothing answers.
    if (expected === 404) expect([said, text]).toEqual([said, (await attack(people, caller, method, nothing)).text]);
  }
  return refused;
}

function isMissing(path: string, target: Target | null): boolean {
  if (!path.includes('{')) return false;
  return target === null || target.id.includes('_0000000000') || path.endsWith('/restore');
}
