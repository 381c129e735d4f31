/** What clients send: bodies, queries and path parameters. Unknown fields are refused, so that a typing error is heard. */
import { z } from '@hono/zod-openapi';
import { isId, parseUserId } from '../../../shared/ids.ts';
import { MAX_INSTRUCTIONS_BYTES, MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { localNameSchema } from '../../../shared/protocol.ts';
import { EFFORTS, PROVIDER_NAMES } from '../../../shared/providers.ts';
import { CPUS, MEMORY_MB, PIDS } from '../../agents/config/limits.ts';
import { MOUNT_NAME } from '../../agents/mounts/plan.ts';
import { MAX_POLICY_MS, MAX_QUORUM, MIN_POLICY_MS } from '../../approvals/policies.ts';
import { isTimezone } from '../../config/timezone.ts';
import { APPROVAL_STATES } from '../../store/approvals.ts';
import { UNKNOWN_SENDER_POLICIES } from '../../store/chats.ts';
import { TASK_STATES } from '../../store/tasks.ts';
import { ENGAGE_MODES, IGNORED_MESSAGE_POLICIES, SENDER_SCOPES, SESSION_MODES } from '../../store/wirings.ts';
import { SESSION_STATES } from './schemas.ts';

/** Items of one page. Higher: one answer holds up the others. Lower: more requests. */
export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;
/** Longest choice taken; options are shorter. */
const MAX_CHOICE = 200;

export const agentIdSchema = idSchema('agentGroup', 'an agent id (agt_…)');
export const chatIdSchema = idSchema('messagingGroup', 'a chat id (chat_…)');
export const wiringIdSchema = idSchema('wiring', 'a wiring id (wir_…)');
export const sessionIdSchema = idSchema('session', 'a session id (ses_…)');
export const messageIdSchema = idSchema('message', 'a message id (msg_…)');
export const approvalIdSchema = idSchema('approval', 'an approval id (apr_…)');
export const imageBuildIdSchema = idSchema('imageBuild', 'a build id (bld_…)');
export const taskIdSchema = idSchema('task', 'a task id (tsk_…)');
export const destinationIdSchema = z.string().regex(/^dst_[0-9a-z]{20}$/, 'a destination id (dst_…)');

function idSchema(kind: Parameters<typeof isId>[0], expected: string) {
  return z.string().refine((text) => isId(kind, text), `expected ${expected}`);
}

function wholeNumber(least: number, most: number) {
  return z
    .string()
    .regex(/^\d{1,16}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().int().min(least).max(most));
}

const limit = wholeNumber(1, MAX_PAGE)
  .optional()
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE });
const position = wholeNumber(0, Number.MAX_SAFE_INTEGER).optional().openapi({ type: 'integer', minimum: 0 });

export const pageQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,100}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  limit,
});

/** Epoch ms. */
const moment = wholeNumber(0, 8_640_000_000_000_000).optional().openapi({ type: 'integer', minimum: 0 });
const subjectText = z
  .string()
  .regex(/^[^\p{Cc}]{1,300}$/u, 'expected up to 300 characters')
  .optional();

export const ledgerQuery = pageQuery.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  /** A kind, or the beginning of several with its dot: `delivery.`. */
  kind: z
    .string()
    .regex(/^[a-z][a-z_]*\.([a-z_]+)?$/, 'expected a kind like "role.granted", or a beginning like "delivery."')
    .optional(),
  session: sessionIdSchema.optional(),
  agent: agentIdSchema.optional(),
  /** Whose doing it was: a person's or an agent's id. */
  actor: subjectText,
  /** What it is about: the id of a message, approval, destination, wiring, chat, agent or person. */
  subject: subjectText,
  since: moment,
  until: moment,
  /** Somewhere in an entry. */
  q: subjectText,
});

export const ledgerVerifyQuery = z.strictObject({
  /** An entry that holds, or was written down elsewhere; from the first without it. */
  after: z
    .string()
    .regex(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, 'expected <position>:<hash>')
    .optional(),
});

export const agentsQuery = pageQuery.extend({
  /** `removed` lists the agents that were removed, and can be restored. */
  state: z.enum(['present', 'removed']).optional(),
});

export const sessionsQuery = pageQuery.extend({
  agent: agentIdSchema.optional(),
  state: z.enum(SESSION_STATES).optional(),
});

export const tasksQuery = pageQuery.extend({
  agent: agentIdSchema.optional(),
  session: sessionIdSchema.optional(),
  /** `open`: active or paused. All without it. */
  state: z.enum(['open', ...TASK_STATES]).optional(),
});

