-- The way out: services, secrets, what agents may reach, what they reached, and what their models cost.
-- Money is in nano-dollars (10^-9 USD), so that a price per token is a whole number. Times are epoch milliseconds.

-- Places outside to which the gateway adds a credential; those that every host knows are in host/egress.
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

-- AES-256-GCM; the key is outside this database.
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

-- Which secret a service gets: of one agent, or (null) of all that have none of their own.
CREATE TABLE secret_uses (
  service TEXT NOT NULL,
  agent_group_id TEXT REFERENCES agent_groups (id) ON DELETE CASCADE,
  secret_name TEXT NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX secret_uses_place ON secret_uses (service, coalesce(agent_group_id, ''));
CREATE INDEX secret_uses_secret ON secret_uses (secret_name);
CREATE INDEX secret_uses_agent ON secret_uses (agent_group_id) WHERE agent_group_id IS NOT NULL;

-- What an agent may reach. No row, no way out.
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
CREATE UNIQUE INDEX access_rules_place ON access_rules
  (agent_group_id, coalesce(host, ''), coalesce(port, 0), coalesce(service, ''), coalesce(methods, ''), coalesce(path_prefix, ''));
CREATE UNIQUE INDEX access_rules_approval ON access_rules (approval_id) WHERE approval_id IS NOT NULL;

-- Every request that reached the gateway; never bodies, headers, queries or secrets. Pruned by age and number.
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
CREATE INDEX egress_log_agent ON egress_log (agent_group_id, id);
CREATE INDEX egress_log_session ON egress_log (session_id, id);
CREATE INDEX egress_log_age ON egress_log (at);

-- Every answer of a model, with the provider's own numbers.
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
CREATE INDEX model_calls_message ON model_calls (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX model_calls_agent ON model_calls (agent_group_id, at);
CREATE INDEX model_calls_session ON model_calls (session_id, at);

-- The sums of each day (in UTC), kept when single calls are gone.
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
CREATE INDEX usage_days_agent ON usage_days (agent_group_id, day);
CREATE INDEX usage_days_user ON usage_days (user_id, day);

-- The same by conversation, kept as long as single calls are. Read by days alone, so these come first.
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

-- Hard caps.
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

-- What differs from the prices that this version knows. Nano-dollars per token.
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

-- Which service an agent's model is reached through (null: its provider's own), and how hard it thinks.
ALTER TABLE container_configs ADD COLUMN service TEXT;
ALTER TABLE container_configs ADD COLUMN effort TEXT CHECK (effort IN ('low', 'medium', 'high', 'max'));
-- The only way out is the gateway.
UPDATE container_configs SET network = 'none';
