/**
 * The host–container protocol: one integer, and the two JSON files the host writes for the runner.
 *
 * Versions, newest last; each bump adds a dated line:
 *   1  2026-11-21  first version
 *   2  2026-11-21  earlier names in the chart, tasks.json, tasks and answers in inbound content, all requests
 *   3  2026-11-21  commands as a word of their own in inbound content, MCP servers and packages in session.json,
 *                  requests about packages, MCP servers, rebuilds and restarts
 *   4  2026-11-21  the model service, its API and the effort in session.json, the command `compact`, request_access,
 *                  in/gateway.sock
 */
import { z } from 'zod';
import { mcpServerSchema } from './mcp-servers.ts';
import { EFFORTS, MODEL_APIS } from './providers.ts';

export const PROTOCOL_VERSION = 4;

export const LOCAL_NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const localNameSchema = z
  .string()
  .regex(LOCAL_NAME, 'a name is 1 to 63 of a–z, 0–9 and "-", starting with a letter or digit');

/** The channel type of rows that go to, or come from, another agent; the platform id is its agent group id. */
export const AGENT_CHANNEL = 'agent';

/** Earlier names of a destination: an answer under one still arrives. */
const formerNames = z.array(localNameSchema).default([]);

/** One place this agent may reach. Routing ids are for the runner; a model sees names only. */
export const destinationSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('channel'),
    name: localNameSchema,
    formerNames,
    displayName: z.string(),
    channelType: z.string(),
    platformId: z.string(),
    /** What the channel can do beyond text. */
    canEdit: z.boolean(),
    canReact: z.boolean(),
  }),
  z.object({
    type: z.literal('agent'),
    name: localNameSchema,
    formerNames,
    displayName: z.string(),
    agentGroupId: z.string(),
  }),
]);
export type Destination = z.infer<typeof destinationSchema>;

/** `in/destinations.json`: the chart. Replaced atomically before every wake and on every change. */
export const chartSchema = z.object({
  version: z.literal(1),
  destinations: z.array(destinationSchema),
});
export type Chart = z.infer<typeof chartSchema>;

export const EMPTY_CHART: Chart = { version: 1, destinations: [] };

/** One task of this session, as `list_tasks` shows it. Times are epoch ms. */
export const taskViewSchema = z.object({
  id: z.string(),
  prompt: z.string(),
  at: z.number().nullable(),
  cron: z.string().nullable(),
  timezone: z.string(),
  hasScript: z.boolean(),
  missed: z.enum(['skip', 'once', 'all']),
  state: z.enum(['active', 'paused']),
  nextAt: z.number().nullable(),
  lastFiredAt: z.number().nullable(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** `in/tasks.json`: the session's open tasks. Replaced atomically on every change; absent when there never was one. */
export const taskListSchema = z.object({ version: z.literal(1), tasks: z.array(taskViewSchema) });
export type TaskList = z.infer<typeof taskListSchema>;

/** `in/session.json`: who the runner is. Replaced atomically before every wake. */
export const sessionFileSchema = z.object({
  protocolVersion: z.number().int(),
  sessionId: z.string(),
  agentGroupId: z.string(),
  agentName: z.string(),
  isAdmin: z.boolean(),
  provider: z.string(),
  model: z.string().nullable(),
  /** The model service in use: what stands in `/model/<name>/` of the gateway. Empty: the provider needs none. */
  service: z.string(),
  /** Which protocol that service speaks; null without one. */
  api: z.enum(MODEL_APIS).nullable(),
  /** How hard the model thinks; null leaves it to the model. */
  effort: z.enum(EFFORTS).nullable(),
  /** IANA name of the time zone the people of this agent use. */
  timezone: z.string(),
  /** What the container was made with: read once, at its start. */
  mcpServers: z.array(mcpServerSchema),
  packages: z.object({ apt: z.array(z.string()), npm: z.array(z.string()) }),
  limits: z.object({
    maxTextBytes: z.number().int().positive(),
    maxFileBytes: z.number().int().positive(),
    maxFilesPerMessage: z.number().int().positive(),
    maxBatch: z.number().int().positive(),
  }),
});
export type SessionFile = z.infer<typeof sessionFileSchema>;

/** The exit codes of the runner, so that the host can name the reason. */
export const RUNNER_EXIT = {
  /** Told to stop (SIGTERM): drained and closed. */
  stopped: 0,
  /** A bug: an unexpected exception. */
  crashed: 1,
  /** session.json is missing, unreadable or of another protocol version. */
  badContract: 70,
  /** The provider named in session.json is not in this image. */
  unknownProvider: 71,
} as const;

/** Keys of `runner_state` (value is JSON). */
export const RUNNER_STATE = {
  /** Written once at start: `{ protocolVersion, provider, startedAt }`. */
  hello: 'hello',
  /** The provider's continuation: `{ provider, continuation }`. */
  continuation: 'continuation',
  /** Tool in flight: `{ tool, startedAt, timeoutMs }`, absent when none is. */
  tool: 'tool',
  /** `{ since }` when the runner is idle with all statements closed: safe to freeze. Absent when busy. */
  idle: 'idle',
} as const;
