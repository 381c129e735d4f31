import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskFacts, hashRequest, planAsk, type RoleHolder } from '../../../host/approvals/plan.ts';
import type { JsonValue } from '../../../host/store/approvals.ts';
import type { MessagingGroupId } from '../../../shared/ids.ts';

function holder(name: string, role: 'owner' | 'admin', agentGroupId: string | null, chats: string[]): RoleHolder {
  return {
    personId: `test:${name}`,
    role,
    agentGroupId,
    chats: chats.map((chat) => ({ messagingGroupId: chat as MessagingGroupId, channelType: chat.split('-')[0] ?? '' })),
  };
}

const FACTS: AskFacts = {
  agentGroupId: 'agt_a',
  holders: [
    holder('olga', 'owner', null, ['web-olga']),
    holder('gus', 'admin', null, ['slack-gus', 'telegram-gus']),
    holder('ada', 'admin', 'agt_a', ['slack-ada', 'telegram-ada']),
    holder('ben', 'admin', 'agt_b', ['slack-ben']),
  ],
  preferredChannel: null,
  atLeast: 1,
  more: 0,
  voters: [],
  isAsked: () => false,
  isClosed: () => false,
};
const without = (...names: string[]) => FACTS.holders.filter(({ personId }) => !names.includes(personId.slice(5)));

describe('who is asked', () => {
  it.each<[string, Partial<AskFacts>, string | null]>([
    ['an admin of the agent before all', {}, 'slack-ada'],
    ['in the channel that the request came from', { preferredChannel: 'telegram' }, 'telegram-ada'],
    ['in another channel when there is none in that one', { preferredChannel: 'web' }, 'slack-ada'],
    ['a global admin when the agent has none', { holders: without('ada') }, 'slack-gus'],
    ['an owner at last', { holders: without('ada', 'gus') }, 'web-olga'],
    ['nobody else', { holders: without('ada', 'gus', 'olga') }, null],
    ['no agent’s admin about what is of no agent', { agentGroupId: null }, 'slack-gus'],
    ['the next chat when one is closed', { isClosed: (chat) => chat.channelType === 'slack' }, 'telegram-ada'],
    [
      'the next person when none of theirs is open',
      { isClosed: (chat) => chat.messagingGroupId.endsWith('ada') },
      'slack-gus',
    ],
    ['nobody while all are closed', { isClosed: () => true }, null],
  ])('%s', (_who, facts, chat) => {
    expect(planAsk({ ...FACTS, ...facts })).toEqual(chat === null ? [] : [chat]);
  });

  it('somebody who has a chat, whenever one is open and its person may decide', () => {
    const closed = fc.subarray(FACTS.holders.flatMap(({ chats }) => chats.map((chat) => chat.messagingGroupId)));
    fc.assert(
      fc.property(closed, fc.constantFrom(null, 'agt_a', 'agt_b', 'agt_c'), (shut, agentGroupId) => {
        const [chosen = null] = planAsk({
          ...FACTS,
          agentGroupId,
          isClosed: (chat) => shut.includes(chat.messagingGroupId),
        });
        const may = FACTS.holders.filter(
          ({ agentGroupId: of, role }) => role === 'owner' || of === null || of === agentGroupId,
        );
        const open = may
          .flatMap(({ chats }) => chats.map((chat) => chat.messagingGroupId))
          .filter((id) => !shut.includes(id));
        if (open.length === 0) expect(chosen).toBeNull();
        else expect(open).toContain(chosen);
      }),
    );
  });
});

describe('the hash of a request', () => {
  it('is the same whatever the order of its keys, and another for any other request', () => {
    expect(hashRequest('a', { x: 1, y: { b: [1, 2], a: null } })).toBe(
      hashRequest('a', { y: { a: null, b: [1, 2] }, x: 1 }),
    );
    expect(hashRequest('a', { x: 1 })).not.toBe(hashRequest('b', { x: 1 }));
    expect(hashRequest('a', { x: 1 })).not.toBe(hashRequest('a', { x: '1' }));
    expect(hashRequest('a', { x: [1, 2] })).not.toBe(hashRequest('a', { x: [2, 1] }));
    expect(hashRequest('a', {})).not.toBe(hashRequest('a', []));
    expect(hashRequest('a', { x: null })).not.toBe(hashRequest('a', {}));
  });

  it('tells any two payloads apart', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, (one, other) => {
        const [first, second] = [one, other].map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
        const same = hashRequest('a', first ?? null) === hashRequest('a', second ?? null);
        expect(same).toBe(isDeepStrictEqual(first, second));
      }),
    );
  });
});
