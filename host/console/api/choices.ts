/** What agents think with, judged before it is kept. */

import { shellWord } from '../../../shared/shell-word.ts';
import { type Choice, type ChoiceRefused, mergeChoice, pickChoice, planChoice } from '../../agents/provider/plan.ts';
import type { AgentGroup } from '../../store/agents.ts';
import type { ApiParts } from './ports.ts';
import { Problem } from './problem.ts';

type GivenChoice = { [K in keyof Choice]?: Choice[K] | undefined };

/** What a change of this agent makes of its choice; nothing when it names no part of it. Throws Problem 409. */
export function planChoicePatch(agent: AgentGroup, given: GivenChoice, parts: ApiParts): Partial<Choice> {
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  if (named.length === 0) return {};
  // What is left has the same keys.
  return requireChoice(agent, Object.fromEntries(named) as Partial<Choice>, parts);
}

/** The choice that a change of this agent comes to. Throws Problem 409. */
export function requireChoice(agent: AgentGroup, given: Partial<Choice>, parts: ApiParts): Choice {
  return judgeChoice(mergeChoice(pickChoice(agent.config), given), parts, agent.name);
}

/** Of an agent that is to be made. Throws Problem 409. */
export function requireNewChoice(given: GivenChoice, parts: ApiParts, agentName: string): Choice {
  const { provider = 'demo', model = null, service = null, effort = null } = given;
  return judgeChoice(
    mergeChoice({ provider, model: null, service: null, effort: null }, { model, service, effort }),
    parts,
    agentName,
  );
}

function judgeChoice(choice: Choice, { services }: ApiParts, agentName: string): Choice {
  const plan = planChoice(choice, services.list());
  if (plan.kind === 'refused') throw toProblem(plan, agentName);
  return plan.choice;
}

function toProblem({ code, why, expected, next }: ChoiceRefused, agentName: string): Problem {
  return new Problem(409, code, why, { expected, next: next.replace('<agent>', shellWord(agentName)) });
}
