/** Limits of calls that test an agent's model. Each names the cost of too high and too low. */

/** From the start of its container to its word: more than the 60 s that the runner gives the server, so that it says so itself. Higher: what hangs holds the terminal. Lower: a cold local model looks dead. */
export const PROBE_DEADLINE_MS = 75_000;
/** How often is looked whether it ended. Higher: the answer waits. Lower: calls to the engine. */
export const PROBE_LOOK_MS = 100;
/** At a time, on the whole host. Higher: containers beside those that `maxRunning` counts. Lower: two people wait for each other. */
export const MAX_PROBES = 2;
/** Of one agent in PROBE_WINDOW_MS: each is a paid call. Higher: a page that asks in a loop costs money. Lower: who mends a key waits. */
export const MAX_PROBES_IN_WINDOW = 10;
export const PROBE_WINDOW_MS = 10 * 60_000;
/** Agents whose calls are remembered. Higher: memory. Lower: an old one is forgotten, and may test too often once. */
export const MAX_PROBED_AGENTS = 1_000;
/** Bytes of its word. Higher: memory for a hostile container. Lower: a server's reason is cut. */
export const MAX_PROBE_BYTES = 32 * 1024;
/** Asking a service which models it has. Higher: who waits for the list of a dead server waits. Lower: slow ones list none. */
export const LIST_DEADLINE_MS = 5_000;
/** Bytes of such a list. Higher: memory. Lower: large ones (OpenRouter's has 700 kB) are not read. */
export const MAX_LIST_BYTES = 4 * 1024 * 1024;
/** Names taken of it. Higher: long answers. Lower: a name that is there is said not to be. */
export const MAX_LISTED_MODELS = 2_000;
/** A probe needs no more than a runner that calls once. */
export const PROBE_LIMITS = {
  memoryBytes: 512 * 1024 * 1024,
  cpus: 1,
  pids: 64,
  fileSizeBytes: 1024 * 1024,
  openFiles: 256,
} as const;
