/** Limits of builds. Each names the cost of too high and too low. */

const MIB = 1024 * 1024;

/** From start to end of one build. Higher: a package that loops holds all other builds up. Lower: large ones never end. */
export const BUILD_DEADLINE_MS = 15 * 60_000;
/** Without a line of output. Higher: a hung mirror shows late. Lower: a long compilation is cut off. */
export const BUILD_SILENCE_MS = 5 * 60_000;
/** How often a build that runs is looked at: deadline, disk, its agent. Higher: each shows later. Lower: load. */
export const WATCH_MS = 1_000;
/** What one build may print. Higher: a package that prints for ever burns processor. Lower: chatty builds are cut off. */
export const MAX_OUTPUT_BYTES = 64 * MIB;
/** Kept of a log: as much of its begin and of its end. Higher: disk and memory. Lower: the cause of a failure is cut away. */
export const LOG_HEAD_BYTES = 512 * 1024;
export const LOG_TAIL_BYTES = 512 * 1024;
/** One line of a log, in characters; longer ones are broken. Higher: a line without an end fills memory. Lower: long paths break. */
export const MAX_LINE_CHARS = 4_096;
/** Lines of a failed build that agent and admin are shown. Higher: floods the chat. Lower: the cause is not among them. */
export const FAILURE_LINES = 20;
/** Of each of them, in characters; the log has the rest. */
export const FAILURE_LINE_CHARS = 400;
/** What an agent's image may hold beside its base. Higher: a few agents fill the disk. Lower: toolchains do not fit. */
export const MAX_ADDED_BYTES = 2 * 1024 * MIB;
/** Free disk of the engine that a build needs to begin, and to go on. Higher: small machines build nothing. Lower: it fills up. */
export const MIN_FREE_TO_BEGIN_BYTES = 1024 * MIB;
export const MIN_FREE_TO_GO_ON_BYTES = 512 * MIB;
/** Memory and swap of a build. Higher: it starves the machine. Lower: compilers are killed. */
export const BUILD_MEMORY_BYTES = 2 * 1024 * MIB;
/** Processor time of a build in percent of one core. Higher: agents answer slowly meanwhile. Lower: builds take long. */
export const BUILD_CPU_PERCENT = 100;
/** Processes of the user that npm's packages are installed by. Higher: a fork bomb hurts. Lower: builds in parallel fail. */
export const BUILD_PROCESSES = 512;
/** One file that a build writes. Higher: fills the disk at once. Lower: large packages fail. */
export const BUILD_FILE_BYTES = 1024 * MIB;
/** The runner of a new image must start, and say that no session is there, within this. Lower: a busy disk fails it. */
export const CHECK_DEADLINE_MS = 30_000;
/** A failed rebuild is tried again after this, when work waits for it. Higher: a mended mirror shows late. Lower: load. */
export const FAILURE_HOLDS_MS = 15 * 60_000;
/** Between looks for an engine that is away. Higher: builds begin late. Lower: load. */
export const ENGINE_AGAIN_MS = 5_000;
/** Images of an agent that are kept beside the one it uses, so that going back is quick. Higher: disk. Lower: builds. */
export const KEEP_IMAGES = 2;
/** Images of providers' layers that a machine keeps. Higher: disk, 370 MB each. Lower: two installs build in turn. */
export const KEEP_LAYERS = 3;
/** Builds of an agent that are remembered, with their logs. Higher: disk (1 MiB each). Lower: history is short. */
export const KEEP_BUILDS = 50;
