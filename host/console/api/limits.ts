/** Limits of the API server. Each names the cost of too high and too low. */

/** Streams of events open at once. Higher: each change is written that often. Lower: many tabs are refused. */
export const MAX_EVENT_READERS = 64;
/** Of these, streams of one person who does not see everything. Higher: a few shut everybody out. Lower: many tabs are refused. */
export const MAX_OWN_EVENT_READERS = 8;
/**
 * Web chats that one person who does not see everything opens in a day. Each is a destination on its agent's chart,
 * which every session of it reads. Higher: one person makes it long. Lower: somebody who likes fresh chats waits.
 */
export const MAX_CHATS_PER_DAY = 50;
export const CHATS_WINDOW_MS = 24 * 3_600_000;
/** Bytes waiting for one slow reader. Higher: memory. Lower: a phone on a bad link is cut and resumes often. */
export const MAX_READER_BYTES = 4 * 1024 * 1024;
/** Messages told again to a reader that comes back; beyond it hears `reset` and fetches pages. */
export const MAX_REPLAY = 1_000;
export const HEARTBEAT_MS = 15_000;
/** Session news gathers this long: a burst of messages is one event per session. */
export const SESSION_NEWS_MS = 40;
/** A JSON body. Higher: memory per request. Lower: 64 KiB of text, escaped, no longer fits. */
export const MAX_JSON_BYTES = 512 * 1024;
/** Sockets open at once, pages and scripts together. */
export const MAX_CONNECTIONS = 256;
/** All headers of a request. Higher: memory per socket. Lower: browsers with many cookies of other programs here fail. */
export const MAX_HEADER_BYTES = 16 * 1024;
/** How often the next two are looked at; Node's own 30 s would make them that much longer. */
export const TIMEOUT_CHECK_MS = 5_000;
/** Time for a request's headers. Higher: idle sockets pile up. Lower: a slow link cannot ask. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** Time for a whole request, uploads included. */
export const REQUEST_TIMEOUT_MS = 15 * 60_000;
/** Silence on a socket, either way; event streams speak every HEARTBEAT_MS. Lower: stalled uploads are cut sooner. */
export const SILENCE_TIMEOUT_MS = 45_000;
/** Open requests may take this long to end when the host stops. */
export const DRAIN_MS = 2_000;
export const DRAIN_SWEEP_MS = 20;
/** Sessions looked at for one page of sessions in a state. Higher: one request is slow. Lower: short pages. */
export const MAX_SCANNED_SESSIONS = 2_000;
