/** Which session a wiring's messages belong to. Pure. */
import { assertNever } from '../config/errors.ts';
import type { SessionKey } from '../store/sessions.ts';
import type { Wiring } from '../store/wirings.ts';

/** By the wiring's session mode. */
export function planSessionKey(
  wiring: Pick<Wiring, 'agentGroupId' | 'messagingGroupId' | 'sessionMode'>,
  threadId: string | null,
): SessionKey {
  const { agentGroupId, messagingGroupId } = wiring;
  switch (wiring.sessionMode) {
    case 'shared':
      return { agentGroupId, messagingGroupId, threadId: null };
    case 'per-thread':
      return { agentGroupId, messagingGroupId, threadId };
    case 'agent-shared':
      return { agentGroupId, messagingGroupId: null, threadId: null };
    default:
      return assertNever(wiring.sessionMode);
  }
}
