/** What the pages for admins say and offer: pure. */
import { describe, expect, test } from 'vitest';
import { describePackages, describeServer } from '../../../../host/console/web/agents/agent.ts';
import { describeApproval, describeVotes } from '../../../../host/console/web/approvals/approval.ts';
import type { Approval, Me } from '../../../../host/console/web/client/types.ts';
import { isFiltered, readFilter, writeFilter } from '../../../../host/console/web/ledger/filter.ts';
import { describeRole, listChoices, mayGive } from '../../../../host/console/web/people/role.ts';
import { formatRelative } from '../../../../host/console/web/style/time.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_700_000_000_000;

const APPROVAL: Approval = {
  id: 'apr_1',
  action: 'add_mcp_server',
  code: '7K2Q',
  payload: {},
  consequence: [],
  reason: null,
  requester: null,
  quorum: 1,
  votes: [],
  supersededBy: null,
  askNextAt: null,
  title: 'Add it?',
  question: 'Add it?',
  options: [],
  state: 'pending',
  choice: null,
  decidedBy: null,
  decidedAt: null,
  note: null,
  outcome: null,
  agentId: null,
  asked: null,
  expiresAt: NOW + 3 * HOUR_MS,
  createdAt: NOW,
};

describe('an approval', () => {
  test('says until when it waits, relative and absolute, and that its time is over', () => {
    expect(describeApproval(APPROVAL, NOW).sentence).toMatch(/^Expires in 3 hours, .*\d/);
    expect(describeApproval(APPROVAL, NOW + 3 * HOUR_MS).sentence).toBe('Its time is over.');
  });

  test('says who decided, what, and why in their words; by id who has no name', () => {
    const rejected: Approval = {
      ...APPROVAL,
      state: 'rejected',
      choice: 'Reject',
      decidedBy: { id: 'web:anna', name: '' },
      decidedAt: NOW,
      note: 'not now',
    };
    expect(describeApproval(rejected, NOW)).toMatchObject({ label: 'Rejected', tone: 'quiet' });
    expect(describeApproval(rejected, NOW).sentence).toMatch(/^web:anna chose “Reject”, .*, because “not now”\.$/);
  });

  test('names everybody whose approval counted', () => {
    const vote = { choice: 'Approve', votedAt: NOW, counts: true };
    const votes = [
      { ...vote, id: 'web:anna', name: 'Anna' },
      { ...vote, id: 'web:ben', name: '' },
      { ...vote, id: 'web:lost', name: 'Lost', counts: false },
    ];
    const decided = { ...APPROVAL, state: 'applied', choice: 'Approve', quorum: 2, votes, decidedAt: NOW } as const;
    const decidedBy = { id: 'web:ben', name: '' };
    expect(describeApproval({ ...decided, decidedBy }, NOW).sentence).toMatch(/^Anna and web:ben chose “Approve”/);
  });

  test('counts only voices that count now, and speaks of none where one person decides', () => {
    const vote = { id: 'web:anna', name: 'Anna', choice: 'Approve', votedAt: NOW, counts: true };
    const lost = { ...vote, id: 'web:ben', name: 'Ben', counts: false };
    expect(describeVotes(APPROVAL, NOW)).toBeNull();
    expect(describeVotes({ ...APPROVAL, quorum: 2, votes: [vote, lost] }, NOW)).toMatch(/^1 of 2 approved: Anna \(/);
  });
});

describe('roles', () => {
  const me = (...roles: Me['roles']): Me => ({
    userId: 'web:me',
    name: 'Me',
    door: 'tcp',
    roles,
    may: { seeEverything: false, administer: true, manageAgents: false, managePeople: true, openChats: true },
  });
  const owner = me({ role: 'owner', agentId: null });
  const globalAdmin = me({ role: 'admin', agentId: null });
  const agentAdmin = me({ role: 'admin', agentId: 'agt_1' });
  const agents = [
    { id: 'agt_1', name: 'main' },
    { id: 'agt_2', name: 'writer' },
  ];

  test.each([
    [
      'an owner',
      owner,
      ['member of main', 'admin of main', 'member of writer', 'admin of writer', 'owner', 'admin of everything'],
    ],
    ['a global admin', globalAdmin, ['member of main', 'admin of main', 'member of writer', 'admin of writer']],
    ['an agent’s admin', agentAdmin, ['member of main']],
    ['nobody', null, []],
  ] as const)('that are offered are those that %s may give', (_who, who, labels) => {
    expect(listChoices(who, agents).map(({ label }) => label)).toEqual(labels);
  });

  test('are taken by who may give them: no admin takes an owner’s', () => {
    expect(mayGive(globalAdmin, { role: 'owner', agentId: null })).toBe(false);
    expect(mayGive(agentAdmin, { role: 'member', agentId: 'agt_2' })).toBe(false);
    expect(describeRole({ role: 'admin', agentId: 'agt_9', agentName: null })).toBe('admin of agt_9');
  });
});

describe('the ledger’s filter', () => {
  test('stands in the address as it was chosen, and empty fields do not', () => {
    const filter = { kind: 'role.', agent: '', actor: 'web:anna', subject: '', q: 'a & b' };
    expect(writeFilter(filter).toString()).toBe('kind=role.&actor=web%3Aanna&q=a+%26+b');
    expect(readFilter(writeFilter(filter))).toEqual(filter);
    expect(isFiltered(filter)).toBe(true);
    expect(isFiltered(readFilter(new URLSearchParams('other=1')))).toBe(false);
  });
});

test('an MCP server is up, down with its container’s words, or was not started', () => {
  const report = { name: 'tides', problem: null, tools: 1, reportedAt: NOW };
  expect(describeServer(report)).toMatchObject({ label: 'up, 1 tool', tone: 'good' });
  expect(describeServer({ ...report, problem: 'ENOENT' })).toMatchObject({ tone: 'bad', problem: 'ENOENT' });
  expect(describeServer(undefined).label).toBe('not started yet');
  expect(describePackages({ apt: ['cowsay'], npm: ['semver', 'left-pad'] })).toBe(
    'apt: cowsay · npm: semver, left-pad',
  );
  expect(describePackages({ apt: [], npm: [] })).toBeNull();
});

test('times are told in the largest unit that says them', () => {
  const tell = (ms: number) => formatRelative(NOW + ms, NOW);
  expect([tell(90_000), tell(59 * 60_000), tell(24 * HOUR_MS), tell(-72 * HOUR_MS)]).toEqual([
    'in 2 minutes',
    'in 59 minutes',
    'in 24 hours',
    '3 days ago',
  ]);
});
