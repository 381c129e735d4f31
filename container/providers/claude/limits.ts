/** Limits of the provider `claude`. Each names the cost of too high and too low. */
import { MAX_TOOL_TIMEOUT_MS } from '../../../shared/limits.ts';

const MIB = 1024 * 1024;

/** Tries again of one call, by the SDK, before the host tries the message again. Higher: people wait long without a word. Lower: a hiccup costs a turn. */
export const MAX_RETRIES = 3;
/** A wait that a server asks for and the turn sits out. Higher: the container idles. Lower: a short pause costs a turn. */
export const MAX_RETRY_WAIT_MS = 60_000;
/** A command that names no time of its own, and the most that it may name. Higher: a hanging one holds the turn. Lower: builds are cut off. */
export const BASH_TIMEOUT_MS = 120_000;
export const MAX_BASH_TIMEOUT_MS = 1_800_000;
/** Of its other tools: files, searches, pages. Higher: one that hangs holds the turn. Lower: slow pages are cut off. */
export const TOOL_TIMEOUT_MS = 120_000;
/** Of an agent below the agent, which has tools of its own. */
export const SUBAGENT_TIMEOUT_MS = MAX_TOOL_TIMEOUT_MS;
/** Of Portolan's own tools, which end by themselves: a question waits 10 minutes. Lower: it is cut off under people's hands. */
export const OWN_TOOL_TIMEOUT_MS = 900_000;
/** From the wish to stop to the end by force. Higher: the runner, which waits for half a second, leaves it behind. Lower: no good end. */
export const INTERRUPT_MS = 300;
/** From the last result to the end by force: the program writes its transcript down. Higher: people wait for a program that hangs. Lower: the next turn misses the end of this one. */
export const LEAVE_MS = 5_000;
/** One picture. Higher: the API, which takes 5 MB of base64, refuses the request. Lower: photographs are paths. */
export const MAX_IMAGE_BYTES = 3.75 * MIB;
/** One PDF. Higher: the request, at most 32 MB of base64, is refused. Lower: scans are paths. */
export const MAX_PDF_BYTES = 15 * MIB;
/** Pictures and PDFs of one prompt together. Higher: the request is refused. Lower: an album is shown in part. */
export const MAX_MEDIA_BYTES = 18 * MIB;
/** Kept of what the program prints beside its messages, for the log of one that crashed. Higher: the log grows. Lower: the cause is cut. */
export const MAX_STDERR_CHARS = 2_000;
/** Of a server's own words, or the gateway's. Higher: whole pages in a chat. Lower: what to do next is cut off. */
export const MAX_WORDS_CHARS = 600;
