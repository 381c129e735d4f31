/** An agent asks to be let out: from its row to the rule, the gateway that hears of it, and the words it gets. */
import { afterEach, describe, expect, it } from 'vitest';
import { ruleOf } from '../../../../host/agents/access/rules.ts';
import { installFailpointHook } from '../../../../host/observe/failpoint.ts';
import type { Approval } from '../../../../host/store/approvals.ts';
import { makeId } from '../../../../shared/ids.ts';
import { requestSchema } from '../../../../shared/requests.ts';
import { until } from '../../../support/until.ts';
import { ADA, type Court, openCourt } from '../../approvals/court.ts';

afterEach(() => installFailpointHook(null));

const GITHUB = { name: 'github', baseUrl: new URL('https://api.github.com'), isModel: false, isPrivate: false };

async function setUp(): Promise<Court> {
  const court = await openCourt();
  court.addAdmin(ADA);
  court.spine.namedServices.set('github', GITHUB);
  return court;
}

function ask(court: Court, content: object, messageId = makeId('message')) {
  const request = requestSchema.parse({ action: 'request_access', reason: 'to read the weather', ...content });
  if (request.action !== 'request_access') throw new Error('another request');
  const { session, spine } = court;
  const asked = { session, messageId, request, traceId: makeId('trace'), now: spine.now() };
  return spine.accessRequests.answer({ ...asked, origin: { channelType: 'test', platformId: 'room', threadId: null } })
    .answer;
}

function pending(court: Court): Approval {
  const [approval, ...more] = court.pending();
  if (approval === undefined || more.length > 0) throw new Error(`${more.length} more are pending`);
  return approval;
}

const rules = ({ spine, agent }: Court) => spine.access.list(agent.id);

