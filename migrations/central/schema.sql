-- Generated from the migrations by scripts/dump-schema.ts. Do not edit.

CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER ledger_is_never_cut BEFORE DELETE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TABLE access_rules (
  id TEXT PRIMARY KEY NOT NULL,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  -- Exactly one of the two: a host name, or *.name for the names below it; or a service.
  host TEXT,
  service TEXT,
  -- Null for a service.
  port INTEGER CHECK (port BETWEEN 1 AND 65535),
  -- JSON list of upper-case methods; null: all.
  methods TEXT CHECK (methods IS NULL OR json_valid(methods)),
  path_prefix TEXT,
  -- 1: an owner said that it lies on this machine or network.
  is_private INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
  -- Why, in the words of who made it.
  reason TEXT,
  approval_id TEXT,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  CHECK ((host IS NULL) <> (service IS NULL)),
  CHECK ((host IS NULL) = (port IS NULL))
) STRICT;

CREATE TABLE agent_destinations (
  id TEXT NOT NULL UNIQUE,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  local_name TEXT NOT NULL
    CHECK (length(local_name) BETWEEN 1 AND 63 AND local_name NOT GLOB '*[^a-z0-9-]*' AND local_name NOT GLOB '-*'),
  target_type TEXT NOT NULL CHECK (target_type IN ('channel', 'agent')),
  target_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (agent_group_id, local_name)
) STRICT;

CREATE TABLE agent_group_members (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (agent_group_id, user_id)
) STRICT;

CREATE TABLE agent_groups (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
  folder TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (length(folder) BETWEEN 1 AND 63),
  is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)),
  archived_at INTEGER,
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1
, created_by TEXT, open_work TEXT CHECK (open_work IS NULL OR json_valid(open_work))) STRICT;

CREATE TABLE approval_askers (
  approval_id TEXT NOT NULL REFERENCES pending_approvals (id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- Its row that asks.
  message_id TEXT NOT NULL,
  -- {channelType, platformId, threadId} of the message that made the agent ask; null: not of a chat.
  origin TEXT CHECK (origin IS NULL OR json_valid(origin)),
  -- 0 from the end of the approval until the agent has its row.
  is_told INTEGER NOT NULL DEFAULT 1 CHECK (is_told IN (0, 1)),
  PRIMARY KEY (approval_id, session_id, message_id)
) STRICT;

CREATE TABLE approval_policies (
  action TEXT PRIMARY KEY NOT NULL,
  quorum INTEGER NOT NULL DEFAULT 1 CHECK (quorum BETWEEN 1 AND 5),
  expires_after_ms INTEGER CHECK (expires_after_ms > 0),
  ask_next_after_ms INTEGER CHECK (ask_next_after_ms > 0),
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE approval_votes (
  approval_id TEXT NOT NULL REFERENCES pending_approvals (id) ON DELETE CASCADE,
  -- The person: linked identities are one.
  person_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  choice TEXT NOT NULL,
  voted_at INTEGER NOT NULL,
  PRIMARY KEY (approval_id, person_id)
) STRICT;

CREATE TABLE budgets (
  -- Of the whole host, of an agent, or of a person (a user id) with all agents.
  scope TEXT NOT NULL CHECK (scope IN ('host', 'agent', 'person')),
  -- Empty for the host.
  subject TEXT NOT NULL,
  period TEXT NOT NULL CHECK (period IN ('day', 'month')),
  unit TEXT NOT NULL CHECK (unit IN ('usd', 'tokens')),
  -- Nano-dollars, or tokens of all sorts.
  amount INTEGER NOT NULL CHECK (amount >= 0),
  -- The day (YYYY-MM-DD) or month (YYYY-MM) in which 80 % was said.
  asked_in TEXT,
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (scope, subject, period, unit)
) STRICT;

CREATE TABLE container_config_history (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  revision INTEGER NOT NULL,
  -- The whole config, as it was from then on.
  config TEXT NOT NULL CHECK (json_valid(config)),
  -- A user id, or `host`.
  changed_by TEXT NOT NULL,
  approval_id TEXT,
  reason TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (agent_group_id, revision)
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
, packages TEXT NOT NULL DEFAULT '{"apt":[],"npm":[],"generation":0}'
  CHECK (json_valid(packages)), mcp_servers TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(mcp_servers)), mounts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(mounts)), service TEXT, effort TEXT CHECK (effort IN ('low', 'medium', 'high', 'max'))) STRICT;

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

