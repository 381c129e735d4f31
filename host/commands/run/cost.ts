/**
 * `/cost`: what models were asked and cost in this conversation; for an admin of the agent, in a private chat, also
 * of the agent in all, and its budgets. Reads alone. Days are those of UTC, like budgets.
 */
import { formatUsd } from '../../../shared/money.ts';
import { showSafely } from '../../approvals/show.ts';
import { describeAmount, describeCap } from '../../budgets/words.ts';
import type { BudgetState } from '../../egress/model/budget-plan.ts';
import type { UsageSum } from '../../store/model-calls.ts';
import { isAdminOf } from '../plan.ts';
import type { Call, CommandParts, Listener, Reply } from '../ports.ts';
import { count } from '../words.ts';

export function cost(call: Call, parts: CommandParts): Reply {
  const heard = call.listeners.filter(({ isHeard, isKnown }) => isHeard || isKnown);
  if (heard.length === 0) return { kind: 'said', text: 'No agent listens here.' };
  return { kind: 'said', text: heard.map((one) => describeListener(one, call, parts)).join('\n\n') };
}

function describeListener({ agent, session }: Listener, { speaker }: Call, parts: CommandParts): string {
  const name = `**${showSafely(agent.name)}**`;
  const here = session === null ? null : parts.usage.ofSession(session.id);
  const lines = [
    here === null || here.all.calls === 0
      ? `${name}: no model was asked in this conversation yet.`
      : `${name}, in this conversation: ${describeSum(here.today)} today, ${describeSum(here.all)} in the last 90 days.`,
  ];
  if (!isAdminOf(speaker.roles, agent.id)) return lines.join('\n');
  // What an agent costs in all is nothing for those who read along.
  if (!speaker.isPrivate) return [...lines, 'Write /cost to me in a private chat for what it costs in all.'].join('\n');
  const { today, month } = parts.usage.ofAgent(agent.id);
  lines.push(`- in all its conversations: ${describeSum(today)} today, ${describeSum(month)} this month`);
  const states = parts.spending.statesFor({ agentGroupId: agent.id, userId: null });
  const isGlobal = speaker.roles.some(({ role, agentGroupId }) => role === 'owner' || agentGroupId === null);
  const shown = states.filter(({ budget }) => budget.scope === 'agent' || isGlobal);
  lines.push(...shown.map((state) => `- ${describeBudget(state)}`));
  if (shown.length === 0) lines.push('- it has no budget');
  return lines.join('\n');
}

function describeSum({ calls, costNanousd, unpricedCalls, ...tokens }: UsageSum): string {
  if (calls === 0) return 'nothing';
  const all = tokens.inputTokens + tokens.outputTokens + tokens.cacheReadTokens + tokens.cacheWriteTokens;
  const unpriced = unpricedCalls === 0 ? '' : ', and what has no price';
  const money = unpricedCalls === calls ? 'no known price' : `${formatUsd(costNanousd)}${unpriced}`;
  return `${money} (${all.toLocaleString('en-US')} tokens in ${count(calls, 'call')})`;
}

function describeBudget({ budget, spent }: BudgetState): string {
  const whose = budget.scope === 'host' ? 'the host’s budget' : 'its budget';
  const shown = budget.unit === 'usd' ? formatUsd(spent) : describeAmount(spent, budget.unit);
  return `${whose} of ${describeCap(budget)}: ${shown} used${spent >= budget.amount ? ', it is used up' : ''}`;
}
