/**
 * The two session databases, as the exact text that `sqlite_schema` must hold (I3: the host compares
 * before it reads, because a view named like a table can loop for ever).
 *
 * Each entry is one statement; SQLite keeps its text as written, so equality is byte equality.
 * Times are epoch milliseconds. Sequence numbers: the host's even, the container's odd.
 */

export const INBOUND_SCHEMA: readonly string[] = [
  `CREATE TABLE messages_in (
  id TEXT PRIMARY KEY NOT NULL,
  seq INTEGER NOT NULL UNIQUE CHECK (seq > 0 AND seq % 2 = 0),
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'task', 'webhook', 'system')),
  timestamp INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'done', 'failed')),
  process_after INTEGER,
  recurrence TEXT,
  series_id TEXT,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  trigger INTEGER NOT NULL CHECK (trigger IN (0, 1)),
  on_wake INTEGER NOT NULL DEFAULT 0 CHECK (on_wake IN (0, 1)),
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT,
  sender_id TEXT,
  source_session_id TEXT,
  in_reply_to TEXT,
  hop INTEGER NOT NULL DEFAULT 0 CHECK (hop >= 0),
  trace_id TEXT NOT NULL,
  content TEXT NOT NULL CHECK (json_valid(content))
) STRICT`,
  `CREATE INDEX messages_in_pending ON messages_in (seq) WHERE status = 'pending'`,
  `CREATE TABLE deliveries (
  message_out_id TEXT PRIMARY KEY NOT NULL,
  seq INTEGER NOT NULL UNIQUE CHECK (seq > 0 AND seq % 2 = 1),
  state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'delivered', 'failed', 'refused', 'unknown')),
  attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at INTEGER,
  idempotency_key TEXT NOT NULL,
  platform_message_id TEXT,
  reason TEXT,
  updated_at INTEGER NOT NULL
) STRICT`,
  `CREATE INDEX deliveries_open ON deliveries (seq) WHERE state IN ('queued', 'sending')`,
];

export const OUTBOUND_SCHEMA: readonly string[] = [
  `CREATE TABLE messages_out (
  id TEXT PRIMARY KEY NOT NULL,
  seq INTEGER NOT NULL UNIQUE CHECK (seq > 0 AND seq % 2 = 1),
  in_reply_to TEXT,
  timestamp INTEGER NOT NULL,
  deliver_after INTEGER,
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'edit', 'reaction', 'question', 'request')),
  destination TEXT,
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT,
  trace_id TEXT,
  content TEXT NOT NULL CHECK (json_valid(content))
) STRICT`,
  `CREATE INDEX messages_out_reply ON messages_out (in_reply_to)`,
  `CREATE TABLE processing (
  message_id TEXT PRIMARY KEY NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('claimed', 'done', 'failed')),
  changed_at INTEGER NOT NULL,
  note TEXT
) STRICT`,
  `CREATE TABLE runner_state (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL CHECK (json_valid(value)),
  updated_at INTEGER NOT NULL
) STRICT`,
];

/**
 * `processing.note` of a row that is `done`: JSON of `Stamps` from `trace.ts` (claimed,
 * provider_started, first_output, row_committed). Of a `failed` row: JSON `{ error, retryable, ...stamps }`.
 * Trusted for display only.
 */
export const PROCESSING_NOTE_MAX_BYTES = 4_096;