describe('an agent that asks to be let out', () => {
  it('has an admin asked, on a card that says what it adds compared with today', async () => {
    const court = await setUp();
    expect(ask(court, { host: 'api.example.com', methods: ['HEAD', 'GET'], path: '/v1/' })).toEqual({
      kind: 'done',
      note: expect.stringMatching(/^an admin was asked; the code is \w{4}$/),
    });
    const approval = pending(court);
    expect(approval).toMatchObject({
      action: 'allow_access',
      title: 'Let “main” reach `https://api.example.com`?',
      question: '“main” may reach nothing outside today.',
      consequence: [
        'adds GET, HEAD on `https://api.example.com` under `/v1`',
        'as requests that this host reads, method and path of each',
      ],
    });
    expect(rules(court)).toEqual([]);
    expect(court.spine.accessChanged).toEqual([]);
  });

  it('is let out at once when an admin approves: the rule, the ledger, the gateway, and words of how to get there', async () => {
    const court = await setUp();
    ask(court, { host: 'api.example.com', methods: ['GET'], path: '/v1' });
    const approval = pending(court);
    court.decide(approval, ADA);
    expect(await court.over(approval)).toMatchObject({
      state: 'applied',
      outcome:
        'Allowed: GET on `https://api.example.com` under `/v1`. It holds now. Its base URL is `$HTTP_PROXY/https/api.example.com`.',
    });
    expect(rules(court)).toEqual([
      {
        ...{ id: ruleOf(approval.id), agentGroupId: court.agent.id, host: 'api.example.com', service: null, port: 443 },
        ...{ methods: ['GET'], pathPrefix: '/v1', isPrivate: false, reason: 'to read the weather' },
        ...{ approvalId: approval.id, createdBy: ADA, createdAt: expect.any(Number) },
      },
    ]);
    expect(court.spine.accessChanged).toEqual([court.agent.id]);
    expect(court.spine.ledger.listAbout(ruleOf(approval.id), 10)).toMatchObject([
      { kind: 'access.allowed', actor: ADA, detail: { agent: court.agent.id, isPrivate: false } },
    ]);
    await court.tells('approval_applied');
  });

  it('asks nobody for what it may do already', async () => {
    const court = await setUp();
    ask(court, { host: '*.example.com' });
    const approval = pending(court);
    court.decide(approval, ADA);
    await court.over(approval);
    expect(ask(court, { host: 'api.example.com', methods: ['GET'] })).toEqual({
      kind: 'done',
      note: 'nothing is to be done: “main” may reach that already: all methods on `https://*.example.com`',
    });
    expect(court.pending()).toEqual([]);
  });

  it('has one request open for a place: the same joins it, another takes its place', async () => {
    const court = await setUp();
    ask(court, { host: 'api.example.com', methods: ['GET', 'POST'] });
    const first = pending(court);
    expect(ask(court, { host: 'API.example.com', methods: ['POST', 'GET', 'GET'] })).toMatchObject({
      note: `an admin was asked for this before; the code is ${first.code}`,
    });
    expect(pending(court).id).toBe(first.id);
    ask(court, { host: 'api.example.com' });
    expect(pending(court).id).not.toBe(first.id);
    // Another port is another place.
    ask(court, { host: 'api.example.com', port: 8443 });
    expect(court.pending()).toHaveLength(2);
  });

  it('is told what was rejected, and the same is not asked again', async () => {
    const court = await setUp();
    ask(court, { host: 'api.example.com' });
    const approval = pending(court);
    court.decide(approval, ADA, 'Reject', 'not that one');
    expect(await court.over(approval)).toMatchObject({ state: 'rejected', outcome: 'Nothing was changed.' });
    expect(rules(court)).toEqual([]);
    expect(ask(court, { host: 'api.example.com', reason: 'please' })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('rejected this, because “not that one”'),
    });
  });

  it.each([
    [{ host: '*.co.uk' }, /others register/],
    [{ host: 'metadata.google.internal' }, /nobody may reach it/],
    [{ host: 'db.internal' }, /an owner alone/],
    [{ service: 'nowhere' }, /no service “nowhere”/],
    [{ service: 'anthropic' }, /exactly the one of its config/],
    [{ service: 'intranet' }, /an owner alone/],
  ])('is refused %j at once, and nobody is asked', async (content, words) => {
    const court = await setUp();
    court.spine.namedServices.set('anthropic', { ...GITHUB, name: 'anthropic', isModel: true });
    court.spine.namedServices.set('intranet', { ...GITHUB, name: 'intranet', isPrivate: true });
    expect(ask(court, content)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(words) });
    expect(court.pending()).toEqual([]);
  });

  it('gets a service without ever seeing its credential', async () => {
    const court = await setUp();
    ask(court, { service: 'github', methods: ['GET'] });
    const approval = pending(court);
    expect(approval.consequence).toContain(
      'the gateway adds the credential of github, at `https://api.github.com/`; the agent never sees it',
    );
    court.decide(approval, ADA);
    expect((await court.over(approval)).outcome).toContain('$HTTP_PROXY/service/github');
    expect(rules(court)).toMatchObject([{ host: null, port: null, service: 'github', methods: ['GET'] }]);
  });
});

describe('who approves', () => {
  it('approves what is so at the click: a service that became private is not given', async () => {
    const court = await setUp();
    ask(court, { service: 'github' });
    const approval = pending(court);
    court.spine.namedServices.set('github', { ...GITHUB, isPrivate: true });
    court.decide(approval, ADA);
    await until('it is over', () => court.get(approval.id).state !== 'pending');
    expect(court.get(approval.id).state).not.toBe('applied');
    expect(rules(court)).toEqual([]);
  });

  it('sees a wider rule that came meanwhile on a card put anew', async () => {
    const court = await setUp();
    ask(court, { host: 'api.example.com' });
    const first = pending(court);
    const wish = { host: 'api.example.com', service: null, port: 443, methods: ['GET'], pathPrefix: null };
    court.spine.access.allow(court.agent.id, wish, false, { by: ADA, approvalId: null, reason: null });
    court.decide(first, ADA);
    expect(court.get(first.id).state).toBe('superseded');
    expect(pending(court).consequence).toContain('widens what it may do there: today GET everywhere');
  });

  it('is shown a host and a reason that can look like nothing else', async () => {
    const court = await setUp();
    const reason = '”\n\nIf approved:\n- nothing happens `**Portolan asks:**` see https://evil.example';
    ask(court, { host: 'xn--pypal-4ve.com', reason });
    const approval = pending(court);
    await court.cardShows(approval, ADA, 'xn--pypal-4ve.com');
    const card = court.card(approval, ADA);
    expect(card).toContain('decoded it may look like another name');
    expect(card.match(/^If approved:$/gm)).toHaveLength(1);
    expect(card).not.toContain('**Portolan');
    expect(card).not.toContain('https://evil');
  });
});

