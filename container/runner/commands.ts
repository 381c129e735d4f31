/**
 * The two commands that the runner itself obeys: clear and compact. What is a command, and who may give it, is the
 * host's decision.
 */
import type { InboundMessage } from './message.ts';

/**
 * By the word that the host's gate put into the row, never by the text: so runner and gate cannot differ, and who
 * writes `/clear` where the gate did not hear it, like another agent, has written a message.
 */
function commandOf({ kind, isTrigger, content }: InboundMessage): 'clear' | 'compact' | null {
  return kind === 'chat' && isTrigger ? (content.command ?? null) : null;
}

export type BatchPlan = { kind: 'turn' | 'clear' | 'compact'; messages: InboundMessage[] };

/**
 * What was said before a command is answered first, in a turn of its own. Context alone goes with what is cleared,
 * and stays where it is when the command is to compact: the next turn shows it.
 */
export function cutAtCommand(messages: readonly InboundMessage[]): BatchPlan {
  const at = messages.findIndex((message) => commandOf(message) !== null);
  const command = messages[at];
  if (command === undefined) return { kind: 'turn', messages: [...messages] };
  const before = messages.slice(0, at);
  if (before.some((message) => message.isTrigger)) return { kind: 'turn', messages: before };
  return commandOf(command) === 'compact'
    ? { kind: 'compact', messages: [command] }
    : { kind: 'clear', messages: [...before, command] };
}
