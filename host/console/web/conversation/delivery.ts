import type { Message } from '../client/types.ts';
import { assertNever } from '../state/assert.ts';
import type { IconName } from '../style/icon-paths.ts';

export interface DeliveryLook {
  label: string;
  icon: IconName;
  tone: 'quiet' | 'good' | 'warn' | 'bad';
  /** Worth words and not only a small mark. */
  loud: boolean;
  /** The person can decide: send once more, or let it be. */
  canSettle: boolean;
}

const QUIET = { tone: 'quiet', loud: false, canSettle: false } as const;
const BAD = { icon: 'warning', tone: 'bad', loud: true, canSettle: false } as const;

/** How the state of a message looks, and what it says. Null: nothing worth saying. */
export function describeDelivery(message: Message): DeliveryLook | null {
  const incoming = message.direction === 'in';
  switch (message.state) {
    case 'queued':
      return incoming
        ? { ...QUIET, label: 'Queued', icon: 'check' }
        : { ...QUIET, label: 'Waiting to be sent', icon: 'clock', loud: true };
    case 'read':
      return { ...QUIET, label: 'Read by the agent', icon: 'checks' };
    case 'answered':
      return { ...QUIET, label: 'Answered', icon: 'checks', tone: 'good' };
    case 'context':
      return { ...QUIET, label: 'Kept as context; the agent was not woken', icon: 'check' };
    case 'sending':
      return { ...QUIET, label: 'Being sent', icon: 'clock', loud: true };
    case 'delivered':
      return null;
    case 'failed':
      if (incoming) return { ...BAD, label: 'The agent could not answer' };
      // Without a chat it was for another agent, which may have had it and given up.
      return message.chatId === null
        ? { ...BAD, label: 'The other agent did not take it' }
        : { ...BAD, label: 'Not sent', canSettle: true };
    case 'refused':
      return { ...BAD, label: 'Refused' };
    case 'unknown':
      return { ...BAD, label: 'It is not known whether this arrived', tone: 'warn', canSettle: true };
    case 'dropped':
      return { ...QUIET, label: 'Dropped', icon: 'close', loud: true };
    default:
      return assertNever(message.state);
  }
}