export const messagesQuery = z
  .strictObject({ before: position, after: position, limit })
  .refine((query) => query.before === undefined || query.after === undefined, 'expected before or after, not both');

export const eventsQuery = z.strictObject({ after: position, session: sessionIdSchema.optional() });

/** A line of text that people read: no control characters. */
function line(most: number) {
  const expected = `expected 1 to ${most} characters`;
  return z
    .string()
    .trim()
    .min(1, expected)
    .max(most, expected)
    .regex(/^[^\p{Cc}]*$/u, 'expected one line without control characters');
}

const provider = z.enum(PROVIDER_NAMES, { error: `expected one of ${PROVIDER_NAMES.join(', ')}` });
const timezone = z.string().refine(isTimezone, 'expected an IANA time zone such as Europe/Berlin');
export const modelInput = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'expected a model name: 1 to 200 visible ASCII characters')
  .nullable();
/** Null: the provider's own. */
export const serviceInput = localNameSchema.nullable();
/** Null: as the model does by itself. */
export const effortInput = z.enum(EFFORTS, { error: `expected one of ${EFFORTS.join(', ')}` }).nullable();

/** Whoever can be signed in to the page; names as people type them. */
export const webUserIdSchema = z
  .string()
  .regex(/^web:[a-z0-9][a-z0-9._-]{0,62}$/, 'expected web:<name>, the name of a-z, 0-9, ".", "_" and "-"');
export const userIdSchema = z.string().refine((text) => parseUserId(text) !== null, 'expected a user id (web:anna)');

/** `name`: what a person is called who is new here. */
export const personLinkBody = z.strictObject({ name: line(64).optional() }).openapi('NewSignInLink');

/** What somebody is given; `of` is an agent, or `all` for everything. */
export const roleParams = z.object({
  id: userIdSchema,
  role: z.enum(['owner', 'admin', 'member']),
  of: z.union([z.literal('all'), agentIdSchema], { error: 'expected "all" or an agent id (agt_…)' }),
});
export const grantBody = z
  .strictObject({
    /** For somebody new: what they are called. Then no If-Match is asked for. */
    name: line(64).optional(),
  })
  .openapi('Grant');
export const peopleQuery = pageQuery.extend({
  /** Of an id, which may be long. */
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,800}$/, 'expected the nextCursor of an earlier page')
    .optional(),
  /** In a name or an id. */
  q: z.string().trim().max(100).optional(),
  agent: agentIdSchema.optional(),
  /** `known`: owners, admins and members; `all`: everybody who ever wrote. */
  who: z.enum(['known', 'all']).optional(),
});

export const loginBody = z.strictObject({ token: z.string().min(1).max(200) }).openapi('Login');

const agentFields = {
  name: line(64),
  provider: provider.optional(),
  model: modelInput.optional(),
  service: serviceInput.optional(),
  effort: effortInput.optional(),
  timezone: timezone.optional(),
};

export const agentBody = z
  .strictObject({
    ...agentFields,
    /** May create agents and decide for others (Unix socket or bearer token only). */
    isAdmin: z.boolean().optional(),
    /** Its AGENTS.md; the template's when absent. */
    instructions: z
      .string()
      .min(1)
      .refine(
        (text) => Buffer.byteLength(text) <= MAX_INSTRUCTIONS_BYTES,
        `expected at most ${MAX_INSTRUCTIONS_BYTES} bytes of UTF-8`,
      )
      .optional(),
  })
  .openapi('NewAgent');

export const agentPatchBody = z
  .strictObject(agentFields)
  .partial()
  .refine(hasAny, 'expected at least one field')
  .openapi('AgentChange');

/** A resource of a container; null takes it back to the host's default. */
const configFields = {
  provider: provider.optional(),
  model: modelInput.optional(),
  service: serviceInput.optional(),
  effort: effortInput.optional(),
  timezone: timezone.optional(),
  memoryMb: z.number().int().min(MEMORY_MB.least).max(MEMORY_MB.most).nullable().optional(),
  cpus: z.number().min(CPUS.least).max(CPUS.most).nullable().optional(),
  pids: z.number().int().min(PIDS.least).max(PIDS.most).nullable().optional(),
};
export const configPatchBody = z
  .strictObject(configFields)
  .refine(hasAny, 'expected at least one field')
  .openapi('AgentConfigPatch');
