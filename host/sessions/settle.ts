/** Carries out what acks mean: in inbound.db first, then in the transcript. */
import type { MessageId } from '../../shared/ids.ts';
import { parseInboundContent } from '../../shared/messages.ts';
import { AGENT_CHANNEL } from '../../shared/protocol.ts';
import { assertNever } from '../config/errors.ts';
import { sessionsLog } from '../observe/logger.ts';
import type { Transcript } from '../store/transcript.ts';
import type { AckEffect } from './acks.ts';
import type { SessionRef } from './inbox.ts';
import type { InboxTables, OpenInbound } from './inbox-tables.ts';
import { showToSender } from './peer-copy.ts';

/** The host says something in the chat a message came from. `key` makes it once. */
export type TellChat = (ref: SessionRef, about: OpenInbound, key: string, text: string) => void;

/** How a run of a task ended. `note` is in words. */
export interface FiringEnd {
  outcome: 'answered' | 'quiet' | 'failed';
  note: string | null;
}

/** Notes the end of a run on its task's receipt. */
export type EndFiring = (id: MessageId, end: FiringEnd) => void;

/** Those of rows that are still open: what somebody stopped while this was read stays as it ended. */
export function keepOpen(tables: InboxTables, effects: readonly AckEffect[]): AckEffect[] {
  return effects.filter(({ id }) => tables.getStatus(id) === 'pending');
}

/** Inside an inbox transaction, of effects that `keepOpen` kept. */
export function writeAcks(tables: InboxTables, effects: readonly AckEffect[]): void {
  for (const effect of effects) {
    switch (effect.kind) {
      case 'read':
        break;
      case 'done':
        tables.setStatus(effect.id, 'done');
        break;
      case 'failed':
        tables.setStatus(effect.id, 'failed');
        break;
      case 'requeue':
        tables.requeue(effect.id, effect.tries, effect.processAfter);
        break;
      default:
        assertNever(effect);
    }
  }
}

/**
 * Before the transaction: a person is told first, and the row fails or waits for its next try after, so that a crash
 * in between tells again (and once, by its key) instead of never.
 */
export function tellFailures(
  ref: SessionRef,
  open: ReadonlyMap<string, OpenInbound>,
  effects: readonly AckEffect[],
  tellChat: TellChat,
): void {
  for (const effect of effects) {
    const about = open.get(effect.id);
    if (about === undefined || !about.trigger) continue;
    const reason = 'reason' in effect ? effect.reason.replace(/[.\s]+$/, '') : '';
    if (effect.kind === 'failed' && effect.tellChat) {
      const text = `I could not answer this message, and gave up after ${about.tries + 1} tries: ${reason}. Send it again to try once more.`;
      tellChat(ref, about, 'gave-up', `${text}${quote(about)}`);
    }
    // Another agent waits without being told, and nobody waits for a task.
    const isAwaited = about.kind === 'chat' && about.channelType !== AGENT_CHANNEL;
    if (effect.kind === 'requeue' && effect.tellChat && isAwaited) {
      tellChat(ref, about, 'still-trying', `I have no answer to this yet, and keep trying: ${reason}.${quote(about)}`);
    }
  }
}

function quote(about: OpenInbound): string {
  const parsed = parseInboundContent(about.content);
  if (!parsed.ok || parsed.value.text === '') return '';
  const line = parsed.value.text.split('\n', 1)[0] ?? '';
  return `\n\n> ${line.length > 120 ? `${line.slice(0, 120)}…` : line}`;
}

/** After the transaction. `open` are the rows as they were before it, by id. */
export function showAcks(
  ref: SessionRef,
  transcript: Transcript,
  open: ReadonlyMap<string, OpenInbound>,
  effects: readonly AckEffect[],
  endFiring: EndFiring,
): void {
  for (const effect of effects) {
    showAck(ref, transcript, effect);
    const end = open.get(effect.id)?.kind === 'task' ? describeEnd(effect) : null;
    if (end !== null) endFiring(effect.id, end);
    // One look-up, for messages of agents alone.
    if (open.get(effect.id)?.channelType === AGENT_CHANNEL) showAckToSender(transcript, effect);
  }
}

function showAck(ref: SessionRef, transcript: Transcript, effect: AckEffect): void {
  const only = { sessionId: ref.id, direction: 'in' } as const;
  switch (effect.kind) {
    case 'read':
      transcript.change(effect.id, { only, state: 'read', stamps: effect.stamps });
      break;
    case 'done': {
      const stateReason = effect.quiet ? 'its check found nothing to do' : null;
      transcript.change(effect.id, { only, state: 'answered', stateReason, stamps: effect.stamps });
      break;
    }
    case 'failed':
      transcript.change(effect.id, { only, state: 'failed', stateReason: effect.reason });
      // Not the reason: it may be the agent's own words, and stands with the message.
      sessionsLog.warn({ sessionId: ref.id, messageId: effect.id }, 'message failed');
      break;
    case 'requeue':
      transcript.change(effect.id, { only, state: 'queued', stateReason: `trying again: ${effect.reason}` });
      sessionsLog.info({ sessionId: ref.id, messageId: effect.id, tries: effect.tries }, 'message queued again');
      break;
    default:
      assertNever(effect);
  }
}

/** The agent that wrote it sees that it was read, answered, or given up. */
function showAckToSender(transcript: Transcript, effect: AckEffect): void {
  switch (effect.kind) {
    case 'read':
      showToSender(transcript, effect.id, { state: 'read' });
      break;
    case 'done':
      showToSender(transcript, effect.id, { state: 'answered', stateReason: null });
      break;
    case 'failed':
      showToSender(transcript, effect.id, { state: 'failed', stateReason: effect.reason });
      break;
    case 'requeue':
      break;
    default:
      assertNever(effect);
  }
}

function describeEnd(effect: AckEffect): FiringEnd | null {
  switch (effect.kind) {
    case 'done':
      return { outcome: effect.quiet ? 'quiet' : 'answered', note: null };
    case 'failed':
      return { outcome: 'failed', note: effect.reason };
    case 'read':
    case 'requeue':
      return null;
    default:
      return assertNever(effect);
  }
}
