/**
 * The approval machine against a model, over the real stores: no sequence of requests, votes, role changes,
 * expiry, restarts, changes of what approving does, and replays applies a request that not enough people approved
 * who might at that moment, applies one twice, or tells an agent twice.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ApprovalId, UserId } from '../../../shared/ids.ts';
import { until } from '../../support/until.ts';
import { ADA, BEN, CLEO, type Court, openCourt } from './court.ts';

const PEOPLE = [ADA, BEN, CLEO];

type Event =
  | { kind: 'request'; subject: number; content: number; row: number }
  | { kind: 'vote'; who: number; which: number; choice: 'approve' | 'reject' | '1' | '2'; byCode: boolean }
  | { kind: 'role'; who: number; has: boolean }
  | { kind: 'quorum'; quorum: number }
  | { kind: 'today'; lines: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'crash' }
  | { kind: 'settle' };

/** The newest most of all: what is over already decides little. */
const which = fc.constantFrom(0, 0, 0, 0, 1, 2);
const quorum = fc.constantFrom(1, 1, 2, 2, 2, 3);
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      subject: fc.nat(1),
      content: fc.nat(1),
      row: fc.nat(3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      ...{ kind: fc.constant('vote' as const), who: fc.nat(2), which, byCode: fc.boolean() },
      choice: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const, '1' as const, '2' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('role' as const), who: fc.nat(2), has: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('quorum' as const), quorum }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('today' as const), lines: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 25 * 3_600_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'settle' as const }) },
);

/** What must hold, kept apart from how the host finds out. */
class Model {
  now = Date.now();
  /** Since when, in the order of events. */
  readonly roles: Map<UserId, number>;
  lines = 0;
  readonly approvals = new Map<
    ApprovalId,
    {
      quorum: number;
      lines: number;
      expiresAt: number;
      askedAt: number;
      votes: Set<UserId>;
      mayApply: boolean;
      isOver: boolean;
    }
  >();

  constructor(admins: readonly UserId[]) {
    this.roles = new Map(admins.map((id) => [id, this.now]));
  }

  noteNew(court: Court): void {
    for (const { id, expiresAt, quorum, createdAt: askedAt } of court.spine.approvals.list(1_000, null, null)) {
      if (!this.approvals.has(id)) {
        this.approvals.set(id, {
          quorum,
          lines: this.lines,
          expiresAt,
          askedAt,
          votes: new Set(),
          mayApply: false,
          isOver: false,
        });
      }
    }
  }

  vote(id: ApprovalId, by: UserId, approves: boolean): void {
    const approval = this.approvals.get(id);
    if (approval === undefined || approval.isOver || !this.roles.has(by) || approval.expiresAt <= this.now) return;
    if (!approves) approval.isOver = true;
    else if (approval.lines !== this.lines) approval.isOver = true;
    else {
      const counts = (one: UserId) =>
        this.roles.has(one) && (approval.quorum === 1 || (this.roles.get(one) ?? 0) <= approval.askedAt);
      if (!counts(by)) return;
      approval.votes.add(by);
      if ([...approval.votes].filter(counts).length < approval.quorum) return;
      approval.mayApply = true;
      approval.isOver = true;
    }
  }
}

