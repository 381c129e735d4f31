/** Limits of agents' configs. Each names the cost of too high and too low. */

/** Folders of the machine in one agent's containers. Higher: nobody keeps track of what an agent sees. Lower: big jobs do not fit. */
export const MAX_MOUNTS = 20;
/** A container's memory, MB. Lower than the least and Node does not start; higher than the most is a typing error. */
export const MEMORY_MB = { least: 128, most: 1_048_576 } as const;
/** Its cores. Lower: minutes for one turn. Higher: no machine has them. */
export const CPUS = { least: 0.1, most: 512 } as const;
/** Its processes and threads. Lower: a runner with a tool does not fit. Higher: a fork bomb is felt. */
export const PIDS = { least: 32, most: 32_768 } as const;
/** Between two restarts that one session asks for. Higher: an agent waits for what it just installed. Lower: starts cost. */
export const RESTART_GAP_MS = 60_000;
/** Restarts that one session may ask for in RESTART_WINDOW_MS. Higher: one that restarts in a loop costs. Lower: honest work waits. */
export const MAX_RESTARTS = 6;
export const RESTART_WINDOW_MS = 3_600_000;
/** Sessions whose restarts are remembered. Higher: memory. Lower: an old one is forgotten, and may restart too often once. */
export const MAX_RESTARTING_SESSIONS = 1_000;
/** Characters of a ledger entry's text about a change; the history has the whole. Higher: entries grow. Lower: they say less. */
export const MAX_CHANGE_TEXT = 2_000;
