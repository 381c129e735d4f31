/**
 * Brings what the person wrote to the host.
 *
 * I1. Sends of one session go one at a time, in the order they were written.
 * I2. A send leaves the outbox only when the host has answered with its message, or the person discards it.
 */
import * as api from '../client/api.ts';
import { describeProblem } from '../client/fault.ts';
import { detach } from './detach.ts';
import type { Outbox } from './outbox.ts';
import type { Pending } from './pending.ts';
import { makeClientId } from './pending.ts';
import type { Change, ConsoleState } from './state.ts';

/** A send that the host did not answer is tried again after this, and whenever the connection comes back. */
const RESEND_MS = 5_000;

export interface Sender {
  send(sessionId: string, text: string, files: readonly File[]): void;
  retry(clientId: string): void;
  /** Takes back a send that failed. */
  discard(clientId: string): void;
  /** Takes up what an earlier page left unsent. */
  restore(): Promise<void>;
  /** The host is back: what failed only for its absence goes out. */
  resume(): void;
}

export interface SenderParts {
  outbox: Outbox;
  getState(): ConsoleState;
  apply(change: Change): void;
  /** The host did not answer: the connection may be gone. */
  onHostAway(): void;
  /** The host has it. */
  onSent(pending: Pending): void;
}

export function createSender({ outbox, getState, apply, onHostAway, onSent }: SenderParts): Sender {
  const sendingSessions = new Set<string>();

  function pumpSession(sessionId: string): void {
    if (sendingSessions.has(sessionId)) return;
    const queue = getState().pending.filter((one) => one.sessionId === sessionId && !isRefused(one));
    const next = queue[0];
    // I1: while the oldest waits for the host to come back, so do those written after it.
    if (next === undefined || next.status.kind !== 'waiting') return;
    sendingSessions.add(sessionId);
    detach(
      sendOne(next).finally(() => {
        sendingSessions.delete(sessionId);
        pumpSession(sessionId);
      }),
    );
  }

  async function sendOne(pending: Pending): Promise<void> {
    const { clientId } = pending;
    const progress = (sentBytes: number, totalBytes: number) =>
      apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'sending', sentBytes, totalBytes } } });
    progress(0, 0);
    try {
      const message = await api.postMessage(pending, progress);
      apply({ kind: 'pending-done', clientId, message });
      await outbox.remove(clientId);
      onSent(pending);
    } catch (error) {
      const problem = describeProblem(error);
      apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'failed', problem } } });
      if (problem.hostAway) {
        onHostAway();
        setTimeout(() => retry(clientId), RESEND_MS);
      }
    }
  }

  function retry(clientId: string): void {
    const pending = getState().pending.find((one) => one.clientId === clientId);
    if (pending === undefined || pending.status.kind !== 'failed') return;
    apply({ kind: 'pending-changed', clientId, change: { status: { kind: 'waiting' } } });
    pumpSession(pending.sessionId);
  }

  return {
    send(sessionId, text, files) {
      const pending: Pending = {
        clientId: makeClientId(),
        sessionId,
        text,
        files,
        createdAt: Date.now(),
        status: { kind: 'waiting' },
        matchedId: null,
      };
      apply({ kind: 'pending-added', pending: [pending] });
      detach(outbox.put(pending).then(() => pumpSession(sessionId)));
    },
    retry,
    discard(clientId) {
      apply({ kind: 'pending-removed', clientId });
      detach(outbox.remove(clientId));
    },
    async restore() {
      const pending = await outbox.all();
      apply({ kind: 'pending-added', pending });
      for (const sessionId of new Set(pending.map((one) => one.sessionId))) pumpSession(sessionId);
    },
    resume() {
      for (const { clientId, status } of getState().pending) {
        if (status.kind === 'failed' && status.problem.hostAway) retry(clientId);
      }
    },
  };
}

/** The host has it and said no: it stays for the person to decide, and holds nothing up. */
function isRefused(pending: Pending): boolean {
  return pending.status.kind === 'failed' && !pending.status.problem.hostAway;
}
