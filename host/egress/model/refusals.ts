/** Why a model call was not let through, in words for the agent and the person it works for. Pure. */
import { formatUsdExactly } from '../../../shared/money.ts';
import { shellWord } from '../../../shared/shell-word.ts';
import type { Budget } from '../../store/budgets.ts';
import { type Refusal, refuse } from '../refusal.ts';
import type { BudgetPlan } from './budget-plan.ts';

export function refuseBudget(
  plan: Exclude<BudgetPlan, { kind: 'go' }>,
  agentName: string,
  model: string | null,
  service: string,
): Refusal {
  const { budget } = plan.state;
  const whose = describeBudget(budget, agentName);
  switch (plan.kind) {
    case 'over': {
      const again = new Date(plan.resetsAt).toISOString().slice(0, 16).replace('T', ' ');
      const message = `${whose} is used up. It starts anew at ${again} UTC. Until then no model is called for this.`;
      return refuse(
        'over_budget',
        message,
        `An owner or a global admin can raise it: ${describeRaise(budget, agentName)}`,
      );
    }
    case 'wait':
      return refuse(
        'too_many',
        `${whose} is nearly used up, and calls that are under way may take the rest: wait until they have ended.`,
      );
    case 'no_price':
      return refuse(
        'no_price',
        `${whose} is in money, and nobody has said what the model ${quoteModel(model)} of ${service} costs.`,
        `An owner or a global admin sets its price, in dollars per million tokens: portolan price set ${service} ${model ?? '<model>'} --input 3 --output 15`,
      );
  }
}

export function refuseEndpoint(service: string, method: string): Refusal {
  return refuse(
    'not_allowed',
    `This address of ${service} is no call of a model that can be counted (${method}): messages, chat completions, responses, completions and embeddings are.`,
  );
}

export const NOT_A_MODEL = refuse('unknown_service', 'This service has no model.');
export const NO_ROOM: Refusal = {
  ...refuse(
    'too_many',
    'The host cannot write down what calls cost just now (its disk is full): no model is called.',
    'Somebody frees disk space on the host; see portolan doctor',
  ),
  status: 503,
};
export const UNREADABLE = refuse(
  'bad_request',
  'A call of a model is one JSON object in UTF-8, not packed, that names its model.',
);
export const IN_BACKGROUND = refuse(
  'not_allowed',
  'A call in the background cannot be counted: leave “background” away.',
);

export function refuseOption(option: string, budget: Budget, agentName: string): Refusal {
  return refuse(
    'no_price',
    `${describeBudget(budget, agentName)} is in money, and the option “${option}” changes the price: leave it away.`,
  );
}

export function refuseReference(name: string, budget: Budget, agentName: string): Refusal {
  const why = 'is of a size that nobody here sees, so a call that breaks off could not be counted';
  return refuse(
    'not_allowed',
    `${describeBudget(budget, agentName)} is a cap, and what “${name}” refers to ${why}: send it along.`,
  );
}

/** The host's sums are nobody's business but its owners'. */
function describeBudget({ scope, period, unit, amount }: Budget, agentName: string): string {
  const much = unit === 'usd' ? formatUsdExactly(amount) : `${amount.toLocaleString('en-US')} tokens`;
  switch (scope) {
    case 'host':
      return `The budget of this host for the ${period}`;
    case 'agent':
      return `The budget of the agent “${agentName}”, ${much} a ${period},`;
    case 'person':
      return `The budget of the person who wrote this, ${much} a ${period},`;
  }
}

function describeRaise({ scope, period, unit, subject }: Budget, agentName: string): string {
  const whose = { host: '--host', agent: shellWord(agentName), person: `--person ${shellWord(subject)}` }[scope];
  return `portolan budget set ${whose} --${period} <amount>${unit === 'tokens' ? ' --tokens' : ''}`;
}

/** The container wrote it. */
function quoteModel(model: string | null): string {
  return model === null ? 'that was asked' : `“${model.replace(/[^\w.:/@-]/g, '·').slice(0, 100)}”`;
}
