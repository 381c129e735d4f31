/** Secrets and which service gets them, over the API. For owners. */
import { parseId } from '../../../../shared/ids.ts';
import { modelServiceOf } from '../../../../shared/providers.ts';
import { shellWord } from '../../../../shared/shell-word.ts';
import { MAX_AGENTS } from '../../../agents/limits.ts';
import type { AgentGroup } from '../../../store/agents.ts';
import type { SecretUse } from '../../../store/secret-uses.ts';
import type { SecretRow } from '../../../store/secrets.ts';
import { findTextFlaw } from '../../../vault/plan-secret.ts';
import { SecretValue } from '../../../vault/secret-value.ts';
import { refuse } from '../../../vault/state.ts';
import { newApi } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { presentAuthor } from '../present-config.ts';
import { notFound, Problem } from '../problem.ts';
import { toProblem } from '../secret-problems.ts';
import * as routes from '../secret-routes.ts';
import type { Secret } from '../secret-schemas.ts';

export function secretRoutes(parts: ApiParts) {
  const { vault, assignments } = parts;
  return newApi()
    .openapi(routes.listSecrets, (c) => {
      const agents = parts.agents.list(MAX_AGENTS);
      const uses = assignments.list();
      const items = vault.list().map((secret) => presentSecret(secret, uses, agents, parts));
      return c.json({ items }, 200);
    })
    .openapi(routes.setSecret, (c) => {
      const { name } = c.req.valid('param');
      const { value: text } = c.req.valid('json');
      const flaw = findTextFlaw(text);
      if (flaw !== null) throw toProblem(refuse('bad_secret', flaw.why, { expected: flaw.expected }));
      const value = SecretValue.ofText(text);
      try {
        const outcome = assignments.setSecret(name, value, c.var.userId);
        if (outcome.kind === 'refused') throw toProblem(outcome);
        const { secret, isNew, assignedTo } = outcome;
        const agents = parts.agents.list(MAX_AGENTS);
        setEtag(c, secret);
        const shown = presentSecret(secret, assignments.listForSecret(name), agents, parts);
        return c.json({ ...shown, isNew, assignedTo, next: adviseNext(shown, agents, parts) }, 200);
      } finally {
        value.destroy();
      }
    })
    .openapi(routes.removeSecret, (c) => {
      const { name } = c.req.valid('param');
      if (vault.get(name) === null) throw notFound('secret');
      if (!vault.remove(name, readIfMatch(c), c.var.userId)) throw refuseChange('secret', vault.get(name));
      return c.body(null, 204);
    })
    .openapi(routes.assignSecret, (c) => {
      const { name: service, of } = c.req.valid('param');
      const { secret } = c.req.valid('json');
      const agentGroupId = of === 'all' ? null : parseId('agentGroup', of);
      const outcome = assignments.assign({ secretName: secret, service, agentGroupId }, c.var.userId);
      if ('kind' in outcome) throw toProblem(outcome);
      return c.json(presentUse(outcome, assignments.list(), parts.agents.list(MAX_AGENTS), parts), 200);
    })
    .openapi(routes.unassignSecret, (c) => {
      const { name: service, of } = c.req.valid('param');
      const agentGroupId = of === 'all' ? null : parseId('agentGroup', of);
      if (!assignments.unassign(service, agentGroupId, c.var.userId)) throw noUse();
      return c.body(null, 204);
    });
}

/** `uses`: of all secrets, or of this one. */
function presentSecret(
  { name, createdBy, createdAt, updatedAt, revision }: SecretRow,
  uses: readonly SecretUse[],
  agents: readonly AgentGroup[],
  parts: ApiParts,
): Secret {
  const own = uses.filter(({ secretName }) => secretName === name);
  return {
    ...{ name, createdAt, changedAt: updatedAt, revision, createdBy: presentAuthor(createdBy, parts) },
    uses: own.map((use) => presentUse(use, parts.assignments.list(), agents, parts)),
  };
}

/** `uses` are all there are: an agent with a secret of its own thinks with that. */
function presentUse(
  { service, agentGroupId }: SecretUse,
  uses: readonly SecretUse[],
  agents: readonly AgentGroup[],
  parts: Pick<ApiParts, 'agents'>,
): Secret['uses'][number] {
  const hasOwn = (agent: AgentGroup) => uses.some((use) => use.service === service && use.agentGroupId === agent.id);
  const thinkers = agents.filter(
    (agent) =>
      modelServiceOf(agent.config) === service && (agentGroupId === null ? !hasOwn(agent) : agent.id === agentGroupId),
  );
  const of = agentGroupId === null ? null : (parts.agents.get(agentGroupId) ?? parts.agents.getArchived(agentGroupId));
  return {
    service,
    agent: agentGroupId === null ? null : { id: agentGroupId, name: of?.name ?? agentGroupId },
    thinkers: thinkers.map(({ name }) => name),
  };
}

function noUse(): Problem {
  return new Problem(404, 'not_found', 'That service gets no such secret.', { next: 'portolan secrets list' });
}

/** From a secret to an agent that uses it, or to seeing that it works, in one command. */
function adviseNext(secret: Secret, agents: readonly AgentGroup[], { services, access }: ApiParts): string | null {
  const [use] = secret.uses;
  if (use === undefined) return `portolan secrets assign ${secret.name} --service <service>`;
  const thinker = secret.uses.flatMap(({ thinkers }) => thinkers)[0];
  if (thinker !== undefined) return `portolan provider test ${shellWord(thinker)}`;
  const agent = shellWord(use.agent?.name ?? agents[0]?.name ?? 'main');
  const service = services.get(use.service);
  if (service === null) return null;
  switch (service.api) {
    case 'anthropic':
      return `portolan provider set ${agent} claude${service.name === 'anthropic' ? '' : ` --service ${service.name}`}`;
    case 'openai':
      return `portolan provider set ${agent} openai${service.name === 'openai' ? '' : ` --service ${service.name}`} --model <model>`;
    default: {
      const isAllowed = agents.some(({ id }) => access.list(id).some((rule) => rule.service === service.name));
      return isAllowed ? null : `portolan access allow ${agent} ${service.name}`;
    }
  }
}
