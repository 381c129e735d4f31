/**
 * What an agent may ask of the host: `messages_out` rows of kind `request`, one shape per action.
 *
 * The host answers each in its `deliveries` row: `delivered` (done) or `refused` with the reason in words.
 * A request is carried out once, whatever crashes: everything it makes is named after the row that asks.
 */
import { z } from 'zod';
import {
  accessHostSchema,
  accessMethodsSchema,
  accessPathSchema,
  accessPortSchema,
  accessServiceSchema,
} from './access.ts';
import { MAX_INSTRUCTIONS_BYTES, MAX_SCRIPT_BYTES, MAX_TEXT_BYTES } from './limits.ts';
import { MCP_SERVER_NAME, mcpServerSchema } from './mcp-servers.ts';
import { aptPackageSchema, MAX_PACKAGES_PER_REQUEST, npmPackageSchema } from './packages.ts';
import { localNameSchema } from './protocol.ts';

/** What happens to runs whose time passed while the host was down or the task could not fire. */
export const MISSED_POLICIES = ['skip', 'once', 'all'] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

const bounded = (bytes: number) =>
  z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= bytes, `at most ${bytes} bytes of UTF-8`);

const prompt = bounded(MAX_TEXT_BYTES);
const script = bounded(MAX_SCRIPT_BYTES);
/** Epoch ms. */
const at = z.number().int().positive();
const cron = z.string().min(1).max(100);
/** IANA name; the host checks that it exists. */
const timezone = z.string().min(1).max(64);
/** Why, for the admin who decides: the agent's words, shown as such. */
export const reasonSchema = z.string().trim().min(1).max(1_000);
const reason = reasonSchema;
/** What an agent wants to read after a restart. */
export const restartNoteSchema = z.string().trim().max(1_000);
const taskId = z.string().regex(/^tsk_[0-9a-z]{20}$/, 'a task id, as list_tasks shows it');

export const requestSchema = z.discriminatedUnion('action', [
  /** Put `prompt` before this same session, once at `at` or by `cron`. Exactly one of the two. */
  z.object({
    action: z.literal('create_task'),
    prompt,
    at: at.optional(),
    cron: cron.optional(),
    /** The agent's own when absent. */
    timezone: timezone.optional(),
    /** Run in the container first; it may decide that the agent is not woken. */
    script: script.optional(),
    missed: z.enum(MISSED_POLICIES).default('once'),
  }),
  /** What is absent stays; `at` and `cron` replace each other; a null script removes it. */
  z.object({
    action: z.literal('update_task'),
    taskId,
    prompt: prompt.optional(),
    at: at.optional(),
    cron: cron.optional(),
    timezone: timezone.optional(),
    script: script.nullable().optional(),
    missed: z.enum(MISSED_POLICIES).optional(),
  }),
  z.object({ action: z.literal('pause_task'), taskId }),
  z.object({ action: z.literal('resume_task'), taskId }),
  z.object({ action: z.literal('cancel_task'), taskId }),
  /** A new agent with its own folder, and destinations in both directions. Admin agents only (I6). */
  z.object({
    action: z.literal('create_agent'),
    name: z.string().min(1).max(64),
    /** Its AGENTS.md. */
    instructions: bounded(MAX_INSTRUCTIONS_BYTES),
    /** Names of the asking agent's own destinations that the new one gets too. */
    destinations: z.array(localNameSchema).max(50).default([]),
  }),
  /** Add programs to the agent's own image. Asks an admin, as do the next three; the outcome comes as a message. */
  z
    .object({
      action: z.literal('install_packages'),
      apt: z.array(aptPackageSchema).default([]),
      npm: z.array(npmPackageSchema).default([]),
      reason,
    })
    .refine(({ apt, npm }) => apt.length + npm.length > 0, 'name at least one package in apt or npm')
    .refine(
      ({ apt, npm }) => apt.length + npm.length <= MAX_PACKAGES_PER_REQUEST,
      `at most ${MAX_PACKAGES_PER_REQUEST} packages in one request`,
    ),
  /** Run an MCP server in the agent's containers; one of the same name is replaced. */
  z.object({ action: z.literal('add_mcp_server'), server: mcpServerSchema, reason }),
  z.object({
    action: z.literal('remove_mcp_server'),
    name: z.string().regex(MCP_SERVER_NAME, 'the name of an MCP server'),
    reason,
  }),
  /** Build the agent's image anew, with the newest versions of its packages. */
  z.object({ action: z.literal('request_rebuild'), reason }),
  /** Start this session's container afresh, after this turn. Needs no approval; `note` is what the fresh one reads. */
  z.object({ action: z.literal('restart'), note: restartNoteSchema.default('') }),
  /** Be let out to a host, or be given a service: exactly one of the two. Asks an admin; it holds at once. */
  z
    .object({
      action: z.literal('request_access'),
      host: accessHostSchema.optional(),
      service: accessServiceSchema.optional(),
      /** Of a host; 443 when absent. */
      port: accessPortSchema.optional(),
      /** All when absent. */
      methods: accessMethodsSchema.optional(),
      /** What paths begin with, in whole segments; all when absent. */
      path: accessPathSchema.optional(),
      reason,
    })
    .refine(
      ({ host, service }) => (host === undefined) !== (service === undefined),
      'name a host or a service, one of the two',
    )
    .refine(({ service, port }) => service === undefined || port === undefined, 'a service has its own port'),
  /** From the runner itself: how the MCP servers of its config came up. */
  z.object({
    action: z.literal('report_mcp_servers'),
    servers: z
      .array(
        z.object({
          name: z.string().regex(MCP_SERVER_NAME),
          /** Null: it is up. */
          problem: z.string().max(2_000).nullable(),
          tools: z.number().int().nonnegative().max(10_000),
        }),
      )
      .max(50),
  }),
]);
export type Request = z.infer<typeof requestSchema>;
export type RequestOf<Action extends Request['action']> = Extract<Request, { action: Action }>;
