-- One person on several channels, approvals by several, what an agent's container is made of and its history,
-- images built for agents, and a ledger that can be searched.

-- People whose rows carry the same id are one person; null: known on one channel alone.
ALTER TABLE users ADD COLUMN person_id TEXT;
-- Rises with each change of this person's roles, memberships and identities; alike on all identities of a person.
ALTER TABLE users ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
CREATE INDEX users_person ON users (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX users_name ON users (display_name COLLATE NOCASE);
CREATE INDEX agent_group_members_user ON agent_group_members (user_id);

-- Codes that prove an identity: shown on one channel, typed on another. Kept as hashes.
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
CREATE INDEX identity_codes_user ON identity_codes (user_id, created_at);
CREATE INDEX identity_codes_expiry ON identity_codes (expires_at);

-- Whose chat it is, on channels where this host is the platform; null: of the chat's platform, or the owner's.
ALTER TABLE messaging_groups ADD COLUMN opened_by TEXT REFERENCES users (id) ON DELETE SET NULL;
CREATE INDEX messaging_groups_opened_by ON messaging_groups (opened_by) WHERE opened_by IS NOT NULL;
-- Whom alone it concerns: a command that they typed, and its answer; null: whoever reads the conversation.
ALTER TABLE messages ADD COLUMN only_for TEXT;
-- Where a person is signed in.
CREATE INDEX logins_user ON logins (user_id, created_at);
-- An agent's sessions for its admins, without looking at everybody's.
CREATE INDEX sessions_agent_recent ON sessions (agent_group_id, last_active_at DESC, id DESC);

-- Approvals get a code, a quorum, a consequence, and the state `superseded`. Cards refer to them, so both move.
ALTER TABLE pending_questions RENAME TO old_questions;
ALTER TABLE pending_approvals RENAME TO old_approvals;
DROP INDEX pending_approvals_agent;
DROP INDEX pending_approvals_open;
DROP INDEX pending_approvals_rejected;
DROP INDEX pending_approvals_requester;
DROP INDEX pending_approvals_subject;
DROP INDEX pending_approvals_undone;
DROP INDEX pending_questions_approval;
DROP INDEX pending_questions_chat;
DROP INDEX pending_questions_client;
DROP INDEX pending_questions_expiry;
DROP INDEX pending_questions_session;
DROP INDEX pending_questions_unshown;
DROP INDEX pending_questions_untold;

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
INSERT INTO pending_approvals (id, code, action, subject_key, request_hash, payload, agent_group_id,
  requester_session_id, title, question, options, state, choice, decided_by, decided_at, outcome, expires_at, created_at)
SELECT id, substr('0000' || rowid, -4), action, subject_key, request_hash, payload, agent_group_id,
  requester_session_id, title, question, options, state, choice, decided_by, decided_at, outcome, expires_at, created_at
FROM old_approvals;
CREATE UNIQUE INDEX pending_approvals_subject ON pending_approvals (action, subject_key) WHERE state = 'pending';
CREATE UNIQUE INDEX pending_approvals_code ON pending_approvals (code) WHERE state = 'pending';
CREATE INDEX pending_approvals_named ON pending_approvals (code, created_at);
CREATE INDEX pending_approvals_open ON pending_approvals (expires_at) WHERE state = 'pending';
CREATE INDEX pending_approvals_ask_next ON pending_approvals (ask_next_at) WHERE ask_next_at IS NOT NULL;
CREATE INDEX pending_approvals_undone ON pending_approvals (id) WHERE state <> 'pending' AND outcome IS NULL;
CREATE INDEX pending_approvals_rejected ON pending_approvals (action, subject_key, decided_at) WHERE state = 'rejected';
CREATE INDEX pending_approvals_agent ON pending_approvals (agent_group_id) WHERE agent_group_id IS NOT NULL;
CREATE INDEX pending_approvals_requester ON pending_approvals (requester_session_id, created_at) WHERE requester_session_id IS NOT NULL;
-- One that is asked again, because it would do something else by now, keeps its request.
CREATE UNIQUE INDEX pending_approvals_request ON pending_approvals (requester_session_id, requester_message_id)
  WHERE requester_message_id IS NOT NULL AND state <> 'superseded';

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
INSERT INTO pending_questions SELECT * FROM old_questions;
CREATE INDEX pending_questions_approval ON pending_questions (approval_id) WHERE approval_id IS NOT NULL;
CREATE INDEX pending_questions_chat ON pending_questions (messaging_group_id, thread_id, created_at) WHERE state = 'pending';
CREATE INDEX pending_questions_client ON pending_questions (messaging_group_id, answer_client_id)
  WHERE answer_client_id IS NOT NULL;
CREATE INDEX pending_questions_expiry ON pending_questions (expires_at) WHERE state = 'pending' AND approval_id IS NULL;
CREATE INDEX pending_questions_session ON pending_questions (session_id);
CREATE INDEX pending_questions_unshown ON pending_questions (message_id) WHERE is_shown = 0;
CREATE INDEX pending_questions_untold ON pending_questions (message_id) WHERE is_told = 0;
DROP TABLE old_questions;
DROP TABLE old_approvals;

-- Agents that wait to hear how it ended: the one that asked, and those that asked for the same while it was pending.
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
CREATE INDEX approval_askers_request ON approval_askers (session_id, message_id);
CREATE INDEX approval_askers_untold ON approval_askers (approval_id) WHERE is_told = 0;

-- Who approved or rejected, one per person; it counts while that person may decide.
CREATE TABLE approval_votes (
  approval_id TEXT NOT NULL REFERENCES pending_approvals (id) ON DELETE CASCADE,
  -- The person: linked identities are one.
  person_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  choice TEXT NOT NULL,
  voted_at INTEGER NOT NULL,
  PRIMARY KEY (approval_id, person_id)
) STRICT;

-- What differs from the defaults, per action.
CREATE TABLE approval_policies (
  action TEXT PRIMARY KEY NOT NULL,
  quorum INTEGER NOT NULL DEFAULT 1 CHECK (quorum BETWEEN 1 AND 5),
  expires_after_ms INTEGER CHECK (expires_after_ms > 0),
  ask_next_after_ms INTEGER CHECK (ask_next_after_ms > 0),
  revision INTEGER NOT NULL DEFAULT 1
) STRICT;

-- What an agent's container is made of, beside what was there: { apt: [], npm: [], generation }.
ALTER TABLE container_configs ADD COLUMN packages TEXT NOT NULL DEFAULT '{"apt":[],"npm":[],"generation":0}'
  CHECK (json_valid(packages));
-- [{ name, command, args, env }]
ALTER TABLE container_configs ADD COLUMN mcp_servers TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(mcp_servers));
-- [{ name, path, isReadOnly }]
ALTER TABLE container_configs ADD COLUMN mounts TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(mounts));

