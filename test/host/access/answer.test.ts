import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type AskedPersonFacts, mayAnswerAgent, mayDecide } from '../../../host/access/answer.ts';

const STRANGER: AskedPersonFacts = {
  isKnown: false,
  wiring: { senderScope: 'known' },
  unknownSenderPolicy: 'strict',
  isInChat: true,
};

describe('an agent’s question', () => {
  it.each<[string, Partial<AskedPersonFacts>, boolean]>([
    ['a stranger where only known people are heard', {}, false],
    ['a stranger who waits for an admin', { unknownSenderPolicy: 'request_approval' }, false],
    ['a stranger where everybody is heard', { wiring: { senderScope: 'all' } }, true],
    ['a stranger in a public chat', { unknownSenderPolicy: 'public' }, true],
    ['a stranger where the agent only sends', { wiring: null, unknownSenderPolicy: 'public' }, false],
    ['a stranger over the API', { wiring: { senderScope: 'all' }, isInChat: false }, false],
    ['a known person', { isKnown: true }, true],
    ['a known person over the API', { isKnown: true, isInChat: false }, true],
    ['a known person where the agent only sends', { isKnown: true, wiring: null }, true],
  ])('%s', (_who, facts, expected) => {
    expect(mayAnswerAgent({ ...STRANGER, ...facts })).toBe(expected);
  });
});

test('without a role nobody decides, and an admin of another agent does not', () => {
  expect(mayDecide([], null)).toBe(false);
  expect(mayDecide([], 'agt_a')).toBe(false);
  expect(mayDecide([{ role: 'admin', agentGroupId: 'agt_b' }], 'agt_a')).toBe(false);
  expect(mayDecide([{ role: 'admin', agentGroupId: 'agt_a' }], null)).toBe(false);
  expect(mayDecide([{ role: 'admin', agentGroupId: 'agt_a' }], 'agt_a')).toBe(true);
  expect(mayDecide([{ role: 'admin', agentGroupId: null }], 'agt_a')).toBe(true);
  expect(mayDecide([{ role: 'admin', agentGroupId: null }], null)).toBe(true);
  expect(mayDecide([{ role: 'owner', agentGroupId: null }], 'agt_a')).toBe(true);
});

test('no right is made by having less', () => {
  const role = fc.record({
    role: fc.constantFrom('owner' as const, 'admin' as const),
    agentGroupId: fc.constantFrom(null, 'agt_a', 'agt_b'),
  });
  fc.assert(
    fc.property(
      fc.array(role, { maxLength: 4 }),
      fc.constantFrom(null, 'agt_a', 'agt_b'),
      fc.nat(3),
      (roles, agent, at) => {
        const fewer = roles.filter((_one, index) => index !== at);
        if (mayDecide(fewer, agent)) expect(mayDecide(roles, agent)).toBe(true);
      },
    ),
  );
});
