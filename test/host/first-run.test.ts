/** What a fresh home gets is made once, and the ledger tells of it. */
import { expect, test } from 'vitest';
import { ensureFirstRun, OWNER } from '../../host/first-run.ts';
import { Spine } from '../support/spine.ts';

test('the first agent and the first owner are in the ledger, once', () => {
  const spine = new Spine();
  expect(ensureFirstRun(spine, spine.now())).toBe(true);
  const told = () =>
    spine.ledger
      .listAbout(OWNER, 10)
      .map(({ kind, actor, detail }) => ({ kind, actor, role: detail.role, agent: detail.agent }));
  expect(told()).toEqual([{ kind: 'role.granted', actor: null, role: 'owner', agent: null }]);
  expect(spine.ledger.get(1)).toMatchObject({ kind: 'agent.made', actor: null, detail: { name: 'main' } });
  expect(ensureFirstRun(spine, spine.now())).toBe(false);
  expect(told()).toHaveLength(1);
  expect(spine.ledger.findBreak()).toBeNull();
});

test('a host that dies before the role is given gives it at its next start', () => {
  const spine = new Spine();
  const dying = {
    ...{ agents: spine.agents, chats: spine.chats, wirings: spine.wirings, sessions: spine.sessions },
    ...{ users: spine.users, ledger: spine.ledger },
    commit: <T>(work: () => T): T =>
      spine.commit(() => {
        const done = work();
        if (spine.users.hasOwner()) throw new Error('power cut');
        return done;
      }),
  };
  expect(() => ensureFirstRun(dying, spine.now())).toThrow('power cut');
  expect(spine.users.hasOwner()).toBe(false);
  expect(ensureFirstRun(spine, spine.now())).toBe(true);
  expect(spine.agents.list(10)).toHaveLength(1);
  expect(spine.ledger.listAbout(OWNER, 10)).toHaveLength(1);
});
