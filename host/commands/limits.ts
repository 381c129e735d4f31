/** Limits of commands. Whoever can write in a chat can try these; each names the cost of too high and too low. */

/** Characters of a command with its arguments. Higher: long texts are looked at word by word. Lower: a reason is cut. */
export const MAX_COMMAND_LENGTH = 2_000;
/** Characters of an answer; chat platforms take about 4,000. Lower: lists are cut. */
export const MAX_ANSWER_LENGTH = 3_800;
/** Commands that one person may give at once, and how long until one more. Higher: a flood fills the chat. Lower: quick hands wait. */
export const BURST = 12;
export const ONE_MORE_AFTER_MS = 2_000;
/** The same for somebody whom the host does not know: they have little to ask. */
export const STRANGER_BURST = 4;
export const STRANGER_ONE_MORE_AFTER_MS = 15_000;
/** All strangers together, on all channels: many accounts are cheap. Lower: one flood keeps an owner from `/claim`. */
export const STRANGERS_BURST = 60;
export const STRANGERS_ONE_MORE_AFTER_MS = 500;
/** People whose pace is remembered. Higher: memory. Lower: many who take turns are not slowed. */
export const MAX_PACED = 10_000;
/** The same refusal of the same person is in the ledger once within this; all are counted. Higher: less is known. Lower: the ledger grows at a stranger's wish. */
export const REFUSAL_NOTED_ONCE_MS = 3_600_000;
/** Refusals in the ledger within that time, of everybody. */
export const MAX_REFUSALS_NOTED = 100;
/** Commands remembered as answered in chats where nothing is recorded. Higher: memory. Lower: told twice, they are answered twice. */
export const MAX_REMEMBERED = 1_000;
/** Agents, approvals or questions that one answer lists. Higher: walls of text. */
export const MAX_LISTED = 20;
/** Approvals looked through for those that one person may decide. Higher: work. Lower: a scoped admin's are not seen behind others'. */
export const MAX_LOOKED_THROUGH = 1_000;
/** Refused commands are counted in the database this long after. Higher: a crash forgets more. Lower: a flood commits more often. */
export const COUNT_AFTER_MS = 1_000;
/** People and chats that are counted for until then. Higher: memory. Lower: many who flood together cost a commit more often. */
export const MAX_GATHERED = 1_000;