async function play(court: Court, model: Model, rows: readonly string[], one: Event): Promise<void> {
  const { spine } = court;
  switch (one.kind) {
    case 'request': {
      const before = new Set(court.pending().map(({ id }) => id));
      spine.approvals.requestApproval(
        court.makeRequest({
          subjectKey: `s${one.subject}`,
          payload: { content: one.content },
          requester: { kind: 'agent', sessionId: court.session.id, messageId: rows[one.row] as never, origin: null },
        }),
      );
      for (const id of before) {
        const approval = model.approvals.get(id);
        if (approval !== undefined && court.get(id).state !== 'pending') approval.isOver = true;
      }
      break;
    }
    case 'vote': {
      const all = spine.approvals.list(1_000, null, null);
      const target = all[one.which % Math.max(1, all.length)];
      const by = PEOPLE[one.who] ?? ADA;
      if (target === undefined) break;
      const isNamed = !one.byCode || spine.approvals.findByCode(target.code)?.id === target.id;
      if (!isNamed) break;
      const outcome = one.byCode
        ? spine.approvals.decideByCode({
            code: target.code,
            choice: one.choice,
            note: null,
            by,
            byName: '',
            from: null,
          })
        : spine.approvals.decide(target.id, { choice: one.choice, by, from: null });
      // Who tried too often is not heard, which approves nothing.
      if (outcome.kind === 'refused' && outcome.reason === 'too_many_tries') break;
      model.vote(target.id, by, one.choice === 'approve' || one.choice === '1');
      break;
    }
    case 'role': {
      const by = PEOPLE[one.who] ?? ADA;
      // No two events are in one millisecond.
      model.now += 1;
      if (one.has) spine.users.grant(by, 'admin', null, null, model.now);
      else court.revoke(by);
      if (one.has && !model.roles.has(by)) model.roles.set(by, model.now);
      if (!one.has) model.roles.delete(by);
      model.now += 1;
      break;
    }
    case 'quorum':
      court.setPolicy({ quorum: one.quorum });
      break;
    case 'today':
      court.lines = [`line ${one.lines}`];
      model.lines = one.lines;
      break;
    case 'pass':
      model.now += one.ms;
      break;
    case 'crash':
      court.stop();
      await court.start();
      break;
    case 'settle':
      await new Promise((resolve) => setImmediate(resolve));
      break;
  }
  model.noteNew(court);
}

async function carriedOut({ spine }: Court): Promise<void> {
  await until('all is carried out', () =>
    spine.approvals.list(1_000, null, null).every(({ state, outcome }) => state === 'pending' || outcome !== null),
  );
  const untold = spine.db.prepare('SELECT 1 FROM approval_askers WHERE is_told = 0');
  await until('all is told', () => untold.get() === undefined);
}

test('Who may: no sequence of events applies what not enough people approved, applies anything twice, or tells it twice', async () => {
  const court = await openCourt();
  const { spine } = court;
  for (const id of PEOPLE) court.addAdmin(id);
  let applied = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 4, maxLength: 24 }),
      quorum,
      fc.subarray(PEOPLE, { minLength: 1 }),
      fc.uuid(),
      async (events, first, admins, salt) => {
        // One host for all runs: each begins on empty tables.
        court.stop();
        spine.db.exec('DELETE FROM pending_approvals; DELETE FROM approval_policies; DELETE FROM user_roles;');
        court.done.length = 0;
        court.lines = ['line 0'];
        const model = new Model(admins);
        spine.now = () => model.now;
        for (const id of admins) court.addAdmin(id);
        court.setPolicy({ quorum: first });
        await court.start();
        const rows = [0, 1, 2, 3].map((at) => `msg_${salt.replaceAll('-', '').slice(0, 19)}${at}`);
        for (const one of events) await play(court, model, rows, one);
        await carriedOut(court);
        court.stop();
        await court.start();
        await carriedOut(court);
        const carried = court.done.filter(({ decision }) => decision.kind === 'approved').map(({ id }) => id);
        // Once, unless the host ended before it was noted: a handler finds then what it did.
        const crashes = events.filter(({ kind }) => kind === 'crash').length;
        if (crashes === 0) expect(new Set(carried).size).toBe(carried.length);
        for (const id of carried) expect(model.approvals.get(id)?.mayApply).toBe(true);
        for (const [id, { mayApply }] of model.approvals) if (mayApply) expect(court.get(id).state).toBe('applied');
        for (const { id } of spine.approvals.list(1_000, null, 'applied')) {
          expect(court.events({ id } as never).filter((word) => word === 'applied')).toHaveLength(1);
        }
        applied += carried.length;
      },
    ),
    { numRuns: 150 },
  );
  // The model is no wall: things are applied.
  expect(applied).toBeGreaterThan(5);
  expect(spine.ledger.findBreak()).toBeNull();
  expect(new Set(court.told().map(({ text }) => text)).size).toBe(court.told().length);
}, 120_000);
