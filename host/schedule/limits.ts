/** Limits of scheduling. Each names the cost of too high and too low. */

/** Open tasks of one session. Higher: its list is a long read for a model. Lower: a birthday calendar does not fit. */
export const MAX_OPEN_TASKS = 100;
/** Open tasks of all sessions of one agent. Higher: an agent fills the host's disk. Lower: busy agents are refused. */
export const MAX_OPEN_TASKS_OF_AGENT = 1_000;
/** One-time tasks of one session that fired within FIRED_WINDOW_MS, before the next may fire that soon. Higher: an agent that wakes itself spends money in a loop. Lower: a busy hour's reminders are refused. */
export const MAX_FIRED_ONCE = 60;
export const FIRED_WINDOW_MS = 3_600_000;
/** How far back `at` may lie: it fires at once. Higher: old times fire by mistake. Lower: "now" is refused after a slow turn. */
export const PAST_GRACE_MS = 60_000;
/** A run counts as missed when it fires later than this. Higher: `skip` fires late. Lower: a restart of the host loses runs. */
export const ON_TIME_MS = 60_000;
/** Missed runs counted, and given receipts. Higher: after a long stop the host stands still counting. Lower: "many" comes sooner. */
export const MAX_COUNTED_MISSED = 50;
/** Runs of one task before the agent at once, with the policy `all`. Higher: a flood after a long stop. Lower: more are lost. */
export const MAX_CATCH_UP = 20;
/** Tasks fired in one turn of the event loop. Higher: messages wait for their commits. Lower: many due at once take longer. */
export const MAX_DUE_AT_ONCE = 4;
/** Wait before a session that could not take its firing is tried again. Higher: late. Lower: a full disk is kept busy. */
export const FIRE_RETRY_MS = 1_000;
/**
 * Longest sleep of the timer: a clock that was set, or a machine that slept, is noticed after it.
 * Higher: late firings then. Lower: an idle host wakes up for nothing.
 */
export const MAX_SLEEP_MS = 30_000;
/** A prompt in the list that the agent reads, characters. Higher: a long file. Lower: prompts cannot be told apart. */
export const MAX_LISTED_PROMPT = 500;
