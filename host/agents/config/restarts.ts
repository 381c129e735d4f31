/** How often sessions may have themselves restarted. In memory: after a restart of the host they begin anew. */
import type { MessageId, SessionId } from '../../../shared/ids.ts';
import { MAX_RESTARTING_SESSIONS, MAX_RESTARTS, RESTART_GAP_MS, RESTART_WINDOW_MS } from './limits.ts';

interface Granted {
  messageId: MessageId;
  at: number;
}

export type RestartVerdict = { kind: 'granted' } | { kind: 'refused'; waitMs: number };

/** Pure: `past` are those granted before, oldest first. */
export function planRestart(past: readonly Granted[], messageId: MessageId, now: number): RestartVerdict {
  // Answered before, and asked again after a fault: it is one restart.
  if (past.some((one) => one.messageId === messageId)) return { kind: 'granted' };
  const recent = past.filter(({ at }) => now - at < RESTART_WINDOW_MS);
  const newest = recent.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  const first = recent.at(-MAX_RESTARTS)?.at ?? Number.NEGATIVE_INFINITY;
  const freeAt = Math.max(newest + RESTART_GAP_MS, first + RESTART_WINDOW_MS);
  return now >= freeAt ? { kind: 'granted' } : { kind: 'refused', waitMs: freeAt - now };
}

export class RestartPace {
  readonly #granted = new Map<SessionId, Granted[]>();

  ask(sessionId: SessionId, messageId: MessageId, now: number): RestartVerdict {
    const past = this.#granted.get(sessionId) ?? [];
    const verdict = planRestart(past, messageId, now);
    if (verdict.kind === 'granted' && !past.some((one) => one.messageId === messageId)) {
      this.#granted.delete(sessionId);
      this.#granted.set(sessionId, [...past, { messageId, at: now }].slice(-MAX_RESTARTS));
      const [oldest] = this.#granted.keys();
      if (this.#granted.size > MAX_RESTARTING_SESSIONS && oldest !== undefined) this.#granted.delete(oldest);
    }
    return verdict;
  }
}

/** `43 s`, `12 min`. */
export function formatWait(waitMs: number): string {
  const seconds = Math.ceil(waitMs / 1_000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
