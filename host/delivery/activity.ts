/**
 * What a chat sees of work under way: a typing sign while an agent works on a message of that chat, and one
 * notice when that takes long.
 *
 *   claimed ──► sign on, said again while it lasts ──► last claim of the place ended ──► sign off
 *           └─► nothing written there for LONG_TURN_MS ──► "Still working on it since 12:03." ──► "That took …"
 *
 * I1. Timers exist for claimed messages of sessions with a container alone; an idle session costs nothing.
 * I2. A notice is named after the message it is about: a restarted host says it once.
 * I3. A sign ends with its claim or with its container, whichever ends first.
 */
import type { MessageId, SessionId } from '../../shared/ids.ts';
import { toDiskFault } from '../config/errors.ts';
import { deliveryLog } from '../observe/logger.ts';
import type { AckEffect } from '../sessions/acks.ts';
import type { SessionRef } from '../sessions/inbox.ts';
import type { OpenInbound } from '../sessions/inbox-tables.ts';
import type { TellChat } from '../sessions/settle.ts';
import type { Transcript } from '../store/transcript.ts';
import type { Channel } from './channel.ts';
import { describeLongTurn, describeTaken, LONG_TURN_MS, planNote } from './long-turn.ts';

export interface ActivityParts {
  channels: ReadonlyMap<string, Channel>;
  transcript: Transcript;
  /** Says something in the chat of a message, once per key. */
  tellChat: TellChat;
  /** Changes what was said under a key, where the channel can. */
  amendChat: TellChat;
  /** IANA name: in which the people of this session read times. */
  timezoneOf: (ref: SessionRef) => string;
  /** Whether the session has a running container: marks of one that is gone mean nothing. */
  isRunning: (id: SessionId) => boolean;
  now: () => number;
}

/** Part of a sign's lifetime after which it is said again. Higher: it flickers on slow networks. Lower: more calls. */
const REFRESH_PART = 0.8;
/** Wait before a notice that the disk did not take is tried again. */
const TRY_AGAIN_MS = 5_000;

interface Claim {
  row: OpenInbound;
  sinceMs: number;
}

/** One session at work in one place. The oldest claim is the one that a notice is about. */
interface Turn {
  ref: SessionRef;
  place: string;
  claims: Map<MessageId, Claim>;
  note: NodeJS.Timeout | null;
  sign: NodeJS.Timeout | null;
}

export class Activity implements Disposable {
  readonly #parts: ActivityParts;
  readonly #turns = new Map<SessionId, Map<string, Turn>>();

  constructor(parts: ActivityParts) {
    this.#parts = parts;
  }

  /** What the runner's marks of one read meant; `open` are the rows they are about. */
  follow(ref: SessionRef, open: ReadonlyMap<string, OpenInbound>, effects: readonly AckEffect[]): void {
    for (const effect of effects) {
      const row = open.get(effect.id);
      if (row === undefined || !row.trigger) continue;
      if (effect.kind === 'read') this.#begin(ref, row, effect.stamps.claimed ?? this.#parts.now());
      else this.#end(ref, row, effect.kind);
    }
  }

  /** The session's container is gone: nobody works there now. */
  stopped(id: SessionId): void {
    const turns = this.#turns.get(id);
    if (turns === undefined) return;
    this.#turns.delete(id);
    for (const turn of turns.values()) this.#close(turn);
  }