const configRevision = z.number().int().positive();
export const rollbackBody = z.strictObject({ revision: configRevision }).openapi('AgentConfigRollback');
export const configRevisionParam = wholeNumber(1, Number.MAX_SAFE_INTEGER).openapi({ type: 'integer', minimum: 1 });
/** The last change when neither is given; `to` is the present revision without it. */
export const configDiffQuery = z.strictObject({
  from: configRevisionParam.optional(),
  to: configRevisionParam.optional(),
});
export const mountBody = z
  .strictObject({
    name: z.string().regex(MOUNT_NAME, 'expected 1 to 63 of a–z, 0–9 and "-", starting with a letter or digit'),
    /** A folder of the machine that the allowlist allows. */
    path: z.string().min(1).max(1_024),
    /** Read-only without it. */
    write: z.boolean().optional(),
  })
  .openapi('NewMount');
export const mountNameParam = z.string().regex(MOUNT_NAME, 'expected the name of a mount');

export const chatPatchBody = z
  .strictObject({ name: line(200).optional(), unknownSenderPolicy: z.enum(UNKNOWN_SENDER_POLICIES).optional() })
  .refine(hasAny, 'expected at least one field')
  .openapi('ChatChange');

const wiringFields = {
  engageMode: z.enum(ENGAGE_MODES).optional(),
  /** Exactly with engageMode `pattern`. */
  engagePattern: z.string().nullable().optional(),
  senderScope: z.enum(SENDER_SCOPES).optional(),
  ignoredMessagePolicy: z.enum(IGNORED_MESSAGE_POLICIES).optional(),
  sessionMode: z.enum(SESSION_MODES).optional(),
  priority: z.number().int().min(-1000).max(1000).optional(),
};

export const wiringBody = z
  .strictObject({ chatId: chatIdSchema, agentId: agentIdSchema, ...wiringFields })
  .openapi('NewWiring');

export const wiringPatchBody = z
  .strictObject(wiringFields)
  .refine(hasAny, 'expected at least one field')
  .openapi('WiringChange');

export const destinationBody = z
  .strictObject({
    name: localNameSchema,
    type: z.enum(['channel', 'agent']),
    /** A chat's id with `channel`, an agent's id with `agent`. */
    targetId: z.string().max(100),
  })
  .openapi('NewDestination');

export const destinationPatchBody = z.strictObject({ name: localNameSchema }).openapi('DestinationChange');

export const sessionBody = z
  .strictObject({
    agentId: agentIdSchema,
    title: line(200).optional(),
    /** `web` makes a new chat each time; `terminal` is one chat per agent, opened again. */
    channel: z.enum(['web', 'terminal']).optional(),
  })
  .openapi('NewSession');

export const sessionPatchBody = z.strictObject({ title: line(200) }).openapi('SessionChange');

export const messageText = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= MAX_TEXT_BYTES, `expected at most ${MAX_TEXT_BYTES} bytes of UTF-8`)
  .refine((text) => Buffer.from(text).toString() === text, 'expected well-formed Unicode');

/** Made by the sender's program: the same id again is the same message. */
export const clientId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'expected 8 to 64 of A–Z, a–z, 0–9, "-" and "_"');

export const messageBody = z
  .strictObject({
    text: messageText.refine((text) => text.trim() !== '', 'expected some text'),
    clientId: clientId.optional(),
  })
  .openapi('NewMessage');

/** The fields of a multipart message; files may stand without text. */
export const formMessage = z.object({ text: messageText.default(''), clientId: clientId.optional() });

/** An option's text, or its number. */
const choice = z.string().trim().min(1).max(MAX_CHOICE);
export const answerBody = z.strictObject({ choice }).openapi('Answer');
export const decisionBody = z
  .strictObject({
    /** Also `approve`, when one option approves, and `reject`. */
    choice,
    /** Why: shown on the cards and told to whoever asked. */
    note: line(500).optional(),
  })
  .openapi('Decision');
export const approvalsQuery = pageQuery.extend({
  state: z.enum(APPROVAL_STATES).optional(),
  /** The one that this code names. */
  code: z.string().trim().min(1).max(12).optional(),
});
const policyMs = z.number().int().min(MIN_POLICY_MS).max(MAX_POLICY_MS);
export const approvalPolicyBody = z
  .strictObject({
    quorum: z.number().int().min(1).max(MAX_QUORUM).optional(),
    expiresAfterMs: policyMs.optional(),
    askNextAfterMs: policyMs.optional(),
  })
  .refine(hasAny, 'expected something to change')
  .openapi('ApprovalPolicyChange');

export const readBody = z.strictObject({ position: z.number().int().nonnegative() }).openapi('ReadMark');

function hasAny(value: object): boolean {
  return Object.values(value).some((field) => field !== undefined);
}
