-- Who and where: agents, chats, people, and the wirings between agents and chats.
-- Times are epoch milliseconds. `revision` rises with each change of a row; conditional updates compare it.

CREATE TABLE settings (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE agent_groups (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  folder TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(folder) BETWEEN 1 AND 63),
  is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
  archived_at INTEGER,
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE messaging_groups (
  id TEXT PRIMARY KEY NOT NULL,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  is_group INTEGER NOT NULL DEFAULT 0 CHECK (is_group IN (0, 1)),
  unknown_sender_policy TEXT NOT NULL DEFAULT 'strict'
    CHECK (unknown_sender_policy IN ('strict', 'request_approval', 'public')),
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  UNIQUE (channel_type, platform_id)
) STRICT;

CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  display_name TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE user_roles (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role TEXT NOT NULL CHECK (role IN ('owner', 'admin')),
  -- '' is global; an owner is always global.
  agent_group_id TEXT NOT NULL DEFAULT '' CHECK (role = 'admin' OR agent_group_id = ''),
  granted_by TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, role, agent_group_id)
) STRICT;

CREATE TABLE agent_group_members (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (agent_group_id, user_id)
) STRICT;

CREATE TABLE user_dms (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  channel_type TEXT NOT NULL,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, channel_type)
) STRICT;

CREATE TABLE container_configs (
  agent_group_id TEXT PRIMARY KEY NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  provider TEXT NOT NULL DEFAULT 'demo',
  model TEXT,
  timezone TEXT NOT NULL DEFAULT 'UTC',
  network TEXT NOT NULL DEFAULT 'none' CHECK (network IN ('none', 'bridge')),
  -- { memoryMb, cpus, pids }: what differs from the defaults.
  resources TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(resources)),
  image TEXT,
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE wirings (
  id TEXT PRIMARY KEY NOT NULL,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups (id) ON DELETE CASCADE,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  engage_mode TEXT NOT NULL DEFAULT 'mention'
    CHECK (engage_mode IN ('always', 'pattern', 'mention', 'mention-sticky')),
  engage_pattern TEXT CHECK ((engage_mode = 'pattern') = (engage_pattern IS NOT NULL)),
  sender_scope TEXT NOT NULL DEFAULT 'known' CHECK (sender_scope IN ('all', 'known')),
  ignored_message_policy TEXT NOT NULL DEFAULT 'drop' CHECK (ignored_message_policy IN ('drop', 'accumulate')),
  session_mode TEXT NOT NULL DEFAULT 'shared' CHECK (session_mode IN ('shared', 'per-thread', 'agent-shared')),
  priority INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  UNIQUE (messaging_group_id, agent_group_id)
) STRICT;

CREATE INDEX wirings_agent ON wirings (agent_group_id);