CREATE TABLE egress_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  agent_group_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('model', 'service', 'http', 'https', 'connect', 'unknown')),
  method TEXT NOT NULL,
  host TEXT NOT NULL,
  port INTEGER NOT NULL,
  -- Without its query; empty for a tunnel.
  path TEXT NOT NULL,
  -- The address that was connected to; null: none was.
  address TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('allowed', 'refused', 'failed')),
  -- Of the server outside, or of the refusal; null: none came.
  status INTEGER,
  -- A word of GATEWAY_REFUSALS, or what failed; null when it went well.
  reason TEXT,
  -- The id of the rule, or the name of the service, that let it through.
  rule TEXT,
  bytes_out INTEGER NOT NULL,
  bytes_in INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  -- Alike and refused at once: counted in one row.
  repeats INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE former_destination_names (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  former_name TEXT NOT NULL,
  destination_id TEXT NOT NULL REFERENCES agent_destinations (id) ON DELETE CASCADE,
  renamed_at INTEGER NOT NULL,
  PRIMARY KEY (agent_group_id, former_name)
) STRICT;

CREATE TABLE held_messages (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Its files lie in the home under held/<id>.
  id TEXT NOT NULL UNIQUE,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  sender_id TEXT NOT NULL,
  -- Whose agent the sender is to be let in to; '': the chat is to be wired first.
  agent_group_id TEXT NOT NULL DEFAULT '',
  -- The event's own, or one made for it: what is told twice is held once, and received again as the same message.
  client_id TEXT NOT NULL,
  -- The event as the channel gave it.
  event TEXT NOT NULL CHECK (json_valid(event)),
  -- Of the event and its files.
  size_bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (channel_type, platform_id, agent_group_id, sender_id, client_id)
) STRICT;

