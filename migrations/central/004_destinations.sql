-- An agent's destinations: both the name map and the access list. `id` never changes, so that the
-- API can name a destination through renames.

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

CREATE INDEX agent_destinations_target ON agent_destinations (target_type, target_id);

-- Backfill: one destination per wiring, named after the chat. A name is the chat's name in lower
-- case with every run of other characters turned into one '-', 'chat' when nothing is left; a name
-- that the agent already has gets '-2', '-3', … : the first that is free.
WITH RECURSIVE
  -- One character at a time: `slug` so far, `rest` to come.
  slugs (wiring_id, slug, rest) AS (
    SELECT w.id, '', lower(m.name)
    FROM wirings w JOIN messaging_groups m ON m.id = w.messaging_group_id
    UNION ALL
    SELECT
      wiring_id,
      CASE
        WHEN substr(rest, 1, 1) GLOB '[a-z0-9]' THEN slug || substr(rest, 1, 1)
        WHEN slug = '' OR slug GLOB '*-' THEN slug
        ELSE slug || '-'
      END,
      substr(rest, 2)
    FROM slugs WHERE rest <> '' AND length(slug) < 56
  ),
  named AS (
    SELECT
      w.id AS wiring_id, w.agent_group_id, w.messaging_group_id, w.created_at,
      coalesce(nullif(rtrim(s.slug, '-'), ''), 'chat') AS name,
      row_number() OVER (PARTITION BY w.agent_group_id ORDER BY w.created_at, w.id) AS turn
    FROM wirings w JOIN slugs s ON s.wiring_id = w.id AND (s.rest = '' OR length(s.slug) >= 56)
  ),
  -- Wirings of one agent take turns; `taken` holds the names given so far, the newest last.
  given (agent_group_id, turn, messaging_group_id, created_at, taken) AS (
    SELECT agent_group_id, turn, messaging_group_id, created_at, json_array(name)
    FROM named WHERE turn = 1
    UNION ALL
    SELECT
      n.agent_group_id, n.turn, n.messaging_group_id, n.created_at,
      json_insert(g.taken, '$[#]', CASE
        WHEN NOT EXISTS (SELECT 1 FROM json_each(g.taken) t WHERE t.value = n.name) THEN n.name
        ELSE (
          -- Of `turn` candidates at most turn - 1 are taken, so one is free.
          SELECT n.name || '-' || (candidate.key + 2)
          FROM json_each('[0' || replace(hex(zeroblob(n.turn)), '00', ',0') || ']') candidate
          WHERE NOT EXISTS (SELECT 1 FROM json_each(g.taken) t WHERE t.value = n.name || '-' || (candidate.key + 2))
          ORDER BY candidate.key LIMIT 1
        )
      END)
    FROM given g JOIN named n ON n.agent_group_id = g.agent_group_id AND n.turn = g.turn + 1
  )
INSERT INTO agent_destinations (id, agent_group_id, local_name, target_type, target_id, created_at)
SELECT
  'dst_' || lower(hex(randomblob(10))), agent_group_id, json_extract(taken, '$[#-1]'), 'channel',
  messaging_group_id, created_at
FROM given;
