/** What the host's tables say about a request, read anew when they changed: the gateway asks all of it at each one. */
import type { AgentGroupId, UserId } from '../../shared/ids.ts';
import type { AccessRuleStore } from '../store/access-rules.ts';
import type { AgentStore } from '../store/agents.ts';
import type { BudgetStore } from '../store/budgets.ts';
import type { ModelPriceStore } from '../store/model-prices.ts';
import type { SecretUseStore } from '../store/secret-uses.ts';
import type { Unchanged } from '../store/unchanged.ts';
import type { UserStore } from '../store/users.ts';
import type { Services } from './services.ts';

interface Asked {
  agents: AgentStore;
  accessRules: AccessRuleStore;
  services: Services;
  secretUses: SecretUseStore;
  budgets: BudgetStore;
  modelPrices: ModelPriceStore;
  users: UserStore;
}

/** The same questions, with the same answers. `unchanged` is of the stores' own connection. */
export function keepFacts(unchanged: Unchanged, asked: Asked) {
  const { agents, accessRules, services, secretUses, budgets, modelPrices, users } = asked;
  return {
    agents: {
      get: unchanged.keep(['agent_groups', 'container_configs'], (id: AgentGroupId) => agents.get(id)),
    },
    rules: { listFor: unchanged.keep(['access_rules'], (id: AgentGroupId) => accessRules.listFor(id)) },
    services: { get: unchanged.keep(['services'], (name: string) => services.get(name)) },
    secretUses: {
      at: unchanged.keep(['secret_uses'], (service: string, id: AgentGroupId | null) => secretUses.at(service, id)),
    },
    budgets: {
      list: () => budgets.list(),
      listFor: unchanged.keep(['budgets'], (id: AgentGroupId, people: readonly UserId[]) =>
        budgets.listFor(id, people),
      ),
    },
    prices: {
      get: unchanged.keep(['model_prices'], (service: string, model: string) => modelPrices.get(service, model)),
    },
    users: { identitiesOf: unchanged.keep(['users'], (id: UserId) => users.identitiesOf(id)) },
  };
}
