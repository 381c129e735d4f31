import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Role } from '../../../host/access/answer.ts';
import { renderHelp } from '../../../host/commands/help.ts';
import { type PlanFacts, planCommand } from '../../../host/commands/plan.ts';
import { COMMANDS, findCommand } from '../../../host/commands/table.ts';

const OWNER: Role = { role: 'owner', agentGroupId: null };
const GLOBAL: Role = { role: 'admin', agentGroupId: null };
const SCOPED: Role = { role: 'admin', agentGroupId: 'agt_a' };

type Standing = Omit<PlanFacts, 'rule'>;
const STANDINGS: Record<string, Standing> = {
  'a stranger alone': { roles: [], isKnown: false, isHeard: false, isPrivate: true },
  'a stranger in a group': { roles: [], isKnown: false, isHeard: false, isPrivate: false },
  'somebody in a public group': { roles: [], isKnown: false, isHeard: true, isPrivate: false },
  'somebody in a public chat alone': { roles: [], isKnown: false, isHeard: true, isPrivate: true },
  'a member in a group': { roles: [], isKnown: true, isHeard: true, isPrivate: false },
  'a member alone': { roles: [], isKnown: true, isHeard: true, isPrivate: true },
  'an admin in a group': { roles: [SCOPED], isKnown: true, isHeard: true, isPrivate: false },
  'an admin alone': { roles: [SCOPED], isKnown: true, isHeard: true, isPrivate: true },
  'a global admin alone': { roles: [GLOBAL], isKnown: true, isHeard: true, isPrivate: true },
  'an owner alone': { roles: [OWNER], isKnown: true, isHeard: true, isPrivate: true },
};

function allowed(standing: Standing): string[] {
  return COMMANDS.filter((rule) => planCommand({ ...standing, rule }).kind === 'run').map(({ name }) => name);
}

const ALL = COMMANDS.map(({ name }) => name);

describe('who may give which command', () => {
  it.each([
    ['a stranger alone', ['help', 'whoami', 'link', 'claim']],
    ['a stranger in a group', ['link', 'claim']],
    ['somebody in a public group', ['help', 'whoami', 'compact', 'cost', 'link', 'claim']],
    ['somebody in a public chat alone', ['help', 'whoami', 'stop', 'clear', 'compact', 'cost', 'link', 'claim']],
    ['a member in a group', ['help', 'whoami', 'status', 'compact', 'cost', 'link', 'claim']],
    [
      'a member alone',
      ['help', 'whoami', 'status', 'stop', 'clear', 'compact', 'cost', 'agents', 'link', 'unlink', 'claim'],
    ],
    [
      'an admin in a group',
      [
        'help',
        'whoami',
        'status',
        'stop',
        'clear',
        'compact',
        'cost',
        'approve',
        'reject',
        'grant',
        'revoke',
        'link',
        'claim',
      ],
    ],
    ['an admin alone', ALL],
    ['a global admin alone', ALL],
    ['an owner alone', ALL],
  ])('%s: %j', (who, names) => {
    expect(allowed(STANDINGS[who] as Standing)).toEqual(names);
  });

  it('answers a stranger in a group with nothing at all', () => {
    for (const rule of COMMANDS.filter(({ isProof }) => !isProof)) {
      expect(planCommand({ ...(STANDINGS['a stranger in a group'] as Standing), rule })).toEqual({ kind: 'silent' });
    }
  });

  it('counts as a refusal what lacks a right, and not what stands in the wrong place', () => {
    const config = findCommand('config');
    if (config === null) throw new Error('no such command');
    const inGroup = STANDINGS['an admin in a group'] as Standing;
    expect(planCommand({ ...inGroup, rule: config })).toMatchObject({ kind: 'refuse', isRefusal: false });
    const member = STANDINGS['a member alone'] as Standing;
    expect(planCommand({ ...member, rule: config })).toMatchObject({ kind: 'refuse', isRefusal: true });
  });

  it('takes nothing from whoever gains a right or is better known', () => {
    const standing = fc.record({
      roles: fc.subarray([OWNER, GLOBAL, SCOPED]),
      isKnown: fc.boolean(),
      isHeard: fc.boolean(),
      isPrivate: fc.boolean(),
    });
    fc.assert(
      fc.property(standing, fc.constantFrom(OWNER, GLOBAL, SCOPED), (before, role) => {
        const after = { ...before, roles: [...before.roles, role], isKnown: true, isHeard: true };
        const now = new Set(allowed(after));
        return allowed(before).every((name) => now.has(name));
      }),
    );
  });

  it('lets nobody without a role run what is for admins', () => {
    const standing = fc.record({
      roles: fc.constant([]),
      isKnown: fc.boolean(),
      isHeard: fc.boolean(),
      isPrivate: fc.boolean(),
    });
    const forAdmins = new Set(COMMANDS.filter(({ who }) => who === 'admin').map(({ name }) => name));
    expect(forAdmins).toContain('grant');
    fc.assert(fc.property(standing, (one) => !allowed(one).some((name) => forAdmins.has(name))));
  });
});

describe('the help', () => {
  it('is printed from the table: all of it for an owner, with one line each', () => {
    const help = renderHelp('', STANDINGS['an owner alone'] as Standing);
    for (const { name } of COMMANDS) expect(help).toMatch(new RegExp(`^- \`/${name}[ \`].*: `, 'm'));
    expect(COMMANDS.every(({ help: line }) => !line.includes('\n'))).toBe(true);
  });

  it('names to a stranger no more than they may use', () => {
    const help = renderHelp('', STANDINGS['a stranger alone'] as Standing);
    expect([...help.matchAll(/^- `\/([a-z]+)/gm)].map(([, name]) => name)).toEqual(['help', 'whoami', 'link', 'claim']);
  });

  it('answers a command that one may not use like one that there is not', () => {
    const stranger = STANDINGS['a stranger alone'] as Standing;
    expect(renderHelp('/grant', stranger)).toBe(renderHelp('/xyzzy', stranger).replace('xyzzy', 'grant'));
    expect(renderHelp('GRANT', STANDINGS['an owner alone'] as Standing)).toContain('/grant PERSON');
  });
});
