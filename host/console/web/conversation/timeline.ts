import type { Message, Session } from '../client/types.ts';
import type { Pending } from '../state/pending.ts';

/** People's ids begin with the name of their platform and a colon. */
const AGENT_ID_PREFIX = 'agt_';
/** Messages of one author within this time share one heading. */
const GROUP_MS = 5 * 60_000;

export type Row =
  | { kind: 'day'; key: string; at: number }
  | { kind: 'unread-mark'; key: string }
  | {
      kind: 'message';
      key: string;
      message: Message;
      mine: boolean;
      elsewhere: string | null;
      startsGroup: boolean;
      latestMine: boolean;
    }
  | { kind: 'pending'; key: string; pending: Pending; startsGroup: boolean };

export interface TimelineFacts {
  messages: readonly Message[];
  pending: readonly Pending[];
  session: Pick<Session, 'chatId'> | null;
  myUserId: string | null;
  /** Position after which messages were unread when the conversation was opened; null: none were. */
  readUpTo: number | null;
  /** Start of the local day of a time, epoch ms. */
  startOfDay: (at: number) => number;
}

/** The rows of a conversation, top to bottom: day lines, the unread mark, messages, then what is not yet sent. */
export function planTimeline(facts: TimelineFacts): Row[] {
  const rows: Row[] = [];
  const latestMine = facts.messages.findLast((message) => isMine(message, facts))?.id;
  let last: { at: number; author: string } | null = null;
  let marked = facts.readUpTo === null;

  for (const message of facts.messages) {
    last = addDay(rows, last, message.createdAt, facts.startOfDay);
    if (!marked && message.direction === 'out' && message.position > (facts.readUpTo ?? 0)) {
      rows.push({ kind: 'unread-mark', key: 'unread-mark' });
      marked = true;
      last = null;
    }
    const mine = isMine(message, facts);
    const elsewhere =
      message.direction === 'out' && message.chatId !== facts.session?.chatId ? message.destination : null;
    const author = `${message.kind} ${mine ? 'me' : (message.author.id ?? message.author.name)} ${elsewhere ?? ''}`;
    const startsGroup = last === null || last.author !== author || message.createdAt - last.at > GROUP_MS;
    rows.push({
      kind: 'message',
      key: message.id,
      message,
      mine,
      elsewhere,
      startsGroup,
      latestMine: message.id === latestMine,
    });
    last = { at: message.createdAt, author };
  }
  for (const pending of facts.pending) {
    if (isShownByMessage(pending)) continue;
    last = addDay(rows, last, pending.createdAt, facts.startOfDay);
    const startsGroup = last === null || last.author !== 'chat me ';
    rows.push({ kind: 'pending', key: pending.clientId, pending, startsGroup });
    last = { at: pending.createdAt, author: 'chat me ' };
  }
  return rows;
}

/** The host's own copy is on the page already; this send only waits for its answer. */
function isShownByMessage(pending: Pending): boolean {
  return pending.matchedId !== null && pending.status.kind === 'sending';
}

/** Another agent wrote it into this conversation. */
export function isFromAgent({ direction, author }: Pick<Message, 'direction' | 'author'>): boolean {
  return direction === 'in' && author.id?.startsWith(AGENT_ID_PREFIX) === true;
}

/** Several people may write into one chat: whose it is says its author alone. */
function isMine(message: Message, facts: Pick<TimelineFacts, 'myUserId'>): boolean {
  return message.direction === 'in' && message.kind === 'chat' && message.author.id === facts.myUserId;
}

function addDay<T extends { at: number } | null>(
  rows: Row[],
  last: T,
  at: number,
  startOfDay: TimelineFacts['startOfDay'],
): T | null {
  const day = startOfDay(at);
  const lastDay = rows.findLast((row) => row.kind === 'day');
  if (lastDay?.kind === 'day' && lastDay.at === day) return last;
  rows.push({ kind: 'day', key: `day-${day}`, at: day });
  return null;
}
