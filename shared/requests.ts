/**
 * What an agent may ask of the host: `messages_out` rows of kind `request`, one shape per action.
 *
 * The host answers each in its `deliveries` row: `delivered` (done) or `refused` with the reason in words.
 * A request is carried out once, whatever crashes: everything it makes is named after the row that asks.
 */
import { z } from 'zod';
import { MAX_INSTRUCTIONS_BYTES, MAX_SCRIPT_BYTES, MAX_TEXT_BYTES } from './limits.ts';
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
]);
export type Request = z.infer<typeof requestSchema>;
export type RequestOf<Action extends Request['action']> = Extract<Request, { action: Action }>;
