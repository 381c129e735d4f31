/** The runtime's limits. Each names the cost of too high and too low. */
import { RETRY_BASE_MS, STUCK_AFTER_MS } from '../../shared/limits.ts';

export interface RuntimePolicy {
  /** Idle this long: frozen. Higher: idle containers cost processor time. Lower: talks thaw all the time (12 ms). */
  pauseAfterMs: number;
  /** Idle this long, frozen or not: stopped. Higher: memory (about 20 MB each). Lower: more cold starts (0.4 s). */
  stopAfterMs: number;
  /** Between start and the runner's hello. Higher: a broken image shows late. Lower: a busy disk fails starts. */
  startTimeoutMs: number;
  /** Between SIGTERM and SIGKILL. Higher: slow restarts. Lower: commits are cut off, and must be rolled back. */
  graceMs: number;
  /** A claim and a heartbeat both older than this mean stuck; a tool in flight stretches it. */
  stuckAfterMs: number;
  /** Second look before a stuck container is stopped: after the machine slept, everything looks stuck at first. */
  suspectMs: number;
  /** One claim may stay open this long. Higher: a lost turn holds its place. Lower: long work is cut off. */
  maxTurnMs: number;
  /** Busy without a break for longer, it gives its place to a session that waits. Higher: a hostile agent holds places. */
  fairShareMs: number;
  /** A busy container is ended when a fresh one has waited for so long. Higher: approved changes come late. Lower: turns are cut. */
  freshPatienceMs: number;
  /** First delay after a failed run, doubled each time… */
  backoffMs: number;
  /** …up to this one. */
  backoffMaxMs: number;
  /** Failed runs in a row after which it waits for news, or for `giveUpMs`. */
  maxFailures: number;
  /** A session that failed too often tries again after this. Higher: a repaired cause shows late. Lower: pointless starts. */
  giveUpMs: number;
  /** Silence before freezing, so that no commit is under way. */
  quietMs: number;
  /** After a freeze that was taken back. */
  pauseAgainMs: number;
  /** A busy or locked container is looked at this often. Higher: pauses come late. Lower: reads for nothing. */
  lookAgainMs: number;
  /** While a session waits for a place, a busy container is looked at this often: it may be idle by now. */
  roomLookMs: number;
  /** Without an image: how often to look, beside the doorbell of a build's end. Higher: a lost one costs more. Lower: load. */
  imageAgainMs: number;
  /** Without room: how often to look, beside the doorbell of a free place. */
  roomAgainMs: number;
}

export const DEFAULT_POLICY: RuntimePolicy = {
  pauseAfterMs: 10_000,
  stopAfterMs: 15 * 60_000,
  startTimeoutMs: 30_000,
  graceMs: 5_000,
  stuckAfterMs: STUCK_AFTER_MS,
  suspectMs: 5_000,
  maxTurnMs: 2 * 60 * 60_000,
  fairShareMs: 30 * 60_000,
  freshPatienceMs: 10 * 60_000,
  backoffMs: RETRY_BASE_MS,
  backoffMaxMs: 5 * 60_000,
  maxFailures: 5,
  giveUpMs: 15 * 60_000,
  quietMs: 20,
  pauseAgainMs: 5_000,
  lookAgainMs: 5_000,
  roomLookMs: 1_000,
  imageAgainMs: 30_000,
  roomAgainMs: 5_000,
};

/** Containers are compared with the engine's list this often, as long as there are any. Higher: a lost event shows late. */
export const SWEEP_MS = 30_000;
/** First and longest pause between looks for an engine that is away. Higher: messages wait. Lower: load. */
export const ENGINE_RETRY_MS = 500;
export const ENGINE_RETRY_MAX_MS = 10_000;
/** The probe of a frozen container's locks. Longer: new messages for it wait behind the probe. */
export const PROBE_DEADLINE_MS = 1_000;
/** Steps of one session in a row. More means that a plan and its effect go in a circle: a bug. */
export const MAX_STEPS = 32;
/** Share of the machine's memory under which idle containers are stopped. Higher: needless cold starts. Lower: swapping. */
export const MIN_FREE_MEMORY = 0.05;
