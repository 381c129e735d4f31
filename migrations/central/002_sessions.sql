-- One conversation of one agent group. The conversation's identity is (agent group, chat, thread):
-- shared = (group, chat, ''), per-thread = (group, chat, thread), agent-shared = (group, '', '').

CREATE TABLE sessions (
  id TEXT PRIMARY KEY NOT NULL,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  messaging_group_id TEXT NOT NULL DEFAULT '',
  thread_id TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  -- What the runtime last saw; see host/runtime.
  runtime_state TEXT NOT NULL DEFAULT 'absent'
    CHECK (runtime_state IN ('absent', 'starting', 'running', 'paused', 'stopping', 'failed')),
  container_id TEXT,
  epoch INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  state_reason TEXT,
  state_since INTEGER NOT NULL,
  -- Set while the container broke the contract: no container starts until a person releases it.
  quarantine_reason TEXT,
  -- 1 while something is left to do: open inbound rows, open deliveries or a container. A starting
  -- host looks at these alone.
  is_open INTEGER NOT NULL DEFAULT 0 CHECK (is_open IN (0, 1)),
  -- The next time a row of this session falls due, null when none waits for a time.
  next_due_at INTEGER,
  -- mention-sticky: this conversation was mentioned once and is followed since.
  engaged_at INTEGER,
  -- The container's user is base + this number, so that sessions share no uid.
  user_offset INTEGER NOT NULL UNIQUE,
  last_active_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ended_at INTEGER,
  revision INTEGER NOT NULL DEFAULT 1,
  UNIQUE (agent_group_id, messaging_group_id, thread_id)
) STRICT;

CREATE INDEX sessions_open ON sessions (id) WHERE is_open = 1;
CREATE INDEX sessions_due ON sessions (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX sessions_recent ON sessions (last_active_at DESC, id DESC);
CREATE INDEX sessions_chat ON sessions (messaging_group_id);
