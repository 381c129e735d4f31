/**
 * Limits that both sides of the session folder obey. Each names the cost of too high and too low.
 * Limits of one host part alone live beside that part in `host/config/limits.ts`.
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Text of one message, UTF-8 bytes. Higher: one row stalls readers. Lower: pasted logs are refused. */
export const MAX_TEXT_BYTES = 64 * KIB;
/** One row's whole JSON content, UTF-8 bytes: the text, JSON-escaped, plus attachment records. */
export const MAX_CONTENT_BYTES = 512 * KIB;
/** A task's pre-check script, UTF-8 bytes. Higher: programs hide in tasks. Lower: real checks do not fit. */
export const MAX_SCRIPT_BYTES = 16 * KIB;
/** How long a pre-check script may run. Higher: a hanging one holds the session up. Lower: a slow site fails it. */
export const SCRIPT_TIMEOUT_MS = 30_000;
/** Furthest that a task's single run may lie ahead. Higher: forgotten tasks pile up. Lower: next year's birthday does not fit. */
export const MAX_TASK_AHEAD_MS = 5 * 366 * 24 * 3_600_000;
/** Instructions of an agent, UTF-8 bytes: what another may give it, and what is read of its folder. Higher: each call of a model pays for them. Lower: a handbook is cut. */
export const MAX_INSTRUCTIONS_BYTES = 64 * KIB;
/** One attachment. Higher: disk and upload time. Lower: phone photographs are refused. */
export const MAX_FILE_BYTES = 25 * MIB;
/** Attachments of one message. Higher: one message can fill the folder. Lower: albums are split. */
export const MAX_FILES_PER_MESSAGE = 10;
/** File name, UTF-8 bytes; ext4 allows 255. */
export const MAX_FILE_NAME_BYTES = 180;
/** JSON nesting accepted from the other side. Higher: recursive code can overflow its stack. */
export const MAX_JSON_DEPTH = 32;
/** Tries of one inbound message. Higher: a poisonous message keeps a container busy. Lower: a hiccup loses it. */
export const MAX_TRIES = 5;
/** First retry delay, doubled each try (5, 10, 20, 40, 80 s). */
export const RETRY_BASE_MS = 5_000;
/** No retry waits longer, also when a server outside asks for more. Higher: a message seems lost. Lower: tries are wasted. */
export const LONGEST_RETRY_MS = RETRY_BASE_MS * 2 ** MAX_TRIES;
/** Messages handed to the provider in one turn. Higher: huge prompts. Lower: bursts are slow. */
export const MAX_BATCH = 50;
/** Rows the host reads from outbound.db in one go. Higher: one flood delays others. Lower: more reads. */
export const MAX_OUTBOUND_BATCH = 200;
/** Size of outbound.db. Past it the session is quarantined: only a flood gets there. */
export const MAX_OUTBOUND_DB_BYTES = 256 * MIB;
/** All of a session's out/ and state/ folders together; above it the container is stopped. */
export const MAX_SESSION_DISK_BYTES = 1024 * MIB;
/** Files in a session's out/ and state/ folders together. Higher: inode exhaustion. */
export const MAX_SESSION_FILES = 20_000;
/** An agent's working folder, which its sessions share; above it the session that runs is set aside. */
export const MAX_AGENT_FOLDER_BYTES = 1024 * MIB;
/** Files in an agent's working folder. Higher: measuring it costs. Lower: a checkout with its packages is too much. */
export const MAX_AGENT_FOLDER_FILES = 50_000;
/** Outbound rows of one session per minute, sustained. Higher: floods a chat. Lower: long reports stall. */
export const MAX_OUTBOUND_ROWS_PER_MINUTE = 600;
/** Outbound rows of one session at once, before the rate counts. */
export const OUTBOUND_BURST_ROWS = 400;
/** How often the runner touches the heartbeat while it lives. */
export const HEARTBEAT_MS = 2_000;
/** A claim and a heartbeat both older than this mean stuck. Higher: people wait. Lower: slow turns are killed. */
export const STUCK_AFTER_MS = 60_000;
/** Longest timeout a tool may declare to stretch the stuck check. */
export const MAX_TOOL_TIMEOUT_MS = 60 * 60_000;
/** Both sides' busy_timeout on the session databases, where blocking is allowed (the container). */
export const BUSY_TIMEOUT_MS = 5_000;
/** The runner's slow poll beside its file watch: the price of a lost doorbell. */
export const RUNNER_POLL_MS = 1_000;
