import { z } from 'zod';
import { askHost, describeSubmitted } from './ask-host.ts';
import { reasonField } from './reason.ts';
import type { Tool } from './tool.ts';

const input = z.object({ reason: reasonField });

export const requestRebuild: Tool<typeof input> = {
  name: 'request_rebuild',
  description: 'Ask an admin to build your container anew, with the newest versions of your packages.',
  input,
  async run({ reason }, context) {
    return describeSubmitted(await askHost({ action: 'request_rebuild', reason }, context));
  },
};
