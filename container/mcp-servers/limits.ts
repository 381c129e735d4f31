/** Limits on MCP servers, which are programs that nobody here wrote. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** From the start of a program until its tools are known. Higher: the first answer waits. Lower: slow starters are left out. */
export const START_DEADLINE_MS = 10_000;
/** One call. Higher: a hanging server holds a turn. Lower: a page that loads, or a search, is cut off. */
export const CALL_TIMEOUT_MS = 5 * 60_000;
/** What is declared to the host beyond a call's own time. */
export const CALL_SLACK_MS = 5_000;
/** First pause after a server went down, doubled each time. Higher: tools stay away. Lower: a broken one is started all the time. */
export const RESTART_BASE_MS = 1_000;
/** Longest pause. Higher: what was mended stays away. Lower: a broken one costs a start each time. */
export const RESTART_MAX_MS = 10 * 60_000;
/** Up this long, a server counts as sound again. Higher: old crashes count. Lower: a slow crash loop is never slowed. */
export const STABLE_AFTER_MS = 60_000;
/** Between SIGTERM and SIGKILL. Higher: the runner's own end takes long. Lower: servers cannot save what they hold. */
export const END_GRACE_MS = 300;
/** How long the pipes of a program that has ended are still read. Higher: a stray child delays the news. */
export const DRAIN_MS = 200;
/** From closed pipes to "it closed its output". Higher: a call fails late. Lower: on a busy machine an exit code is not told. */
export const EXIT_WAIT_MS = 2_000;

/** One message. Higher: memory. Lower: screenshots do not arrive. */
export const MAX_LINE_BYTES = 8 * MIB;
/** Nesting of a message. Higher: recursive code can overflow its stack. Lower: schemas of tools do not fit. */
export const MAX_MESSAGE_DEPTH = 100;
/** What waits for a server that does not read. Higher: memory. Lower: a burst of calls with files ends it. */
export const MAX_UNREAD_BYTES = 4 * MIB;
/** The time over which output is counted. */
export const FLOOD_WINDOW_MS = 10_000;
/** Standard output within that time. Higher: the runner is busy reading. Lower: real results end their server. */
export const MAX_OUTPUT_BYTES = 64 * MIB;
export const MAX_OUTPUT_MESSAGES = 20_000;
/** Standard error within that time. Lower: a chatty log ends its server. */
export const MAX_LOG_BYTES = 8 * MIB;
/** What is kept of standard error, to say why a server ended. */
export const LOG_TAIL_BYTES = 2 * KIB;

/** Of one result, as text. Higher: a model's window is full. Lower: documents are cut off. */
export const MAX_RESULT_BYTES = 64 * KIB;
/** Of one call's input, as JSON. */
export const MAX_INPUT_BYTES = 512 * KIB;
/** Tools of one server. Higher: a model is lost among them. */
export const MAX_TOOLS = 100;
/** Pages of a tool list. Higher: a list without an end. */
export const MAX_LIST_PAGES = 20;
/** One tool's schema. Higher: prompts are schemas alone. */
export const MAX_SCHEMA_BYTES = 16 * KIB;
/** Schemas and descriptions of all servers together, as JSON; programs beside the runner get the list in one reply. */
export const MAX_TOOLS_BYTES = MIB;
/** One tool's description. */
export const MAX_DESCRIPTION_CHARS = 2_000;
/** A server's own words, where they explain something. */
export const MAX_WORDS_CHARS = 500;
/** How soon a server's tools are listed again when it says that they changed. */
export const RELIST_AFTER_MS = 1_000;
