import { z } from 'zod';
import type { Tool } from './tool.ts';

const input = z.object({});

/** Names and what they are; the routing behind a name is not the model's business. */
export const listDestinations: Tool<typeof input> = {
  name: 'list_destinations',
  description: 'List the destinations you can send to now.',
  input,
  run(_input, context) {
    const data = context.facts().chart.destinations.map((destination) => ({
      name: destination.name,
      formerNames: destination.formerNames,
      displayName: destination.displayName,
      type: destination.type,
      channel: destination.type === 'channel' ? destination.channelType : null,
    }));
    const lines = data.map(({ name, displayName, channel }) => `- ${name}: ${displayName} (${channel ?? 'agent'})`);
    return { ok: true, text: lines.join('\n') || 'You have no destinations.', data };
  },
};
