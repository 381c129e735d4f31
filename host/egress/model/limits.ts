/** Every bound of metering, with its cost. */

/** Bytes of a JSON key or value that are looked at. Higher: memory per call. Lower: a long model name is none. */
export const MAX_VALUE_BYTES = 256;
/** Keys of one object that is looked at. Higher: a body of keys alone takes the host's time. Lower: an odd client is refused. */
export const MAX_KEYS = 1_000;

/** Tokens that one answer may claim. Higher: sums could outgrow what a number holds. Lower: a real answer is not believed. */
export const MAX_CLAIMED_TOKENS = 1_000_000_000;
/**
 * Nano-dollars that one call may cost: $10,000. Higher: a false price and a server that claims tokens without end
 * outgrow what SQLite adds up. Lower: a dear call of a real model is summed up as less.
 */
export const MAX_CALL_NANOUSD = 10_000_000_000_000;
/** Searches of the web that one answer may claim. Higher and lower: the same. */
export const MAX_CLAIMED_SEARCHES = 1_000;
/** Models that one request may name. Higher: each is looked up, and one body holds millions. Lower: an odd client is refused. */
export const MAX_NAMED_MODELS = 4;

/**
 * Where a provider gives no numbers: bytes that count as one token. English has about four, code and JSON three.
 * Higher: calls without numbers are counted too low, and a container could spend more than its budget. Lower: honest
 * ones are charged several times what they cost.
 */
export const BYTES_PER_TOKEN = 3;
/** Tokens of a picture, however few bytes it has here. Higher and lower: the same. */
export const TOKENS_PER_PICTURE = 4_000;
/** Tokens that a model may have written in a second before a call was cut off without a word. Higher and lower: the same. */
export const TOKENS_PER_SECOND = 100;
/** Without a word for longer than this, a model is taken to think unseen. Higher: hidden thought is counted too low. Lower: slow servers are charged for what they did not write. */
export const UNSEEN_AFTER_MS = 2_000;

/** Tokens of an answer that a call under way holds of a budget when it says no bound of its own; and the most it holds. Higher: calls side by side wait for each other near a cap. Lower: they pass it by more. */
export const RESERVED_OUTPUT_TOKENS = 4_096;
export const MAX_RESERVED_OUTPUT_TOKENS = 32_768;

/** Longest that a call waits to be written down, and how much a crash of the host forgets. Higher: more is forgotten. Lower: commits get in the way of messages. */
export const FLUSH_WITHIN_MS = 250;
/** Wait before a full disk is tried again. Higher: late sums. Lower: busy work. */
export const FLUSH_RETRY_MS = 2_000;
/** Calls that wait for the disk; past it no call is let through, for nobody could say what it cost. Higher: memory. Lower: a short trouble of the disk stops the agents. */
export const MAX_PENDING_CALLS = 10_000;

/** Single calls are kept this long; the sums of days stay. Higher: the table grows. Lower: a month cannot be looked into. */
export const CALLS_KEPT_MS = 90 * 86_400_000;
/** And no more than the newest so many (250 bytes each). Higher: a container that calls without end takes the disk. Lower: a busy host sees less of its past. */
export const MAX_CALLS_KEPT = 1_000_000;
/** Old calls removed with one flush, and the wait between two. Higher: a longer stop. Lower: the table shrinks late. */
export const PRUNED_AT_ONCE = 1_000;
export const PRUNE_EVERY_MS = 60_000;
