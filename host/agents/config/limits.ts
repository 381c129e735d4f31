/** Limits of agents' configs. Each names the cost of too high and too low. */

/** Folders of the machine in one agent's containers. Higher: nobody keeps track of what an agent sees. Lower: big jobs do not fit. */
export const MAX_MOUNTS = 20;
/** A container's memory, MB. Lower than the least: Node does not start. Higher than the most: one agent takes the machine's. */
export const MEMORY_MB = { least: 128, most: 65_536 } as const;
/** Its cores. Lower: minutes for one turn. Higher: one agent takes what all of them share. */
export const CPUS = { least: 0.1, most: 64 } as const;
/** Its processes and threads. Lower: a runner with a tool does not fit. Higher: a fork bomb is felt. */
export const PIDS = { least: 32, most: 4_096 } as const;
/**
 * What a container has unless its agent's config says otherwise, and the most that an admin of that agent alone may
 * give: the machine is shared. Higher: few containers fill it. Lower: a tool that compiles does not fit.
 */
export const DEFAULT_RESOURCES = { memoryMb: 512, cpus: 1, pids: 128 } as const;
/** Between two restarts that one session asks for. Higher: an agent waits for what it just installed. Lower: starts cost. */
export const RESTART_GAP_MS = 60_000;
/** Restarts that one session may ask for in RESTART_WINDOW_MS. Higher: one that restarts in a loop costs. Lower: honest work waits. */
export const MAX_RESTARTS = 6;
export const RESTART_WINDOW_MS = 3_600_000;
/** Sessions whose restarts are remembered. Higher: memory. Lower: an old one is forgotten, and may restart too often once. */
export const MAX_RESTARTING_SESSIONS = 1_000;
/** Characters of a ledger entry's text about a change; the history has the whole. Higher: entries grow. Lower: they say less. */
export const MAX_CHANGE_TEXT = 2_000;
