/** Clearing: the one command that the runner itself obeys. What is a command, and who may give it, is the host's decision. */
import type { InboundMessage } from './message.ts';

/**
 * By the word that the host's gate put into the row, never by the text: so runner and gate cannot differ, and who
 * writes `/clear` where the gate did not hear it, like another agent, has written a message.
 */
function isClear(message: InboundMessage): boolean {
  return message.kind === 'chat' && message.isTrigger && message.content.command === 'clear';
}

export type BatchPlan = { kind: 'turn' | 'clear'; messages: InboundMessage[] };

/** What was said before the command is answered first, in a turn of its own; context alone goes with it. */
export function cutAtClear(messages: readonly InboundMessage[]): BatchPlan {
  const at = messages.findIndex(isClear);
  if (at === -1) return { kind: 'turn', messages: [...messages] };
  const before = messages.slice(0, at);
  if (before.some((message) => message.isTrigger)) return { kind: 'turn', messages: before };
  return { kind: 'clear', messages: messages.slice(0, at + 1) };
}
