import { z } from 'zod';
import { restartNoteSchema } from '../../shared/requests.ts';
import { askHost, describeAnswer } from './ask-host.ts';
import type { Tool } from './tool.ts';

const input = z.object({
  note: restartNoteSchema
    .optional()
    .describe('what you want to read after the restart: all that is not in files is gone by then'),
});

export const restart: Tool<typeof input> = {
  name: 'restart',
  description: 'Start your container afresh after this turn: its processes and /tmp go, your files stay.',
  input,
  async run({ note = '' }, context) {
    const answer = await askHost({ action: 'restart', note }, context);
    return describeAnswer(answer, 'Your container starts afresh when this turn is over. End it now with your answer.');
  },
};
