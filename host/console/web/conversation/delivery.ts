import type { Message } from '../client/types.ts';
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

/** How the state of a message looks, and what it says. Null: nothing worth saying. */
export function describeDelivery(message: Message): DeliveryLook | null {
  if (message.direction === 'in') return describeInbound(message);
  const { state } = message;
  switch (state) {
    case 'delivered':
      return null;
    case 'queued':
      return { ...QUIET, label: 'Waiting to be sent', icon: 'clock', loud: true };
    case 'sending':
      return { ...QUIET, label: 'Being sent', icon: 'clock', loud: true };
    case 'failed':
      return { label: 'Not sent', icon: 'warning', tone: 'bad', loud: true, canSettle: true };
    case 'refused':
      return { label: 'Refused', icon: 'warning', tone: 'bad', loud: true, canSettle: false };
    case 'unknown':
      return {
        label: 'It is not known whether this arrived',
        icon: 'warning',
        tone: 'warn',
        loud: true,
        canSettle: true,
      };
    case 'dropped':
      return { ...QUIET, label: 'Dropped', icon: 'close', loud: true };
    default:
      return null;
  }
}

function describeInbound(message: Message): DeliveryLook | null {
  const { state } = message;
  switch (state) {
    case 'queued':
      return { ...QUIET, label: 'Queued', icon: 'check' };
    case 'read':
      return { ...QUIET, label: 'Read by the agent', icon: 'checks' };
    case 'answered':
      return { ...QUIET, label: 'Answered', icon: 'checks', tone: 'good' };
    case 'context':
      return { ...QUIET, label: 'Kept as context; the agent was not woken', icon: 'check' };
    case 'failed':
      return { label: 'The agent could not answer', icon: 'warning', tone: 'bad', loud: true, canSettle: false };
    case 'refused':
      return { label: 'Refused', icon: 'warning', tone: 'bad', loud: true, canSettle: false };
    default:
      return null;
  }
}
