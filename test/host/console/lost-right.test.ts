/** Who lost a role in front of a card is told so; who never had it learns of no approval. */
import { describe, expect, it } from 'vitest';
import { type Caller, type ConsolePeople, idOf, startWithPeople } from '../../support/console-people.ts';

const WORDS = 'You may not decide this any more: the role that it takes was taken from you.';

async function decide(people: ConsolePeople, who: Caller, id: string) {
  const { status, json } = await people.call(who, `/approvals/${id}/decide`, {
    method: 'POST',
    json: { choice: 'Let in' },
  });
  return [status, json.error?.code, json.error?.message];
}

function revoke(people: ConsolePeople, from: 'ada' | 'gus', agentGroupId: ConsolePeople['main']['id'] | null) {
  const by = { userId: idOf('owner'), isMachine: true };
  const grant = { role: 'admin', agentGroupId } as const;
  const userId = idOf(from);
  expect(people.api.parts.people.revoke({ by, userId, grant }).kind).toBe('changed');
}

describe('a click on a card by somebody who lost the role', () => {
  it('is refused in words and recorded, and nothing is decided', async () => {
    const people = await startWithPeople();
    const { main, approvals } = people;
    revoke(people, 'ada', main.id);
    expect(await decide(people, 'ada', approvals.main)).toEqual([403, 'not_allowed', expect.stringContaining(WORDS)]);
    expect(people.api.parts.decisions.get(approvals.main)?.state).toBe('pending');
    expect(refusals(people, approvals.main)).toEqual([idOf('ada')]);
    // What it says is not for them any more.
    expect((await people.call('ada', `/approvals/${approvals.main}`)).status).toBe(404);
  });

  it('is so too for a global role, of any approval there was', async () => {
    const people = await startWithPeople();
    revoke(people, 'gus', null);
    for (const id of Object.values(people.approvals)) {
      expect(await decide(people, 'gus', id)).toEqual([403, 'not_allowed', expect.stringContaining(WORDS)]);
    }
  });

  it('tells of no approval of another agent, none that came after, and nothing who never had the role', async () => {
    const people = await startWithPeople();
    const { main, approvals } = people;
    revoke(people, 'ada', main.id);
    people.api.spine.now = () => Date.now() + 1_000;
    const later = people.addApproval(main);
    const none = await decide(people, 'ada', later.replace(/.{4}$/, '0000'));
    for (const id of [approvals.other, approvals.host, later]) expect(await decide(people, 'ada', id)).toEqual(none);
    for (const who of ['mia', 'rita', 'nora', 'bob'] as const) {
      expect([who, await decide(people, who, approvals.main)]).toEqual([who, none]);
    }
    expect(none[0]).toBe(404);
    expect(refusals(people, approvals.main)).toEqual([]);
  });
});

function refusals(people: ConsolePeople, id: string): (string | null)[] {
  const about = people.api.spine.ledger.listAbout(id, 100);
  return about.filter(({ kind }) => kind === 'approval.refused').map(({ actor }) => actor);
}
