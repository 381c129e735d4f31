/** `/clear`: the one command that the runner itself obeys. Who may say it is the host's decision. */
import type { InboundMessage } from './message.ts';

/**
 * Exactly `/clear` and nothing else, so that runner and gate cannot differ: `/clearx` and
 * `/clear the table` are messages like any other.
 */
export function isClearCommand(message: InboundMessage): boolean {
  return message.kind === 'chat' && message.isTrigger && message.content.text.trim() === '/clear';
}

export type BatchPlan = { kind: 'turn' | 'clear'; messages: InboundMessage[] };

/** What was said before the command is answered first, in a turn of its own; context alone goes with it. */
export function cutAtClear(messages: readonly InboundMessage[]): BatchPlan {
  const at = messages.findIndex(isClearCommand);
  if (at === -1) return { kind: 'turn', messages: [...messages] };
  const before = messages.slice(0, at);
  if (before.some((message) => message.isTrigger)) return { kind: 'turn', messages: before };
  return { kind: 'clear', messages: messages.slice(0, at + 1) };
}
