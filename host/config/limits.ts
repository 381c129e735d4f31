/** Limits of the host alone. Each names the cost of too high and too low. */

/** Session databases kept open. Higher: file handles and memory. Lower: each message opens one (about 1 ms). */
export const MAX_OPEN_INBOXES = 64;
/** Reading one outbound.db may take this long. Higher: a hostile database delays others. Lower: a slow disk quarantines. */
export const READ_DEADLINE_MS = 2_000;
/** Of that time a reader must have been at work, or its read blames nobody. Higher: who makes it wait is spared. Lower: a busy machine quarantines. */
export const READ_WORK_MS = 500;
/** A reader may take this long to start, which takes 60 ms. Higher: one that hangs shows late. Lower: a busy machine never reads. */
export const READER_START_MS = 30_000;
/** A read slower than this makes its session use the reader kept for slow ones. */
export const SLOW_READ_MS = 100;
/** Readers are ended when unused this long: each holds about 45 MB. Lower: more starts (60 ms each). */
export const READER_IDLE_MS = 30_000;
/** Waiting for a lock on inbound.db, which a hostile container may hold for ever; then it is stopped. */
export const INBOX_LOCK_DEADLINE_MS = 3_000;
/** Bytes that one read hands over at most; the rest comes with the next read. */
export const MAX_READ_BYTES = 4 * 1024 * 1024;
/** One call of a channel. Higher: a hung platform holds its conversation longer. Lower: slow uploads are cut. */
export const SEND_TIMEOUT_MS = 30_000;
/** Bytes of files that one session may send at once, and per minute after that. Higher: fills the host's disk. Lower: albums stall. */
export const OUTBOUND_BURST_BYTES = 300 * 1024 * 1024;
export const OUTBOUND_BYTES_PER_MINUTE = 30 * 1024 * 1024;
/** Deliveries of one session held in memory. Higher: a platform that is down fills it (64 KiB each). Lower: more reads. */
export const MAX_HELD_DELIVERIES = 400;
/** First and longest delay between attempts of one delivery. */
export const DELIVERY_BACKOFF_MS = 1_000;
export const DELIVERY_BACKOFF_MAX_MS = 5 * 60_000;
/** Attempts of one delivery: with the delays above about 25 minutes of a platform being away. */
export const MAX_DELIVERY_ATTEMPTS = 12;
/** Free disk under which new messages are refused. Lower: SQLite meets a full disk in the middle of a commit. */
export const MIN_FREE_DISK_BYTES = 64 * 1024 * 1024;
/** How long a measured free-disk figure holds. */
export const FREE_DISK_CACHE_MS = 1_000;
/** Sweep over sessions with a running container: the price of a lost doorbell. Never over idle ones. */
export const ACTIVE_SWEEP_MS = 2_000;
/** How often a running session's folders are measured. */
export const DISK_SWEEP_MS = 10_000;
/** How often agents may hand a matter on before a person is asked. Higher: a loop costs more. Lower: long chains of work stop. */
export const MAX_HOP = 20;
/** Messages between two agents, both directions together, within PAIR_WINDOW_MS. Higher: a loop costs more. Lower: lively work is stopped. */
export const PAIR_MESSAGES = 40;
export const PAIR_WINDOW_MS = 60_000;
/** Messages of one agent that a session of another has not done. Higher: a flood fills its inbox. Lower: senders wait. */
export const MAX_UNDONE_FROM_PEER = 200;
/** Messages to one agent that wait in a session's lane; more are refused. Higher: a pause fills memory. Lower: bursts are refused. */
export const MAX_WAITING_FOR_PEER = 100;
/** A held lane looks again after this, beside being nudged. Higher: late. Lower: looking costs. */
export const HOLD_RECHECK_MS = 10_000;
