/** When a person who waits is told that it takes long, and in which words. Pure. */

/**
 * A message that is worked on for this long, without a word of the agent in its chat, gets a notice. Higher:
 * people wonder whether anything happens. Lower: chats fill with notices of ordinary work.
 */
export const LONG_TURN_MS = 60_000;

/** Times are epoch ms. */
export interface NoteFacts {
  /** When work on the message began. */
  claimedAt: number;
  /** When the agent last wrote or edited something in that chat since, null when it has not. */
  lastWordAt: number | null;
}

export type NotePlan = { kind: 'tell' } | { kind: 'wait'; ms: number };

export function planNote({ claimedAt, lastWordAt }: NoteFacts, now: number): NotePlan {
  const dueAt = Math.max(claimedAt, lastWordAt ?? 0) + LONG_TURN_MS;
  return now >= dueAt ? { kind: 'tell' } : { kind: 'wait', ms: dueAt - now };
}

/** `timezone` is an IANA name that exists. */
export function describeLongTurn(sinceMs: number, timezone: string): string {
  const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: timezone });
  return `Still working on it since ${time.format(sinceMs)}. The answer comes here when it is ready.`;
}

export function describeTaken(ms: number, how: 'done' | 'failed'): string {
  const taken = formatDuration(ms);
  return how === 'done' ? `That took ${taken}.` : `That ended without success after ${taken}.`;
}

function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  const named = parts.map((part, at) => (part === 0 ? '' : `${part} ${['h', 'min', 's'][at]}`)).filter(Boolean);
  return named.join(' ') || '0 s';
}
