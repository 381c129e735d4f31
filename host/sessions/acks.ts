/** What the runner's marks in `processing` mean for the inbound rows. Pure; nothing the container says is believed beyond its own work. */
import { z } from 'zod';
import type { MessageId } from '../../shared/ids.ts';
import { LONGEST_RETRY_MS, MAX_TRIES, RETRY_BASE_MS } from '../../shared/limits.ts';
import { STAGES, type Stage, type Stamps } from '../../shared/trace.ts';
import type { OpenInbound } from './inbox-tables.ts';
import type { RawProcessing } from './reader-protocol.ts';

export type AckEffect =
  | { kind: 'read'; id: MessageId; stamps: Stamps }
  /** `quiet`: a task's check decided that there was nothing to wake the agent for. */
  | { kind: 'done'; id: MessageId; stamps: Stamps; quiet: boolean }
  /** `tellChat`: it takes so long that the person hears of it. */
  | { kind: 'requeue'; id: MessageId; tries: number; processAfter: number; reason: string; tellChat: boolean }
  /** `tellChat`: the runner did not tell the person, so the host does. */
  | { kind: 'failed'; id: MessageId; reason: string; tellChat: boolean };

/** Stages that the container stamps; others it may not claim. */
const CONTAINER_STAGES: readonly Stage[] = ['claimed', 'provider_started', 'first_output', 'row_committed'];

/** Tries that failed before a person is told; the third is 15 s after the first. Higher: silence. Lower: noise at each hiccup. */
const TELL_AFTER_TRIES = 3;

const noteSchema = z
  .object({
    error: z.string().max(500).optional(),
    retryable: z.boolean().optional(),
    retryAfterMs: z.number().int().nonnegative().optional().catch(undefined),
    quiet: z.boolean().optional(),
  })
  .loose();

/** Null when the mark says nothing new: it is older than the row's present try. */
export function planAck(open: OpenInbound, mark: RawProcessing, now: number): AckEffect | null {
  if (isStale(open, mark)) return null;
  const note = parseNote(mark.note);
  const stamps = readStamps(note, open.timestamp, now);
  switch (mark.state) {
    case 'claimed':
      return { kind: 'read', id: open.id, stamps: { claimed: clamp(mark.changedAt, open.timestamp, now), ...stamps } };
    case 'done':
      return { kind: 'done', id: open.id, stamps, quiet: open.kind === 'task' && note.quiet === true };
    case 'failed': {
      const reason = note.error ?? 'the agent failed without a reason';
      if (note.retryable === true) return planRetry(open, reason, now, note.retryAfterMs);
      return { kind: 'failed', id: open.id, reason, tellChat: false };
    }
    default:
      return null;
  }
}

/** A claim of a container that is gone: one more try with back-off, or a visible failure. */
export function planLostClaim(open: OpenInbound, mark: RawProcessing, reason: string, now: number): AckEffect | null {
  if (mark.state !== 'claimed' || isStale(open, mark)) return null;
  return planRetry(open, reason, now);
}

/** A mark counts for the present try alone: each requeue moves `process_after` past the marks before it. */
export function isStale(open: Pick<OpenInbound, 'processAfter' | 'tries'>, mark: RawProcessing): boolean {
  return open.tries > 0 && open.processAfter !== null && mark.changedAt < open.processAfter;
}

/** Back-off 5, 10, 20, 40 s, or as long as a server outside asked for, then failed. Source: architecture §7. */
function planRetry(open: OpenInbound, reason: string, now: number, askedMs = 0): AckEffect {
  const tries = open.tries + 1;
  if (tries >= MAX_TRIES) return { kind: 'failed', id: open.id, reason, tellChat: true };
  const processAfter = now + Math.max(RETRY_BASE_MS * 2 ** open.tries, Math.min(askedMs, LONGEST_RETRY_MS));
  return { kind: 'requeue', id: open.id, tries, processAfter, reason, tellChat: tries === TELL_AFTER_TRIES };
}

function parseNote(note: string | null): z.infer<typeof noteSchema> {
  if (note === null) return {};
  try {
    const parsed = noteSchema.safeParse(JSON.parse(note));
    return parsed.success ? parsed.data : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function readStamps(note: Record<string, unknown>, earliest: number, now: number): Stamps {
  const stamps: Stamps = {};
  for (const stage of STAGES) {
    const at = note[stage];
    if (CONTAINER_STAGES.includes(stage) && typeof at === 'number' && Number.isFinite(at)) {
      stamps[stage] = clamp(at, earliest, now + 1_000);
    }
  }
  return stamps;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
