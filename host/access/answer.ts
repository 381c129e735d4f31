/** Who may answer a question, and who may decide an approval: by what holds at the click (I5). Pure. */

export interface AskedPersonFacts {
  /** Owner, admin or member of the agent group that asks. */
  isKnown: boolean;
  /** The agent's wiring in the chat where the question stands, null when it does not listen there. */
  wiring: { senderScope: 'all' | 'known' } | null;
  unknownSenderPolicy: 'strict' | 'request_approval' | 'public';
  /** The answer comes from within that chat; over the API anybody could name any message. */
  isInChat: boolean;
}

/** An agent's question: whoever could engage that agent in that chat right now. */
export function mayAnswerAgent(facts: AskedPersonFacts): boolean {
  if (facts.isKnown) return true;
  if (!facts.isInChat || facts.wiring === null) return false;
  return facts.wiring.senderScope === 'all' || facts.unknownSenderPolicy === 'public';
}

export interface Role {
  role: 'owner' | 'admin';
  /** Null: global. */
  agentGroupId: string | null;
}

/** An approval: owners, global admins, and admins of the agent group it is about. */
export function mayDecide(roles: readonly Role[], agentGroupId: string | null): boolean {
  return roles.some(
    ({ role, agentGroupId: of }) =>
      role === 'owner' || (role === 'admin' && (of === null || (agentGroupId !== null && of === agentGroupId))),
  );
}

/**
 * Whether this person's approval counts, where several people must approve: what they may decide now, they might when
 * it was asked, or one of the people would make another. `since` are the roles of today that they had then.
 */
export function countsAsVoice(
  quorum: number,
  roles: readonly Role[],
  since: readonly Role[],
  of: string | null,
): boolean {
  return mayDecide(roles, of) && (quorum === 1 || mayDecide(since, of));
}

/** How approvals are decided is for owners alone to change. */
export function isOwner(roles: readonly Role[]): boolean {
  return roles.some(({ role }) => role === 'owner');
}
