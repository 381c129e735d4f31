/** Limits of what waits for an admin. Strangers fill these; each names the cost of too high and too low. */

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

/** Messages that one sender may have waiting in one chat. Higher: a flood is let in at once. Lower: a story is cut. */
export const MAX_HELD_PER_SENDER = 20;
/** Their bytes, files included. Higher: strangers fill the disk. Lower: photographs are dropped. */
export const MAX_HELD_BYTES_PER_SENDER = 50 * MIB;
/** All that waits on this host. Higher: disk. Lower: a few chats' strangers shut out all others. */
export const MAX_HELD = 2_000;
export const MAX_HELD_BYTES = 512 * MIB;
/** Strangers of one agent that admins are asked about at once. Higher: one room full of bots floods the admins' chats. Lower: people wait for the first to be decided. */
export const MAX_WAITING_SENDERS = 20;
/** Chats that an owner is asked about at once. Higher: strangers fill the owner's chat. Lower: new chats wait. */
export const MAX_WAITING_CHATS = 5;
/** Chats that nobody listens in and the host knows all the same. Higher: strangers fill the list. Lower: new chats go unseen. */
export const MAX_UNWIRED_CHATS = 500;
/** How long an admin may take. Higher: strangers' messages lie about. Lower: a long weekend loses them. */
export const ADMISSION_OPEN_MS = 4 * DAY_MS;
/** Nothing is held longer, whatever became of its approval; above ADMISSION_OPEN_MS. */
export const MAX_HELD_MS = 7 * DAY_MS;
/** After a no, nobody is asked about this sender again for so long. Higher: a mistake lasts. Lower: admins are pestered. */
export const TURNED_AWAY_MS = 7 * DAY_MS;
/** After "Not now", nobody is asked about this chat again for so long. */
export const CHAT_NOT_NOW_MS = 7 * DAY_MS;
/** Agents that a card offers for a new chat: a question has ten options, two of which say no. */
export const MAX_OFFERED_AGENTS = 8;
/** First and longest wait before what was let in is received again after a fault. Higher: people wait. Lower: busy work. */
export const RELEASE_RETRY_MS = 1_000;
export const RELEASE_RETRY_MAX_MS = 5 * 60_000;
/** How often what is too old is looked for: the rows come by an index. */
export const SWEEP_HELD_MS = 3_600_000;
