/** Limits of the provider `openai`: on a server that nobody here wrote, on a model's wishes, and on what is kept. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Times that tests may shorten. */
export interface Patience {
  /** From the request to the first byte. Higher: a dead server holds a turn. Lower: a local model that reads a long prompt is given up. */
  firstByteMs: number;
  /** Between two pieces of a stream. Higher: a hung stream holds a turn. Lower: long thoughts, which some servers hide, are cut off. */
  silenceMs: number;
}

export const PATIENCE: Patience = { firstByteMs: 240_000, silenceMs: 120_000 };

/** Calls of the model in one turn. Higher: a model that goes in circles spends money. Lower: long work ends half-way. */
export const MAX_STEPS = 100;
/** Times in a row that a model may write a call that cannot be read. Higher: money for nothing. Lower: a slip ends the turn. */
export const MAX_BROKEN_CALLS = 3;
/** Times that an answer which reached the limit of output is continued. Higher: a model that never ends spends money. Lower: long answers end half-way. */
export const MAX_CONTINUATIONS = 3;
/** Tokens of one answer, where the API wants the number. Higher: refused by small models. Lower: long files do not fit. */
export const MAX_OUTPUT_TOKENS = 32_000;
/** Tool calls of one step. Higher: one answer floods the machine. Lower: wide searches take more steps. */
export const MAX_CALLS_PER_STEP = 64;
/** Tools offered. Higher: OpenAI, which takes 128, refuses the request. Lower: tools of MCP servers are left out. */
export const MAX_TOOLS = 128;
/** One call's input, as JSON. Higher: memory. Lower: files that are written whole do not fit. */
export const MAX_INPUT_BYTES = 2 * MIB;
/** Text of one answer: a server that streams without an end is cut off here. Higher: memory. Lower: files that are written whole do not fit. */
export const MAX_ANSWER_BYTES = 4 * MIB;

/** A transcript on disk. Higher: slow to read at a start. Lower: compaction comes before the window is full. */
export const MAX_TRANSCRIPT_BYTES = 64 * MIB;

/** One picture, as APIs take them. */
export const MAX_IMAGE_BYTES = 5 * MIB;
/** One PDF. Higher: requests grow past what gateways take. Lower: scans are refused. */
export const MAX_PDF_BYTES = 20 * MIB;
/** Pictures and PDFs in one request, the newest. Higher: each call carries them all. Lower: albums are half seen. */
export const MAX_MEDIA_PER_REQUEST = 20;
/** All of them together in one request, before base64. Anthropic takes 32 MB as a whole. */
export const MAX_MEDIA_BYTES_PER_REQUEST = 20 * MIB;

/** Context window where nothing is known. Higher: small models answer with errors first. Lower: large ones forget early. */
export const DEFAULT_WINDOW_TOKENS = 128_000;
/** Of the window: past it, the older part is compacted. Higher: the next step may not fit. Lower: forgets early. */
export const COMPACT_AT = 0.75;
/** Of the window: what stays as it is when the rest is compacted. */
export const KEEP_AT = 0.25;
/** Of the window: enough when dropping old tool results alone leads here. */
export const DROPPED_ENOUGH_AT = 0.5;
/** Characters that count as a token where no server has counted. Lower: compacts early. Higher: late. */
export const CHARS_PER_TOKEN = 3.5;
/** What a picture counts, about. */
export const MEDIA_TOKENS = 1_600;
/** Tries of a summary, each with half of the text before it. */
export const MAX_SUMMARY_TRIES = 4;
/** A summary, as text. Higher: little is won. Lower: open work is forgotten. */
export const MAX_SUMMARY_CHARS = 24_000;

/** Lines of one reading of a file, and characters of one line. */
export const MAX_READ_LINES = 2_000;
export const MAX_LINE_CHARS = 2_000;
/** Text of one result of an own tool. Higher: a model's window is full. Lower: more readings. */
export const MAX_RESULT_BYTES = 48 * KIB;
/** A file that is edited. */
export const MAX_EDIT_BYTES = 8 * MIB;
/** A file that is looked at line by line. Higher: one reading takes seconds. */
export const MAX_READ_BYTES = 256 * MIB;
/** Names that one listing shows, and entries that it looks at. */
export const MAX_LISTED = 500;
export const MAX_WALKED = 50_000;
/** Seconds of a command when it names none, and at most. */
export const COMMAND_TIMEOUT_S = 120;
export const MAX_COMMAND_TIMEOUT_S = 1_800;
/** Output of a command that is read at all; one that prints more is ended. */
export const MAX_COMMAND_OUTPUT_BYTES = 64 * MIB;
/** How long a search may take. */
export const SEARCH_TIMEOUT_MS = 30_000;
/** Declared beyond a command's own time, so that the host's look at stuck turns comes later. */
export const TOOL_SLACK_MS = 10_000;
/** Commands of one turn whose children go on in the background. */
export const MAX_BACKGROUND = 16;
/** How long the pipes of a command that has ended are still read. Higher: a background child delays the result. */
export const DRAIN_MS = 150;