describe('a crash', () => {
  it('Doubled: between the rule and the outcome makes one rule and one entry', async () => {
    const court = await setUp();
    ask(court, { host: 'api.example.com' });
    const approval = pending(court);
    let falls = 1;
    installFailpointHook((name) => {
      if (name === 'access.allowed' && falls-- > 0) throw Object.assign(new Error('cut'), { code: 'SQLITE_FULL' });
    });
    court.decide(approval, ADA);
    expect(await court.over(approval)).toMatchObject({ state: 'applied' });
    expect(falls).toBeLessThan(0);
    expect(rules(court)).toHaveLength(1);
    expect(court.spine.ledger.listAbout(ruleOf(approval.id), 10)).toHaveLength(1);
  });
});

describe('people', () => {
  const author = { by: ADA, approvalId: null, reason: null };
  const wish = { host: 'nas', service: null, port: 8080, methods: null, pathPrefix: null };

  it('give and take by hand, once each, with an entry for both', async () => {
    const { spine, agent } = await setUp();
    expect(spine.access.allow(agent.id, wish, false, author).kind).toBe('refuse');
    const given = spine.access.allow(agent.id, wish, true, author);
    if (given.kind !== 'allowed') throw new Error(given.kind);
    expect(given.rule).toMatchObject({ host: 'nas', isPrivate: true, approvalId: null });
    expect(spine.access.allow(agent.id, wish, true, author).kind).toBe('nothing');
    expect(spine.access.remove(makeId('agentGroup'), given.rule.id, ADA)).toBeNull();
    expect(spine.access.remove(agent.id, given.rule.id, ADA)).toMatchObject({ id: given.rule.id });
    expect(spine.access.remove(agent.id, given.rule.id, ADA)).toBeNull();
    expect(spine.ledger.listAbout(given.rule.id, 10).map(({ kind }) => kind)).toEqual([
      'access.allowed',
      'access.removed',
    ]);
    expect(spine.accessChanged).toEqual([agent.id, agent.id]);
  });

  it('make a rule private that was not, in its place', async () => {
    const { spine, agent } = await setUp();
    const open = { ...wish, host: 'git.example.com' };
    spine.access.allow(agent.id, open, false, author);
    expect(spine.access.allow(agent.id, open, true, author).kind).toBe('allowed');
    expect(spine.access.list(agent.id)).toMatchObject([{ host: 'git.example.com', isPrivate: true }]);
  });

  it('take all of it with the agent', async () => {
    const { spine, agent } = await setUp();
    spine.addAgent('other');
    spine.access.allow(agent.id, wish, true, author);
    const revision = spine.agents.get(agent.id)?.revision ?? 0;
    expect(spine.removals.remove(agent.id, revision, ADA)).toMatchObject({
      kind: 'removed',
      routes: { accessRules: 1 },
    });
    expect(spine.access.list(agent.id)).toEqual([]);
    expect(spine.accessChanged).toEqual([agent.id, agent.id]);
    expect(spine.access.allow(agent.id, wish, true, author)).toEqual({ kind: 'gone' });
  });
});
