-- Decisions: what waits for a person, what was turned away, and the record of it all.

CREATE TABLE pending_approvals (
  id TEXT PRIMARY KEY NOT NULL,
  action TEXT NOT NULL,
  -- SHA-256 of the exact request; an approval holds for this text alone (I5).
  request_hash TEXT NOT NULL CHECK (length(request_hash) = 64),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  requester_session_id TEXT REFERENCES sessions (id) ON DELETE CASCADE,
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'superseded', 'applied', 'failed')),
  decided_by TEXT,
  decided_at INTEGER,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX pending_approvals_open ON pending_approvals (expires_at) WHERE state = 'pending';

CREATE TABLE pending_questions (
  message_id TEXT PRIMARY KEY NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  options TEXT NOT NULL CHECK (json_valid(options)),
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'answered', 'expired')),
  answered_by TEXT,
  expires_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;

-- One row per reason and place, counted: a flood from outside must not grow the database.
CREATE TABLE dropped_messages (
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  sender_id TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL,
  count INTEGER NOT NULL DEFAULT 1,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (channel_type, platform_id, sender_id, reason)
) STRICT;

CREATE INDEX dropped_messages_recent ON dropped_messages (last_at);

-- Append-only; each entry's hash covers its content and the hash of the entry before.
CREATE TABLE ledger (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  session_id TEXT,
  message_id TEXT,
  actor TEXT,
  detail TEXT NOT NULL CHECK (json_valid(detail)),
  previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),
  hash TEXT NOT NULL UNIQUE CHECK (length(hash) = 64)
) STRICT;

CREATE INDEX ledger_message ON ledger (message_id) WHERE message_id IS NOT NULL;

CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_is_never_cut BEFORE DELETE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;
