/** The doctor's judgement of what agents think with. Pure. */
import type { AgentProvider } from '../client/types.ts';
import { shellWord } from '../output/shell.ts';
import { oneLine } from '../output/text.ts';
import type { ModelsFact } from './facts.ts';
import type { Finding } from './plan.ts';

const CHECK = 'models';
const TITLE = 'Models';
/** Agents that one finding names. */
const MAX_NAMED = 3;

/** One finding for each thing to type; nothing is said where nothing is known. */
export function planModels(fact: ModelsFact): Finding[] {
  if (fact.kind === 'unknown' || fact.agents.length === 0) return [];
  if (fact.kind === 'recorded') return planRecorded(fact.agents);
  const thinking = fact.agents.filter(({ service }) => service !== null);
  const problems = thinking.flatMap((agent) => findProblem(agent) ?? []);
  if (problems.length > 0) return joinAlike(problems);
  const [first] = thinking;
  if (first === undefined) {
    const agent = shellWord(fact.agents[0]?.agentName ?? 'main');
    const detail = `no agent uses one; for a real model: portolan provider set ${agent} claude`;
    return [{ check: CHECK, title: TITLE, verdict: 'ok', detail, fix: null }];
  }
  const more = thinking.length === 1 ? '' : `, and ${thinking.length - 1} more`;
  const detail = `${oneLine(first.agentName)} reaches ${first.model ?? 'its model'} through ${first.service}${more}`;
  return [{ check: CHECK, title: TITLE, verdict: 'ok', detail, fix: null }];
}

/** Whether there is a key, and what it opens, is for the host to say. */
function planRecorded(agents: readonly { agentName: string; service: string | null }[]): Finding[] {
  const [first, ...others] = agents.filter(({ service }) => service !== null);
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  const detail =
    first === undefined
      ? 'no agent uses one'
      : `${oneLine(first.agentName)} thinks through ${first.service}${more}; whether that has a key is known when the host runs`;
  return [{ check: CHECK, title: TITLE, verdict: 'ok', detail, fix: null }];
}

interface ModelProblem {
  agentName: string;
  why: string;
  fix: string;
}

function findProblem({ agentName, key, image, isConfined }: AgentProvider): ModelProblem | null {
  if (key.next !== null) return { agentName, why: key.why ?? 'its key is missing', fix: key.next };
  if (image.state === 'failed') {
    return {
      agentName,
      why: image.reason ?? 'its image could not be made',
      fix: `portolan builds retry ${shellWord(agentName)}`,
    };
  }
  if (isConfined) return null;
  const why = 'what its tools do, they do as the user of this host: PORTOLAN_DRIVER is process';
  return { agentName, why, fix: 'npm run up   # with PORTOLAN_DRIVER unset' };
}

/** Agents that lack the same are told once. */
function joinAlike(problems: readonly ModelProblem[]): Finding[] {
  return [...new Set(problems.map(({ fix }) => fix))].map((fix) => {
    const alike = problems.filter((one) => one.fix === fix);
    const names = alike.slice(0, MAX_NAMED).map(({ agentName }) => oneLine(agentName));
    const more = alike.length > MAX_NAMED ? `, and ${alike.length - MAX_NAMED} more` : '';
    const detail = `${names.join(', ')}${more}: ${oneLine(alike[0]?.why ?? '')}`;
    return { check: CHECK, title: TITLE, verdict: 'warning', detail, fix };
  });
}