CREATE TABLE identity_codes (
  code_hash TEXT PRIMARY KEY NOT NULL CHECK (length(code_hash) = 64),
  kind TEXT NOT NULL CHECK (kind IN ('link', 'confirm')),
  -- Who was shown it.
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- `confirm`: who must type it; null: whoever types it.
  for_user_id TEXT REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;

CREATE TABLE image_builds (
  id TEXT PRIMARY KEY NOT NULL,
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  -- The approval that asked for it; null: the base changed.
  approval_id TEXT,
  image TEXT NOT NULL,
  packages TEXT NOT NULL CHECK (json_valid(packages)),
  state TEXT NOT NULL CHECK (state IN ('queued', 'building', 'built', 'failed')),
  -- The last lines, when it failed.
  failure TEXT,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER
) STRICT;

CREATE TABLE "ledger" (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  session_id TEXT,
  message_id TEXT,
  actor TEXT,
  detail TEXT NOT NULL CHECK (json_valid(detail)),
  previous_hash TEXT NOT NULL CHECK (length(previous_hash) = 64),
  hash TEXT NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE TABLE logins (
  token_hash TEXT PRIMARY KEY NOT NULL CHECK (length(token_hash) = 64),
  kind TEXT NOT NULL CHECK (kind IN ('link', 'cookie')),
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at INTEGER
) STRICT;

CREATE TABLE mcp_server_reports (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  -- The server as it was started; of another definition the report says nothing.
  server TEXT NOT NULL CHECK (json_valid(server)),
  session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
  -- In the container's words; null: it is up.
  problem TEXT,
  tools INTEGER NOT NULL,
  reported_at INTEGER NOT NULL,
  -- The row of the container after which agent and admin were told; null: there was no problem yet.
  told_after TEXT,
  PRIMARY KEY (agent_group_id, name)
) STRICT;

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
, only_for TEXT) STRICT;

CREATE TABLE messaging_groups (
  id TEXT PRIMARY KEY NOT NULL,
  channel_type TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  is_group INTEGER NOT NULL DEFAULT 0 CHECK (is_group IN (0, 1)),
  unknown_sender_policy TEXT NOT NULL DEFAULT 'strict'
    CHECK (unknown_sender_policy IN ('strict', 'request_approval', 'public')),
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1, opened_by TEXT REFERENCES users (id) ON DELETE SET NULL,
  UNIQUE (channel_type, platform_id)
) STRICT;

CREATE TABLE model_calls (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  agent_group_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  -- The message that the agent was at, and who wrote it; null: it did not say, or said what is not of this session.
  message_id TEXT,
  user_id TEXT,
  service TEXT NOT NULL,
  -- As the provider names it.
  model TEXT NOT NULL,
  -- Without what is counted in the two cache columns.
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  -- Null: the model has no price.
  cost_nanousd INTEGER,
  -- 1: the provider gave no numbers (a broken stream, an odd server); these are guessed from bytes, upwards.
  is_estimated INTEGER NOT NULL DEFAULT 0 CHECK (is_estimated IN (0, 1)),
  status INTEGER NOT NULL,
  first_byte_ms INTEGER,
  duration_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE model_prices (
  service TEXT NOT NULL,
  model TEXT NOT NULL,
  input_nanousd INTEGER NOT NULL CHECK (input_nanousd >= 0),
  output_nanousd INTEGER NOT NULL CHECK (output_nanousd >= 0),
  cache_read_nanousd INTEGER NOT NULL CHECK (cache_read_nanousd >= 0),
  cache_write_nanousd INTEGER NOT NULL CHECK (cache_write_nanousd >= 0),
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY (service, model)
) STRICT;

CREATE TABLE peer_links (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  peer_agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  peer_session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, peer_agent_group_id)
) STRICT;

CREATE TABLE peer_pauses (
  id TEXT PRIMARY KEY NOT NULL,
  agent_a TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  agent_b TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  reason TEXT NOT NULL CHECK (reason IN ('rate', 'hop')),
  -- What an admin is asked, word for word.
  question TEXT NOT NULL,
  -- Whose message was too much, and the session it was for, if there was one yet.
  session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
  peer_session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
  state TEXT NOT NULL CHECK (state IN ('paused', 'resumed', 'ended')),
  decided_by TEXT,
  created_at INTEGER NOT NULL,
  decided_at INTEGER,
  CHECK (agent_a < agent_b)
) STRICT;

CREATE TABLE pending_approvals (
  id TEXT PRIMARY KEY NOT NULL,
  -- What people type to name it, unlike any other that is pending: 4 of 0-9 and A-Z without I, L, O and U.
  code TEXT NOT NULL CHECK (length(code) = 4),
  action TEXT NOT NULL,
  subject_key TEXT NOT NULL,
  -- SHA-256 of action and payload; an approval holds for this text alone (I5).
  request_hash TEXT NOT NULL CHECK (length(request_hash) = 64),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  -- What approving it does, compared with the time of asking: lines of text, as the card shows them.
  consequence TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(consequence)),
  -- Whose admins may decide; null: global admins and owners alone.
  agent_group_id TEXT REFERENCES agent_groups (id) ON DELETE CASCADE,
  -- The session whose agent asked, and its row; null: the host asks by itself.
  requester_session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
  requester_message_id TEXT,
  title TEXT NOT NULL,
  question TEXT NOT NULL,
  -- Why, in the words of the agent that asked; null: it gave none, or the host asks.
  reason TEXT,
  -- [{text, approves}]
  options TEXT NOT NULL CHECK (json_valid(options)),
  -- How many different people must approve.
  quorum INTEGER NOT NULL DEFAULT 1 CHECK (quorum BETWEEN 1 AND 5),
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'superseded', 'applied', 'failed')),
  choice TEXT,
  decided_by TEXT,
  decided_at INTEGER,
  -- Why, in the words of who decided.
  decision_note TEXT,
  -- The approval that took its place; null: none did, nothing is left to be decided.
  superseded_by TEXT,
  -- What came of it, in words; null while what follows from the decision is still to be done.
  outcome TEXT,
  -- Whether the outcome is for the agent's next container alone: the one that runs is about to be replaced.
  is_for_fresh INTEGER NOT NULL DEFAULT 0 CHECK (is_for_fresh IN (0, 1)),
  -- When the next person is asked, if nobody has answered; null: everybody who can be asked was.
  ask_next_at INTEGER,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  CHECK (state = 'superseded' OR superseded_by IS NULL)
) STRICT;

