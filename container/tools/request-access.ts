import { z } from 'zod';
import {
  ACCESS_METHODS,
  accessHostSchema,
  accessMethodsSchema,
  accessPathSchema,
  accessPortSchema,
  accessServiceSchema,
} from '../../shared/access.ts';
import { askHost, describeSubmitted } from './ask-host.ts';
import { reasonField } from './reason.ts';
import type { Tool } from './tool.ts';

const input = z
  .object({
    host: accessHostSchema
      .optional()
      .describe('a full name, as "api.example.com", or "*.example.com" for the names below it'),
    service: accessServiceSchema
      .optional()
      .describe('instead of a host: a service of the host, as "github", which adds its own credential'),
    port: accessPortSchema.optional().describe('of the host; 443 unless you say otherwise'),
    methods: accessMethodsSchema.optional().describe(`of ${ACCESS_METHODS.join(', ')}; all unless you say otherwise`),
    path: accessPathSchema.optional().describe('what paths begin with, as "/v1"; all unless you say otherwise'),
    reason: reasonField,
  })
  .refine(({ host, service }) => (host === undefined) !== (service === undefined), {
    message: 'name a host or a service, one of the two',
  })
  .refine(({ service, port }) => service === undefined || port === undefined, {
    message: 'a service has its own port: leave port out',
  });

export const requestAccess: Tool<typeof input> = {
  name: 'request_access',
  description:
    'Ask an admin to let you reach a host or a service outside; ask for as little as you need, it holds at once.',
  input,
  async run({ host, service, port, methods, path, reason }, context) {
    const request = {
      action: 'request_access' as const,
      ...(host === undefined ? {} : { host }),
      ...(service === undefined ? {} : { service }),
      ...(port === undefined ? {} : { port }),
      ...(methods === undefined ? {} : { methods }),
      ...(path === undefined ? {} : { path }),
      reason,
    };
    return describeSubmitted(await askHost(request, context));
  },
};
