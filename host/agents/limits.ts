/** Limits of agents' life. Each names the cost of too high and too low. */

/** Agents of one host, removed ones not counted. Higher: a mistaken loop fills disk and lists. Lower: big teams do not fit. */
export const MAX_AGENTS = 200;
/** Agents that one agent may make in a day. Higher: one misled agent spends the host's places. Lower: real projects wait. */
export const MAX_MADE_PER_DAY = 20;
export const DAY_MS = 24 * 3_600_000;
/** An agent's name, characters. The table's CHECK says the same. */
export const MAX_NAME_LENGTH = 64;
/** A folder made from a name, without the number that may follow. Shorter than a name of the file system by far. */
export const MAX_FOLDER_LENGTH = 48;
/** Wait before open work is looked at again: the price of a lost doorbell, and of an engine that is away. */
export const LOOK_AGAIN_MS = 2_000;
