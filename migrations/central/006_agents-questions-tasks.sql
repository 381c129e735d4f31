-- Names that live on after a rename, agents that write to agents, questions put to people, tasks.

-- The agent that made it; null: a person did.
ALTER TABLE agent_groups ADD COLUMN created_by TEXT;
-- What is still to be done about it after the commit that decided it: files, containers, telling. Null when nothing is.
ALTER TABLE agent_groups ADD COLUMN open_work TEXT CHECK (open_work IS NULL OR json_valid(open_work));
CREATE INDEX agent_groups_made ON agent_groups (created_by, created_at) WHERE created_by IS NOT NULL;
CREATE INDEX agent_groups_open ON agent_groups (id) WHERE open_work IS NOT NULL;

CREATE INDEX ledger_refusals ON ledger (position) WHERE kind = 'delivery.refused';

-- An answer under a destination's earlier name still arrives, until the name is given to another.
CREATE TABLE former_destination_names (
  agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  former_name TEXT NOT NULL,
  destination_id TEXT NOT NULL REFERENCES agent_destinations (id) ON DELETE CASCADE,
  renamed_at INTEGER NOT NULL,
  PRIMARY KEY (agent_group_id, former_name)
) STRICT;
CREATE INDEX former_destination_names_destination ON former_destination_names (destination_id);

-- Which session of another agent a session last talked with.
CREATE TABLE peer_links (
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  peer_agent_group_id TEXT NOT NULL REFERENCES agent_groups (id) ON DELETE CASCADE,
  peer_session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (session_id, peer_agent_group_id)
) STRICT;
CREATE INDEX peer_links_agent ON peer_links (peer_agent_group_id);
CREATE INDEX peer_links_peer ON peer_links (peer_session_id);

-- Two agents whose exchange was stopped until a person decides. `agent_a` < `agent_b`.
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
CREATE UNIQUE INDEX peer_pauses_open ON peer_pauses (agent_a, agent_b) WHERE state = 'paused';
CREATE INDEX peer_pauses_pair ON peer_pauses (agent_a, agent_b, created_at);
CREATE INDEX peer_pauses_agent_b ON peer_pauses (agent_b);
CREATE INDEX peer_pauses_session ON peer_pauses (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX peer_pauses_peer_session ON peer_pauses (peer_session_id) WHERE peer_session_id IS NOT NULL;

-- Nothing wrote these two before.
DROP TABLE pending_questions;
DROP TABLE pending_approvals;

-- A decision that the host needs from an admin. `subject_key`: one open approval per subject.
CREATE TABLE pending_approvals (
  id TEXT PRIMARY KEY NOT NULL,
  action TEXT NOT NULL,
  subject_key TEXT NOT NULL,
  -- SHA-256 of action and payload; an approval holds for this text alone (I5).
  request_hash TEXT NOT NULL CHECK (length(request_hash) = 64),
  payload TEXT NOT NULL CHECK (json_valid(payload)),
  -- Whose admins may decide; null: global admins and owners alone.
  agent_group_id TEXT REFERENCES agent_groups (id) ON DELETE CASCADE,
  requester_session_id TEXT REFERENCES sessions (id) ON DELETE SET NULL,
  title TEXT NOT NULL,
  question TEXT NOT NULL,
  -- [{text, approves}]
  options TEXT NOT NULL CHECK (json_valid(options)),
  state TEXT NOT NULL DEFAULT 'pending'
    CHECK (state IN ('pending', 'approved', 'rejected', 'expired', 'applied', 'failed')),
  choice TEXT,
  decided_by TEXT,
  decided_at INTEGER,
  -- What came of it, in words; null while what follows from the decision is still to be done.
  outcome TEXT,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX pending_approvals_subject ON pending_approvals (action, subject_key) WHERE state = 'pending';
CREATE INDEX pending_approvals_open ON pending_approvals (expires_at) WHERE state = 'pending';
-- At its end, and what follows from that is still to be done.
CREATE INDEX pending_approvals_undone ON pending_approvals (id) WHERE state <> 'pending' AND outcome IS NULL;
CREATE INDEX pending_approvals_rejected ON pending_approvals (action, subject_key, decided_at) WHERE state = 'rejected';
CREATE INDEX pending_approvals_agent ON pending_approvals (agent_group_id) WHERE agent_group_id IS NOT NULL;
CREATE INDEX pending_approvals_requester ON pending_approvals (requester_session_id) WHERE requester_session_id IS NOT NULL;

-- A question as it stands in one chat: an agent's own, or the card of an approval.
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
CREATE INDEX pending_questions_chat ON pending_questions (messaging_group_id, thread_id, created_at) WHERE state = 'pending';
-- The card of an approval ends with its approval.
CREATE INDEX pending_questions_expiry ON pending_questions (expires_at) WHERE state = 'pending' AND approval_id IS NULL;
CREATE INDEX pending_questions_client ON pending_questions (messaging_group_id, answer_client_id)
  WHERE answer_client_id IS NOT NULL;
CREATE INDEX pending_questions_untold ON pending_questions (message_id) WHERE is_told = 0;
CREATE INDEX pending_questions_unshown ON pending_questions (message_id) WHERE is_shown = 0;
CREATE INDEX pending_questions_session ON pending_questions (session_id);
CREATE INDEX pending_questions_approval ON pending_questions (approval_id) WHERE approval_id IS NOT NULL;

-- Messages that wait for an admin to let their sender in, or to wire their chat. Received again in the order of `position`.
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
CREATE INDEX held_messages_sender ON held_messages (agent_group_id, sender_id, position);
CREATE INDEX held_messages_age ON held_messages (created_at);

-- What an admin said no to, by the subject of that approval: nobody is asked again before `until_at`.
CREATE TABLE turned_away (
  subject_key TEXT PRIMARY KEY NOT NULL,
  decided_by TEXT NOT NULL,
  decided_at INTEGER NOT NULL,
  -- Null: for ever.
  until_at INTEGER
) STRICT;
CREATE INDEX turned_away_end ON turned_away (until_at) WHERE until_at IS NOT NULL;

-- What an agent asked to be woken for.
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
CREATE INDEX tasks_next ON tasks (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX tasks_session ON tasks (session_id, state);
CREATE INDEX tasks_agent ON tasks (agent_group_id, state);

-- One receipt per firing, the missed ones too.
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
CREATE UNIQUE INDEX task_firings_message ON task_firings (message_id) WHERE message_id IS NOT NULL;
-- Firings whose end is not noted yet.
CREATE INDEX task_firings_open ON task_firings (task_id, due_at) WHERE outcome = 'fired';