CREATE TABLE pending_questions (
  -- The transcript's message that shows it.
  message_id TEXT PRIMARY KEY NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups (id) ON DELETE CASCADE,
  thread_id TEXT NOT NULL DEFAULT '',
  -- Null: an agent asks.
  approval_id TEXT REFERENCES pending_approvals (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  question TEXT NOT NULL,
  options TEXT NOT NULL CHECK (json_valid(options)),
  state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'answered', 'expired', 'withdrawn')),
  -- One of `options`.
  answer TEXT,
  answered_by TEXT,
  answered_by_name TEXT,
  answered_at INTEGER,
  -- The platform's id of the message that answered it: told twice, it is one answer.
  answer_client_id TEXT,
  -- 0 while the agent that asked has not been told how it ended.
  is_told INTEGER NOT NULL DEFAULT 1 CHECK (is_told IN (0, 1)),
  -- 0 while the chat does not show how it ended.
  is_shown INTEGER NOT NULL DEFAULT 1 CHECK (is_shown IN (0, 1)),
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE read_marks (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  PRIMARY KEY (user_id, session_id)
) STRICT;

CREATE TABLE schema_version (
  version INTEGER PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secret_uses (
  service TEXT NOT NULL,
  agent_group_id TEXT REFERENCES agent_groups (id) ON DELETE CASCADE,
  secret_name TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE secrets (
  name TEXT PRIMARY KEY NOT NULL,
  -- Which key: its fingerprint.
  key_id TEXT NOT NULL,
  nonce BLOB NOT NULL CHECK (length(nonce) = 12),
  -- With the authentication tag behind it; the name is authenticated with it.
  ciphertext BLOB NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE services (
  name TEXT PRIMARY KEY NOT NULL,
  -- http(s)://host[:port][/path], without credentials or query.
  base_url TEXT NOT NULL,
  -- Whose model API it speaks; null: no model.
  api TEXT CHECK (api IN ('anthropic', 'openai')),
  -- The header that carries the credential, and its value with {} where the secret goes; both empty: none.
  header TEXT NOT NULL,
  header_value TEXT NOT NULL,
  -- 1: an owner said that it lies on this machine or network.
  is_private INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1)),
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

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

CREATE TABLE settings (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE task_firings (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
  -- When it was to fire.
  due_at INTEGER NOT NULL,
  fired_at INTEGER,
  message_id TEXT,
  outcome TEXT NOT NULL CHECK (outcome IN ('fired', 'missed', 'quiet', 'answered', 'failed')),
  note TEXT,
  PRIMARY KEY (task_id, due_at)
) STRICT;

CREATE TABLE tasks (
  id TEXT PRIMARY KEY NOT NULL,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  -- The session's, so that an agent's tasks are counted without looking at its sessions.
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  prompt TEXT NOT NULL,
  -- Once at `at`, or by `cron` in `timezone`.
  at INTEGER,
  cron TEXT,
  timezone TEXT NOT NULL,
  script TEXT,
  missed_policy TEXT NOT NULL DEFAULT 'once' CHECK (missed_policy IN ('skip', 'once', 'all')),
  state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'done', 'cancelled')),
  -- Next firing, epoch ms; exactly while active.
  next_at INTEGER,
  -- Where the request came from, so that the answer goes there.
  channel_type TEXT,
  platform_id TEXT,
  thread_id TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 1,
  CHECK ((at IS NULL) <> (cron IS NULL)),
  CHECK ((state = 'active') = (next_at IS NOT NULL))
) STRICT;

CREATE TABLE turned_away (
  subject_key TEXT PRIMARY KEY NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  -- Null: for ever.
  until_at INTEGER
) STRICT;

CREATE TABLE usage_days (
  day TEXT NOT NULL CHECK (length(day) = 10),
  agent_group_id TEXT NOT NULL,
  -- Empty: nobody's.
  user_id TEXT NOT NULL DEFAULT '',
  service TEXT NOT NULL,
  model TEXT NOT NULL,
  calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_nanousd INTEGER NOT NULL,
  -- Calls whose model had no price.
  unpriced_calls INTEGER NOT NULL,
  PRIMARY KEY (day, agent_group_id, user_id, service, model)
) STRICT;

CREATE TABLE usage_sessions (
  day TEXT NOT NULL CHECK (length(day) = 10),
  session_id TEXT NOT NULL,
  -- Empty: nobody's.
  user_id TEXT NOT NULL DEFAULT '',
  agent_group_id TEXT NOT NULL,
  calls INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL,
  cost_nanousd INTEGER NOT NULL,
  -- Calls whose model had no price.
  unpriced_calls INTEGER NOT NULL,
  PRIMARY KEY (day, session_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_dms (
  user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  channel_type TEXT NOT NULL,
  messaging_group_id TEXT NOT NULL REFERENCES messaging_groups (id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, channel_type)
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

CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL,
  display_name TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
, person_id TEXT, revision INTEGER NOT NULL DEFAULT 1) STRICT;

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

CREATE UNIQUE INDEX access_rules_approval ON access_rules (approval_id) WHERE approval_id IS NOT NULL;

CREATE UNIQUE INDEX access_rules_place ON access_rules
  (agent_group_id, coalesce(host, ''), coalesce(port, 0), coalesce(service, ''), coalesce(methods, ''), coalesce(path_prefix, ''));

CREATE INDEX agent_destinations_target ON agent_destinations (target_type, target_id);

CREATE INDEX agent_group_members_user ON agent_group_members (user_id);

CREATE INDEX agent_groups_made ON agent_groups (created_by, created_at) WHERE created_by IS NOT NULL;

CREATE INDEX agent_groups_open ON agent_groups (id) WHERE open_work IS NOT NULL;

CREATE INDEX approval_askers_request ON approval_askers (session_id, message_id);

CREATE INDEX approval_askers_untold ON approval_askers (approval_id) WHERE is_told = 0;

CREATE UNIQUE INDEX container_config_history_approval ON container_config_history (approval_id)
  WHERE approval_id IS NOT NULL;

CREATE INDEX dropped_messages_recent ON dropped_messages (last_at);

CREATE INDEX egress_log_age ON egress_log (at);

CREATE INDEX egress_log_agent ON egress_log (agent_group_id, id);

CREATE INDEX egress_log_session ON egress_log (session_id, id);

CREATE INDEX former_destination_names_destination ON former_destination_names (destination_id);

CREATE INDEX held_messages_age ON held_messages (created_at);

CREATE INDEX held_messages_sender ON held_messages (agent_group_id, sender_id, position);

CREATE INDEX identity_codes_expiry ON identity_codes (expires_at);

CREATE INDEX identity_codes_user ON identity_codes (user_id, created_at);

CREATE INDEX image_builds_agent ON image_builds (agent_group_id, created_at);

CREATE INDEX image_builds_open ON image_builds (created_at) WHERE state IN ('queued', 'building');

CREATE INDEX ledger_actor ON ledger (actor) WHERE actor IS NOT NULL;

CREATE INDEX ledger_kind ON ledger (kind);

CREATE INDEX ledger_message ON ledger (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX ledger_session ON ledger (session_id) WHERE session_id IS NOT NULL;

CREATE INDEX logins_expiry ON logins (expires_at);

CREATE INDEX logins_user ON logins (user_id, created_at);

CREATE INDEX mcp_server_reports_session ON mcp_server_reports (session_id) WHERE session_id IS NOT NULL;

CREATE INDEX messages_chat ON messages (messaging_group_id, position) WHERE messaging_group_id <> '';

CREATE UNIQUE INDEX messages_client ON messages (session_id, client_id) WHERE client_id IS NOT NULL;

CREATE INDEX messages_notices ON messages (position) WHERE direction = 'out' AND kind = 'system' AND state IN ('queued', 'sending');

CREATE INDEX messages_platform ON messages (messaging_group_id, platform_message_id)
  WHERE platform_message_id IS NOT NULL;

CREATE INDEX messages_reply ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;

CREATE INDEX messages_session ON messages (session_id, position);

CREATE INDEX messages_thread ON messages (messaging_group_id, thread_id) WHERE direction = 'in' AND thread_id <> '';

CREATE INDEX messaging_groups_opened_by ON messaging_groups (opened_by) WHERE opened_by IS NOT NULL;

CREATE INDEX model_calls_agent ON model_calls (agent_group_id, at);

CREATE INDEX model_calls_message ON model_calls (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX model_calls_session ON model_calls (session_id, at);

CREATE INDEX peer_links_agent ON peer_links (peer_agent_group_id);

CREATE INDEX peer_links_peer ON peer_links (peer_session_id);

CREATE INDEX peer_pauses_agent_b ON peer_pauses (agent_b);

CREATE UNIQUE INDEX peer_pauses_open ON peer_pauses (agent_a, agent_b) WHERE state = 'paused';

CREATE INDEX peer_pauses_pair ON peer_pauses (agent_a, agent_b, created_at);

CREATE INDEX peer_pauses_peer_session ON peer_pauses (peer_session_id) WHERE peer_session_id IS NOT NULL;

CREATE INDEX peer_pauses_session ON peer_pauses (session_id) WHERE session_id IS NOT NULL;

CREATE INDEX pending_approvals_agent ON pending_approvals (agent_group_id) WHERE agent_group_id IS NOT NULL;

CREATE INDEX pending_approvals_ask_next ON pending_approvals (ask_next_at) WHERE ask_next_at IS NOT NULL;

CREATE UNIQUE INDEX pending_approvals_code ON pending_approvals (code) WHERE state = 'pending';

CREATE INDEX pending_approvals_named ON pending_approvals (code, created_at);

CREATE INDEX pending_approvals_open ON pending_approvals (expires_at) WHERE state = 'pending';

CREATE INDEX pending_approvals_rejected ON pending_approvals (action, subject_key, decided_at) WHERE state = 'rejected';

CREATE UNIQUE INDEX pending_approvals_request ON pending_approvals (requester_session_id, requester_message_id)
  WHERE requester_message_id IS NOT NULL AND state <> 'superseded';

CREATE INDEX pending_approvals_requester ON pending_approvals (requester_session_id, created_at) WHERE requester_session_id IS NOT NULL;

CREATE UNIQUE INDEX pending_approvals_subject ON pending_approvals (action, subject_key) WHERE state = 'pending';

CREATE INDEX pending_approvals_undone ON pending_approvals (id) WHERE state <> 'pending' AND outcome IS NULL;

CREATE INDEX pending_questions_approval ON pending_questions (approval_id) WHERE approval_id IS NOT NULL;

CREATE INDEX pending_questions_chat ON pending_questions (messaging_group_id, thread_id, created_at) WHERE state = 'pending';

CREATE INDEX pending_questions_client ON pending_questions (messaging_group_id, answer_client_id)
  WHERE answer_client_id IS NOT NULL;

CREATE INDEX pending_questions_expiry ON pending_questions (expires_at) WHERE state = 'pending' AND approval_id IS NULL;

CREATE INDEX pending_questions_session ON pending_questions (session_id);

CREATE INDEX pending_questions_unshown ON pending_questions (message_id) WHERE is_shown = 0;

CREATE INDEX pending_questions_untold ON pending_questions (message_id) WHERE is_told = 0;

CREATE INDEX secret_uses_agent ON secret_uses (agent_group_id) WHERE agent_group_id IS NOT NULL;

CREATE UNIQUE INDEX secret_uses_place ON secret_uses (service, coalesce(agent_group_id, ''));

CREATE INDEX secret_uses_secret ON secret_uses (secret_name);

CREATE INDEX sessions_agent_recent ON sessions (agent_group_id, last_active_at DESC, id DESC);

CREATE INDEX sessions_chat ON sessions (messaging_group_id);

CREATE INDEX sessions_due ON sessions (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE INDEX sessions_open ON sessions (id) WHERE is_open = 1;

CREATE INDEX sessions_recent ON sessions (last_active_at DESC, id DESC);

CREATE UNIQUE INDEX task_firings_message ON task_firings (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX task_firings_open ON task_firings (task_id, due_at) WHERE outcome = 'fired';

CREATE INDEX tasks_agent ON tasks (agent_group_id, state);

CREATE INDEX tasks_next ON tasks (next_at) WHERE next_at IS NOT NULL;

CREATE INDEX tasks_session ON tasks (session_id, state);

CREATE INDEX turned_away_end ON turned_away (until_at) WHERE until_at IS NOT NULL;

CREATE INDEX usage_days_agent ON usage_days (agent_group_id, day);

CREATE INDEX usage_days_user ON usage_days (user_id, day);

CREATE INDEX users_name ON users (display_name COLLATE NOCASE);

CREATE INDEX users_person ON users (person_id) WHERE person_id IS NOT NULL;

CREATE INDEX wirings_agent ON wirings (agent_group_id);
