import { z } from 'zod';
import { deriveAgentGroupId } from '../../shared/ids.ts';
import { MAX_INSTRUCTIONS_BYTES } from '../../shared/limits.ts';
import { findDestination } from '../runner/chart.ts';
import { askHost, describeAnswer } from './ask-host.ts';
import { type ToolContext, unknownName } from './context.ts';
import type { Tool } from './tool.ts';

/** How long the new agent's name may take to appear in the chart. Longer: the turn waits. Shorter: the name is not told. */
const CHART_WAIT_MS = 2_000;

const input = z.object({
  name: z.string().trim().min(1).max(64).describe('what people call it'),
  instructions: z.string().min(1).describe('who it is and what it does, Markdown'),
  destinations: z
    .array(z.string().min(1))
    .max(50)
    .optional()
    .describe('names of your destinations that it may reach too; you and it reach each other anyway'),
});

export const createAgent: Tool<typeof input> = {
  name: 'create_agent',
  description: 'Make a new agent with instructions of its own, which you can then write to.',
  input,
  isAdminOnly: true,
  async run({ name, instructions, destinations = [] }, context) {
    if (Buffer.byteLength(instructions) > MAX_INSTRUCTIONS_BYTES) {
      return { ok: false, text: `The instructions are longer than ${MAX_INSTRUCTIONS_BYTES} bytes. Shorten them.` };
    }
    const { chart } = context.facts();
    const shared: string[] = [];
    for (const wanted of destinations) {
      const destination = findDestination(chart, wanted);
      if (!destination) return unknownName(chart, wanted);
      shared.push(destination.name);
    }
    const answer = await askHost({ action: 'create_agent', name, instructions, destinations: shared }, context);
    if (answer.kind !== 'done') return describeAnswer(answer, '');
    const localName = await findNewName(answer.row.id, context);
    const reach = localName === null ? 'list_destinations will show its name' : `write to it as \`${localName}\``;
    return describeAnswer(answer, `The agent "${name}" is made: ${reach}.`, { agent: localName });
  },
};

/** The chart is written a moment after the answer. */
async function findNewName(messageId: string, context: ToolContext): Promise<string | null> {
  const id = deriveAgentGroupId(context.session.sessionId, messageId);
  const look = () =>
    context.facts().chart.destinations.find((each) => each.type === 'agent' && each.agentGroupId === id)?.name ?? null;
  return await context.watch(look, CHART_WAIT_MS);
}
