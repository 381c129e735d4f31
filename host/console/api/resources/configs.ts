/** What agents' containers are made of, with its history, over the API. */
import type { Context } from 'hono';
import type { Effort } from '../../../../shared/providers.ts';
import { administers } from '../../../access/console.ts';
import { contentOf } from '../../../agents/config/configs.ts';
import { diffConfigs, formatDifference } from '../../../agents/config/diff.ts';
import { DEFAULT_RESOURCES } from '../../../agents/config/limits.ts';
import { listAsked, rollBack } from '../../../agents/config/rollback.ts';
import { isSameMounts } from '../../../agents/mounts/plan.ts';
import type { AgentGroup, ConfigContent } from '../../../store/agents.ts';
import type { ConfigRevision } from '../../../store/config-history.ts';
import { newApi, paginate } from '../api.ts';
import { planChoicePatch } from '../choices.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import * as routes from '../config-routes.ts';
import type { Env } from '../door.ts';
import type { ApiParts } from '../ports.ts';
import { presentChange, presentConfig, presentContent } from '../present-config.ts';
import { notFound, Problem } from '../problem.ts';
import { findAgent } from './agents.ts';

export function configRoutes(parts: ApiParts) {
  const { configs, configHistory } = parts;
  return newApi()
    .openapi(routes.getConfig, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      setEtag(c, agent.config);
      return c.json(presentConfig(agent, parts), 200);
    })
    .openapi(routes.updateConfig, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const patch = planPatch(agent, c.req.valid('json'), parts);
      requireResourceRight(c, contentOf(agent).resources, patch.resources ?? {});
      const author = { by: c.var.userId, approvalId: null, reason: 'set by hand', ifRevision: readIfMatch(c) };
      return c.json(answerChange(c, configs.change(agent.id, patch, author), parts), 200);
    })
    .openapi(routes.listConfigHistory, (c) => {
      const { id } = findAgent(parts, c.req.valid('param').id);
      const { cursor, limit } = c.req.valid('query');
      const before = cursor === undefined ? null : Number(cursor);
      if (before !== null && !Number.isSafeInteger(before)) throw badCursor();
      const page = paginate(
        limit,
        (n) => configHistory.list(id, n, before),
        ({ revision }) => String(revision),
      );
      return c.json({ ...page, items: page.items.map((one) => presentChange(one, parts)) }, 200);
    })
    .openapi(routes.getConfigRevision, (c) => {
      const { id, revision } = c.req.valid('param');
      const agent = findAgent(parts, id);
      const past = findRevision(parts, agent, revision);
      const { changes: _, ...change } = presentChange(past, parts);
      return c.json({ agentId: agent.id, ...change, ...presentContent(past.content) }, 200);
    })
    .openapi(routes.diffConfigRevisions, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { from, to } = planDiff(parts, agent, c.req.valid('query'));
      const changes = diffConfigs(from.content, to.content).map((one) => ({ ...one, line: formatDifference(one) }));
      return c.json({ from: from.revision, to: to.revision, changes }, 200);
    })
    .openapi(routes.rollBackConfig, async (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { revision } = c.req.valid('json');
      requireRollbackRight(c, agent, findRevision(parts, agent, revision).content, parts);
      const to = { revision, ifRevision: readIfMatch(c), by: c.var.userId };
      const outcome = await rollBack(agent, to, parts);
      switch (outcome.kind) {
        case 'no-such-revision':
          throw notFound('revision');
        case 'refused':
          throw new Problem(409, 'not_possible_now', `Nothing was changed: ${outcome.why}.`, {
            next: outcome.next,
          });
        case 'build-failed':
          throw new Problem(409, 'build_failed', `Nothing was changed: its image could not be built.\n${outcome.tail}`);
        default:
          return c.json(answerChange(c, outcome, parts), 200);
      }
    });
}

type Outcome = ReturnType<ApiParts['configs']['change']>;

