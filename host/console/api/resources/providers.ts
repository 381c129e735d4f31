/** What agents think with, over the API. */

import { CLAUDE_NOTICE, findModelProvider, modelServiceOf, PROVIDER_NAMES } from '../../../../shared/providers.ts';
import { shellWord } from '../../../../shared/shell-word.ts';
import { administers } from '../../../access/console.ts';
import { MAX_AGENTS } from '../../../agents/limits.ts';
import { defaultModelOf, mergeChoice, pickChoice } from '../../../agents/provider/plan.ts';
import { assertNever } from '../../../config/errors.ts';
import type { ModelList, Probe } from '../../../runtime/probe/prober.ts';
import type { AgentGroup } from '../../../store/agents.ts';
import { newApi } from '../api.ts';
import { requireChoice } from '../choices.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { notFound, Problem } from '../problem.ts';
import * as routes from '../provider-routes.ts';
import type { AgentProvider, Providers } from '../provider-schemas.ts';
import { findAgent } from './agents.ts';

/** Terms of what is not Portolan's. */
const NOTICES: Readonly<Record<string, string>> = { claude: CLAUDE_NOTICE };

export function providerRoutes(parts: ApiParts) {
  const { agents, configs, prober } = parts;
  return newApi()
    .openapi(routes.listProviders, (c) => {
      const own = agents.list(MAX_AGENTS).filter(({ id }) => administers(c.var.standing, { changedBy: [id] }));
      const shown: Providers = {
        ...presentProviders(parts),
        agents: own.map((agent) => presentAgentProvider(agent, parts)),
      };
      return c.json(shown, 200);
    })
    .openapi(routes.getAgentProvider, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      setEtag(c, agent.config);
      return c.json(presentAgentProvider(agent, parts), 200);
    })
    .openapi(routes.setAgentProvider, (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { provider, model = null, service = null, effort = null } = c.req.valid('json');
      const ifRevision = readIfMatch(c);
      const choice = requireChoice(agent, { provider, model, service, effort }, parts);
      const reason = choice.provider === agent.config.provider ? 'set by hand' : `provider set to ${choice.provider}`;
      const outcome = configs.change(agent.id, choice, { by: c.var.userId, approvalId: null, reason, ifRevision });
      if (outcome.kind === 'gone') throw notFound('agent');
      if (outcome.kind === 'stale') throw refuseChange('config', outcome.agent.config);
      setEtag(c, outcome.agent.config);
      return c.json(presentAgentProvider(outcome.agent, parts), 200);
    })
    .openapi(routes.listAgentModels, async (c) => {
      const agent = findAgent(parts, c.req.valid('param').id);
      const { provider = agent.config.provider, service } = c.req.valid('query');
      const named = service === undefined ? {} : { service };
      const choice = mergeChoice(pickChoice(agent.config), { provider, ...named });
      const listed = await prober.listModels({ ...agent, config: { ...agent.config, ...choice } });
      if (listed.kind !== 'models') throw refusePace(listed);
      return c.json({ models: listed.models }, 200);
    })
    .openapi(routes.testAgentProvider, async (c) => {
      const tested = await prober.test(findAgent(parts, c.req.valid('param').id));
      if (tested.kind !== 'report') throw refusePace(tested);
      return c.json({ ...tested.report, models: [...tested.report.models] }, 200);
    });
}

function presentProviders({ services }: ApiParts): Omit<Providers, 'agents'> {
  const models = services
    .list()
    .flatMap(({ name, api, isPrivate }) => (api === null ? [] : [{ name, api, isPrivate }]));
  const providers = PROVIDER_NAMES.map((name) => {
    const known = findModelProvider(name);
    return {
      name,
      needsModel: known !== null,
      defaultModel: defaultModelOf(name),
      defaultService: known?.service ?? null,
      services: models.filter(({ api }) => known?.apis.includes(api)).map((service) => service.name),
      notice: NOTICES[name] ?? null,
    };
  });
  return { providers, services: models };
}

export function presentAgentProvider(agent: AgentGroup, parts: ApiParts): AgentProvider {
  const { provider, model, effort, revision } = agent.config;
  const service = modelServiceOf(agent.config);
  const image = parts.images.imageFor(agent);
  return {
    ...{ agentId: agent.id, agentName: agent.name, revision, provider, model, effort, service },
    api: service === null ? null : (parts.services.get(service)?.api ?? null),
    key: presentKey(agent, service, parts),
    image: { state: image.kind, reason: 'reason' in image ? image.reason : null },
    isConfined: parts.isConfined,
  };
}

function presentKey(agent: AgentGroup, name: string | null, parts: ApiParts): AgentProvider['key'] {
  if (name === null) return { state: 'not_needed', why: null, next: null };
  const service = parts.services.get(name);
  if (service === null) {
    const next = `portolan provider set ${shellWord(agent.name)} ${agent.config.provider}`;
    return { state: 'no_service', why: `there is no service "${name}" on this host`, next };
  }
  const credential = parts.credentials.credentialFor(service, agent.id);
  switch (credential.kind) {
    case 'header':
      return { state: 'given', why: null, next: null };
    case 'none':
      return { state: 'not_taken', why: null, next: null };
    case 'missing':
      return { state: 'missing', why: credential.why, next: credential.next };
    default:
      return assertNever(credential);
  }
}

function refusePace(paced: Exclude<Probe, { kind: 'report' }> | Exclude<ModelList, { kind: 'models' }>): Problem {
  if (paced.kind === 'busy') {
    return new Problem(429, 'busy', 'Such a call is under way already.', { next: 'wait until it is over' });
  }
  const minutes = Math.ceil(paced.waitMs / 60_000);
  return new Problem(429, 'too_often', 'This agent’s model was asked often in the last minutes.', {
    expected: `the next one in ${minutes} min`,
    next: 'wait a while: each is paid for',
  });
}