-- Every config an agent had, the present one included. Never changed.
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
-- An approval changes a config once, however often it is carried out.
CREATE UNIQUE INDEX container_config_history_approval ON container_config_history (approval_id)
  WHERE approval_id IS NOT NULL;
INSERT INTO container_config_history (agent_group_id, revision, config, changed_by, reason, changed_at)
SELECT config.agent_group_id, config.revision,
  json_object('provider', provider, 'model', model, 'timezone', timezone, 'network', network,
    'resources', json(resources), 'packages', json(packages), 'mcpServers', json('[]'), 'mounts', json('[]')),
  'host', 'as it was when histories began', agent.created_at
FROM container_configs AS config JOIN agent_groups AS agent ON agent.id = config.agent_group_id;

-- How the MCP servers of an agent's config came up, as its containers last said.
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
CREATE INDEX mcp_server_reports_session ON mcp_server_reports (session_id) WHERE session_id IS NOT NULL;

-- Builds of agents' own images; the log of one is <home>/logs/builds/<id>.log.
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
CREATE INDEX image_builds_agent ON image_builds (agent_group_id, created_at);
CREATE INDEX image_builds_open ON image_builds (created_at) WHERE state IN ('queued', 'building');

-- Every message writes to the ledger now. A unique index on hashes would be its largest, touched at a random page by
-- each entry; that no two are the same follows from the chain. Same entries, same positions.
CREATE TABLE new_ledger (
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
INSERT INTO new_ledger SELECT * FROM ledger ORDER BY position;
DROP TABLE ledger;
ALTER TABLE new_ledger RENAME TO ledger;
-- Positions are row ids, which stand in every index already. The one of kinds finds refusals, too.
CREATE INDEX ledger_message ON ledger (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX ledger_session ON ledger (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX ledger_kind ON ledger (kind);
CREATE INDEX ledger_actor ON ledger (actor) WHERE actor IS NOT NULL;
CREATE TRIGGER ledger_is_never_changed BEFORE UPDATE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_is_never_cut BEFORE DELETE ON ledger
BEGIN
  SELECT RAISE(ABORT, 'the ledger is append-only');
END;
