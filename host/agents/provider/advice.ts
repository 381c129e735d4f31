/** What somebody types who has only the demo. Pure. */
import { modelServiceOf } from '../../../shared/providers.ts';
import { shellWord } from '../../../shared/shell-word.ts';
import type { AgentGroup } from '../../store/agents.ts';

/** Two commands from fixed rules to a real model; none when some agent has one already. */
export function adviseModel(agents: readonly AgentGroup[]): readonly string[] {
  const [first] = agents;
  if (first === undefined || agents.some(({ config }) => modelServiceOf(config) !== null)) return [];
  return ['portolan secrets set anthropic', `portolan provider set ${shellWord(first.name)} claude`];
}