  /** Places with work under way; for tests and figures. */
  get size(): number {
    let size = 0;
    for (const turns of this.#turns.values()) size += turns.size;
    return size;
  }

  #begin(ref: SessionRef, row: OpenInbound, claimedAt: number): void {
    if (row.channelType === null || row.platformId === null || !this.#parts.isRunning(ref.id)) return;
    const place = placeOf(row);
    const turns = this.#turns.get(ref.id) ?? new Map<string, Turn>();
    const turn: Turn = turns.get(place) ?? { ref, place, claims: new Map(), note: null, sign: null };
    if (turn.claims.has(row.id)) return;
    // A message that is tried again is waited for since its first claim.
    const sinceMs = this.#parts.transcript.peek(row.id)?.stamps.claimed ?? claimedAt;
    turn.claims.set(row.id, { row, sinceMs });
    if (turns.has(place)) return;
    turns.set(place, turn);
    this.#turns.set(ref.id, turns);
    this.#showSign(turn, row);
    this.#armNote(turn);
  }

  #end(ref: SessionRef, row: OpenInbound, how: 'done' | 'failed' | 'requeue'): void {
    // Said by this host or by one before it; a message that came a moment ago cannot have a notice.
    if (how !== 'requeue' && this.#parts.now() - row.timestamp >= LONG_TURN_MS) this.#amend(ref, row, how);
    const turns = this.#turns.get(ref.id);
    const turn = turns?.get(placeOf(row));
    if (turns === undefined || turn === undefined) return;
    const first = oldest(turn);
    if (!turn.claims.delete(row.id)) return;
    if (turn.claims.size > 0) {
      if (first?.row.id === row.id) this.#armNote(turn);
      return;
    }
    turns.delete(turn.place);
    if (turns.size === 0) this.#turns.delete(ref.id);
    this.#close(turn);
  }

  #close(turn: Turn): void {
    if (turn.note !== null) clearTimeout(turn.note);
    if (turn.sign !== null) clearInterval(turn.sign);
    const row = oldest(turn)?.row ?? parsePlace(turn.place);
    // Another agent may be at work in the same place.
    const isShared = [...this.#turns.values()].some((turns) => turns.has(turn.place));
    if (!isShared) this.#setTyping(row, false);
  }

  #showSign(turn: Turn, row: OpenInbound): void {
    const ability = this.#parts.channels.get(row.channelType ?? '')?.abilities.typing ?? null;
    if (ability === null) return;
    this.#setTyping(row, true);
    if (ability.lifetimeMs === null) return;
    turn.sign = setInterval(() => this.#setTyping(row, true), ability.lifetimeMs * REFRESH_PART).unref();
  }

  #setTyping({ channelType, platformId, threadId }: Place, typing: boolean): void {
    if (channelType === null || platformId === null) return;
    try {
      this.#parts.channels.get(channelType)?.setTyping?.({ platformId, threadId }, typing);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      deliveryLog.warn({ foreign: error, channelType }, 'a channel could not show a typing sign');
    }
  }

  #armNote(turn: Turn): void {
    const { transcript, now } = this.#parts;
    if (turn.note !== null) clearTimeout(turn.note);
    turn.note = null;
    const claim = oldest(turn);
    const shown = claim === undefined ? null : transcript.peek(claim.row.id);
    // Tasks and the host's own words have nobody who waits.
    if (claim === undefined || claim.row.kind !== 'chat') return;
    const lastWordAt = shown === null ? null : transcript.lastWordAfter(shown, turn.ref.agentGroupId);
    const plan = planNote({ claimedAt: claim.sinceMs, lastWordAt }, now());
    if (plan.kind === 'wait') turn.note = setTimeout(() => this.#armNote(turn), plan.ms).unref();
    else this.#tell(turn, claim);
  }

  #tell(turn: Turn, { row, sinceMs }: Claim): void {
    const text = describeLongTurn(sinceMs, this.#parts.timezoneOf(turn.ref));
    try {
      this.#parts.tellChat(turn.ref, row, NOTE, text);
    } catch (error) {
      if (toDiskFault(error) === null) throw error;
      turn.note = setTimeout(() => this.#armNote(turn), TRY_AGAIN_MS).unref();
    }
  }

  #amend(ref: SessionRef, row: OpenInbound, how: 'done' | 'failed'): void {
    const claimedAt = this.#parts.transcript.peek(row.id)?.stamps.claimed ?? row.timestamp;
    this.#parts.amendChat(ref, row, NOTE, describeTaken(this.#parts.now() - claimedAt, how));
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#turns.keys()]) this.stopped(id);
  }
}

/** The key of the notice, one per message. */
const NOTE = 'long-turn';

type Place = Pick<OpenInbound, 'channelType' | 'platformId' | 'threadId'>;

function placeOf({ channelType, platformId, threadId }: Place): string {
  return JSON.stringify([channelType, platformId, threadId]);
}

function parsePlace(place: string): Place {
  // Made by `placeOf`, of these three.
  const [channelType, platformId, threadId] = JSON.parse(place) as [string, string, string | null];
  return { channelType, platformId, threadId };
}

function oldest(turn: Turn): Claim | undefined {
  return turn.claims.values().next().value;
}