/** The config as it is then, with its ETag. Throws Problem 404, 412. */
export function answerChange(c: Context, outcome: Outcome, parts: ApiParts) {
  if (outcome.kind === 'gone') throw notFound('agent');
  if (outcome.kind === 'stale') throw refuseChange('config', outcome.agent.config);
  setEtag(c, outcome.agent.config);
  return presentConfig(outcome.agent, parts);
}

interface Patch {
  provider?: string | undefined;
  model?: string | null | undefined;
  service?: string | null | undefined;
  effort?: Effort | null | undefined;
  timezone?: string | undefined;
  memoryMb?: number | null | undefined;
  cpus?: number | null | undefined;
  pids?: number | null | undefined;
}

/** Null takes a resource back to the default. Throws Problem 409 for what does not fit together. */
function planPatch(
  agent: AgentGroup,
  { provider, model, service, effort, timezone, ...resources }: Patch,
  parts: ApiParts,
): Partial<ConfigContent> {
  const merged = { ...contentOf(agent).resources, ...dropAbsent(resources) };
  return {
    ...planChoicePatch(agent, { provider, model, service, effort }, parts),
    ...(timezone === undefined ? {} : { timezone }),
    resources: Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)),
  };
}

function dropAbsent<T extends object>(given: T): Partial<T> {
  // What is left has the same keys.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The two revisions to compare; the last change when none is named. Throws Problem 404. */
function planDiff(
  parts: ApiParts,
  agent: AgentGroup,
  query: { from?: number | undefined; to?: number | undefined },
): { from: ConfigRevision; to: ConfigRevision } {
  const to = findRevision(parts, agent, query.to ?? agent.config.revision);
  if (query.from !== undefined) return { from: findRevision(parts, agent, query.from), to };
  return { from: parts.configHistory.before(agent.id, to.revision) ?? to, to };
}

function findRevision({ configHistory }: ApiParts, { id }: AgentGroup, revision: number): ConfigRevision {
  const past = configHistory.get(id, revision);
  if (past === null) throw notFound('revision');
  return past;
}

/**
 * Folders of the machine are given by who administers all of it; what several people must approve,
 * by an owner, who says how many they are. Throws Problem 403.
 */
function requireRollbackRight(
  c: Context<Env>,
  agent: AgentGroup,
  wanted: ConfigContent,
  { decisions }: ApiParts,
): void {
  const { isOwner } = c.var.standing;
  const now = contentOf(agent);
  requireResourceRight(c, now.resources, wanted.resources);
  if (!isSameMounts(now.mounts, wanted.mounts) && !administers(c.var.standing, { changedBy: [] })) {
    throw new Problem(403, 'not_allowed', 'That revision has other mounts, which you may not change.', {
      expected: 'an owner or a global admin',
    });
  }
  const quorum = Math.max(1, ...listAsked(now, wanted).map((action) => decisions.policies.get(action).quorum));
  if (quorum > 1 && !isOwner) {
    throw new Problem(403, 'not_allowed', `That revision changes what ${quorum} people must approve.`, {
      expected: 'an owner',
      next: 'have the agent ask for the change, so that they can approve it',
    });
  }
}

type Resources = ConfigContent['resources'];

/** The machine's are shared: beyond the default they are given by who administers all of it. Throws Problem 403. */
function requireResourceRight(c: Context<Env>, now: Resources, wanted: Resources): void {
  if (administers(c.var.standing, { changedBy: [] })) return;
  for (const name of ['memoryMb', 'cpus', 'pids'] as const) {
    const most = DEFAULT_RESOURCES[name];
    const asked = wanted[name] ?? most;
    // What a global admin gave may stay, or become less.
    if (asked <= Math.max(most, now[name] ?? most)) continue;
    throw new Problem(403, 'not_allowed', `${name} ${asked} is more than you may give an agent.`, {
      expected: `at most ${most}, or an owner or a global admin`,
      next: 'ask one of them to set it',
    });
  }
}

function badCursor(): Problem {
  return new Problem(400, 'bad_input', 'The query is not as expected.', { expected: 'cursor: a revision' });
}
