-- The transcript: the host's own record of each message, for the API, the console and traces, so that
-- showing a conversation never opens a database that a container writes. The session databases stay
-- the truth about work; rows here are upserted by message id and can be told again.

CREATE TABLE messages (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- Rises with every change of any row: what changed since N is one index range.
  revision INTEGER NOT NULL UNIQUE,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  messaging_group_id TEXT NOT NULL DEFAULT '',
  thread_id TEXT NOT NULL DEFAULT '',
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  kind TEXT NOT NULL CHECK (kind IN ('chat', 'task', 'webhook', 'system', 'question', 'request')),
  author_id TEXT,
  author_name TEXT NOT NULL DEFAULT '',
  destination TEXT,
  text TEXT NOT NULL,
  attachments TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(attachments)),
  reactions TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(reactions)),
  in_reply_to TEXT,
  state TEXT NOT NULL CHECK (state IN (
    'queued', 'read', 'answered', 'context', 'sending', 'delivered', 'failed', 'refused', 'unknown', 'dropped')),
  state_reason TEXT,
  platform_message_id TEXT,
  -- Given by the sender's program, so that a repeated POST is the same message.
  client_id TEXT,
  trace_id TEXT NOT NULL,
  stamps TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(stamps)),
  created_at INTEGER NOT NULL,
  edited_at INTEGER
) STRICT;

CREATE INDEX messages_session ON messages (session_id, position);
CREATE INDEX messages_chat ON messages (messaging_group_id, position) WHERE messaging_group_id <> '';
CREATE INDEX messages_reply ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;
CREATE UNIQUE INDEX messages_client ON messages (session_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX messages_platform ON messages (messaging_group_id, platform_message_id)
  WHERE platform_message_id IS NOT NULL;

-- A thread belongs to a chat once a message came in through it there.
CREATE INDEX messages_thread ON messages (messaging_group_id, thread_id) WHERE direction = 'in' AND thread_id <> '';
-- Notices of the host itself that are not at their end: told again after a crash.
CREATE INDEX messages_notices ON messages (position) WHERE direction = 'out' AND kind = 'system' AND state IN ('queued', 'sending');

CREATE TABLE read_marks (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (user_id, session_id)
) STRICT;

-- Sign-ins to the console. Only hashes are kept: a copied database opens no door.
CREATE TABLE logins (
  token_hash TEXT PRIMARY KEY NOT NULL CHECK (length(token_hash) = 64),
  kind TEXT NOT NULL CHECK (kind IN ('link', 'cookie')),
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;

CREATE INDEX logins_expiry ON logins (expires_at);
