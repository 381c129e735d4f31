/**
 * The resources of the HTTP API, as zod schemas: the one place that says what a client sends and gets.
 * Times are epoch milliseconds; ids never change. `revision` of a mutable resource is its ETag; a
 * message's `revision` is its place in the order of changes, which the event stream resumes from.
 */
import { z } from '@hono/zod-openapi';
import { EFFORTS } from '../../../shared/providers.ts';
import { MISSED_POLICIES } from '../../../shared/requests.ts';
import { STAGES } from '../../../shared/trace.ts';
import { APPROVAL_STATES } from '../../store/approvals.ts';
import { UNKNOWN_SENDER_POLICIES } from '../../store/chats.ts';
import { FIRING_OUTCOMES } from '../../store/task-firings.ts';
import { TASK_STATES } from '../../store/tasks.ts';
import { ENGAGE_MODES, IGNORED_MESSAGE_POLICIES, SENDER_SCOPES, SESSION_MODES } from '../../store/wirings.ts';
import { messageUsageSchema } from './usage-sums.ts';

const time = z.number().int().nonnegative();
const revision = z.number().int().nonnegative();

/** Every error of the API: what was wrong, what was expected, what to do next. */
export const errorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      expected: z.string().optional(),
      next: z.string().optional(),
      /** With 412: the revision that holds now. */
      revision: revision.optional(),
    }),
  })
  .openapi('Error');
export type ErrorBody = z.infer<typeof errorSchema>;

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export const meSchema = z
  .object({
    userId: z.string(),
    name: z.string(),
    door: z.enum(['tcp', 'unix']),
    /** At this moment, over all linked identities; `agentId` null: global. */
    roles: z.array(z.object({ role: z.enum(['owner', 'admin', 'member']), agentId: z.string().nullable() })),
    /** What a page has use for; each call is judged anew. */
    may: z.object({
      /** All agents, sessions and chats, and the host's status. */
      seeEverything: z.boolean(),
      /** Some agent, or all: then refusals, approvals, tasks and wirings are of use. */
      administer: z.boolean(),
      /** Make and remove agents. */
      manageAgents: z.boolean(),
      /** Say who may do what. */
      managePeople: z.boolean(),
      /** With some agent. */
      openChats: z.boolean(),
    }),
  })
  .openapi('Me');

/** A browser that somebody is signed in with. */
export const signInSchema = z
  .object({
    id: z.string(),
    userId: z.string(),
    createdAt: time,
    expiresAt: time,
    /** The one that asks. */
    isThis: z.boolean(),
  })
  .openapi('SignIn');

export const signInsSchema = z.object({ items: z.array(signInSchema) });

export const signInLinkSchema = z.object({ url: z.string(), expiresAt: time }).openapi('SignInLink');

export const vaultSchema = z
  .object({
    /** `empty`: the first secret makes its key. `locked`: a passphrase opens it. `unusable`: see `why`. */
    state: z.enum(['empty', 'open', 'locked', 'unusable']),
    /** Fingerprint of the key. */
    keyId: z.string().nullable(),
    /** Where the key of an open vault comes from. */
    source: z.enum(['environment', 'passphrase', 'file']).nullable(),
    why: z.string().nullable(),
    next: z.string().nullable(),
  })
  .openapi('Vault');

export const statusSchema = z
  .object({
    version: z.string(),
    protocolVersion: z.number().int(),
    installId: z.string(),
    home: z.string(),
    pid: z.number().int(),
    startedAt: time,
    driver: z.string(),
    engine: z.object({ ok: z.boolean(), detail: z.string().nullable() }),
    sessions: z.object({
      running: z.number().int(),
      paused: z.number().int(),
      idle: z.number().int(),
      failed: z.number().int(),
      quarantined: z.number().int(),
    }),
    /** Sessions that wait for a container; deliveries that are not at their end, and those that should be. */
    queue: z.object({ waiting: z.number().int(), deliveries: z.number().int(), overdue: z.number().int() }),
    memoryBytes: z.number().int(),
    /** Ways out of containers: how many are there and how many are missing, what is on its way, and requests that the log had no room for. */
    gateway: z.object({
      sockets: z.number().int(),
      missing: z.number().int(),
      connections: z.number().int(),
      open: z.number().int(),
      unrecorded: z.number().int(),
    }),
    /** Whether models and services get their secrets. */
    vault: vaultSchema,
  })
  .openapi('Status');

export const agentSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    /** Its admins alone see its folder and what it thinks with: empty and null for others. */
    folder: z.string(),
    isAdmin: z.boolean(),
    provider: z.string(),
    model: z.string().nullable(),
    /** Null: its provider's own, if it needs any. */
    service: z.string().nullable(),
    effort: z.enum(EFFORTS).nullable(),
    timezone: z.string(),
    revision,
    createdAt: time,
    /** Null while it is there. */
    removedAt: time.nullable(),
  })
  .openapi('Agent');

/** What went with a removed agent. */
export const agentRemovalSchema = z
  .object({
    agent: agentSchema,
    /** Where its folder is put once its containers have stopped, below the host's home. */
    archivedTo: z.string(),
    wirings: z.number().int(),
    destinations: z.number().int(),
    /** Agents that had it as a destination. */
    pointing: z.number().int(),
    tasks: z.number().int(),
    questions: z.number().int(),
    /** What this host cannot do any more. */
    warning: z.string().nullable(),
  })
  .openapi('AgentRemoval');

/** Somebody, with all identities that are linked. */
export const personSchema = z
  .object({
    /** One of the identities; each of them names the person. */
    id: z.string(),
    name: z.string(),
    identities: z.array(z.object({ userId: z.string(), name: z.string(), createdAt: time })),
    roles: z.array(
      z.object({
        role: z.enum(['owner', 'admin', 'member']),
        /** Null: of everything. */
        agentId: z.string().nullable(),
        agentName: z.string().nullable(),
        /** The identity that it was given to. */
        userId: z.string(),
        grantedBy: z.string().nullable(),
        grantedAt: time,
      }),
    ),
    revision,
  })
  .openapi('Person');

export const chatSchema = z
  .object({
    id: z.string(),
    channelType: z.string(),
    platformId: z.string(),
    name: z.string(),
    unknownSenderPolicy: z.enum(UNKNOWN_SENDER_POLICIES),
    revision,
    createdAt: time,
  })
  .openapi('Chat');

export const wiringSchema = z
  .object({
    id: z.string(),
    chatId: z.string(),
    agentId: z.string(),
    engageMode: z.enum(ENGAGE_MODES),
    engagePattern: z.string().nullable(),
    senderScope: z.enum(SENDER_SCOPES),
    ignoredMessagePolicy: z.enum(IGNORED_MESSAGE_POLICIES),
    sessionMode: z.enum(SESSION_MODES),
    priority: z.number().int(),
    revision,
    createdAt: time,
  })
  .openapi('Wiring');

export const destinationResourceSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    name: z.string(),
    type: z.enum(['channel', 'agent']),
    targetId: z.string(),
    /** Names it had before, newest first: answers under them still arrive. */
    formerNames: z.array(z.string()),
    /** The target's own name; null when it has none. */
    displayName: z.string().nullable(),
    revision,
    createdAt: time,
  })
  .openapi('Destination');

export const SESSION_STATES = [
  'idle',
  'starting',
  'running',
  'paused',
  'stopping',
  'waiting',
  'failed',
  'quarantined',
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export const sessionSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    agentName: z.string(),
    /** What its agent thinks with now; null: that agent is gone. */
    provider: z.string().nullable(),
    /** Null: one without a model. */
    model: z.string().nullable(),
    chatId: z.string().nullable(),
    channelType: z.string().nullable(),
    title: z.string().nullable(),
    threadId: z.string().nullable(),
    state: z.enum(SESSION_STATES),
    stateReason: z.string().nullable(),
    /** With `waiting` after a failed run: when it tries again. */
    triesAgainAt: time.nullable(),
    typing: z.boolean(),
    /** Messages to people after the reader's mark; counted up to 100. */
    unread: z.number().int(),
    lastMessage: z
      .object({
        text: z.string(),
        at: time,
        direction: z.enum(['in', 'out']),
        /** Also of what comes in: another agent's id, or null for the host's own. */
        author: z.object({ id: z.string().nullable(), name: z.string() }),
      })
      .nullable(),
    /** Whether messages can be posted here: a web or terminal chat. */
    writable: z.boolean(),
    lastActiveAt: time,
    createdAt: time,
    revision,
  })
  .openapi('Session');

export const MESSAGE_STATES = [
  'queued',
  'read',
  'answered',
  'context',
  'sending',
  'delivered',
  'failed',
  'refused',
  'unknown',
  'dropped',
] as const;

/** What a message asks of people, as it stands now. */
const questionSchema = z
  .object({
    title: z.string(),
    question: z.string(),
    options: z.array(z.string()),
    state: z.enum(['pending', 'answered', 'expired', 'withdrawn']),
    /** One of `options`. */
    answer: z.string().nullable(),
    /** Name of the person. */
    answeredBy: z.string().nullable(),
    answeredAt: time.nullable(),
    expiresAt: time,
    /** The approval that this is the card of; null when an agent asks. */
    approvalId: z.string().nullable(),
    /** What came of an approval, in words. */
    outcome: z.string().nullable(),
  })
  .openapi('Question');

export const messageSchema = z
  .object({
    id: z.string(),
    /** Place in the conversation; cursors of message pages are positions. */
    position: z.number().int(),
    revision,
    sessionId: z.string(),
    chatId: z.string().nullable(),
    threadId: z.string().nullable(),
    direction: z.enum(['in', 'out']),
    kind: z.enum(['chat', 'task', 'system']),
    author: z.object({ id: z.string().nullable(), name: z.string() }),
    /** The agent's own name for where it sent this; null for incoming messages. */
    destination: z.string().nullable(),
    text: z.string(),
    attachments: z.array(
      z.object({
        name: z.string(),
        sizeBytes: z.number().int(),
        /** Read from its bytes once it was received or sent. */
        contentType: z.string(),
        url: z.string(),
        /** False once the host's copy was removed to make room: `url` answers 410 then. */
        isKept: z.boolean(),
      }),
    ),
    inReplyTo: z.string().nullable(),
    state: z.enum(MESSAGE_STATES),
    stateReason: z.string().nullable(),
    /** Given by the program that sent it; null else. */
    clientId: z.string().nullable(),
    reactions: z.array(z.object({ emoji: z.string(), by: z.string() })),
    traceId: z.string(),
    createdAt: time,
    editedAt: time.nullable(),
    question: questionSchema.nullable(),
    /** What answering it cost; null: nothing was asked of a model for it, or it was sent by an agent. */
    usage: messageUsageSchema.nullable(),
  })
  .openapi('Message');

/** A decision that the host needs of an admin. */
export const approvalSchema = z
  .object({
    id: z.string(),
    /** A word: what is asked for. */
    action: z.string(),
    /** What people type to name it: `/approve 7K2Q`. Unlike that of any other that is pending. */
    code: z.string(),
    /** All of what is approved. */
    payload: z.record(z.string(), z.unknown()),
    /** What approving does, compared with the time of asking; decided is this, or nothing. */
    consequence: z.array(z.string()),
    /** Why, in the words of the agent that asks. */
    reason: z.string().nullable(),
    /** The conversation it comes from; `isAgent`: its agent asks, and is told how it ends. */
    requester: z
      .object({
        sessionId: z.string(),
        isAgent: z.boolean(),
        /** With `isAgent`: what the agent is called, and the chat that it was asked in. */
        agentName: z.string().nullable(),
        chatName: z.string().nullable(),
      })
      .nullable(),
    /** How many different people must approve. */
    quorum: z.number().int(),
    /** `counts`: whether it counts: while this waits, whether that person may decide now. */
    votes: z.array(
      z.object({ id: z.string(), name: z.string(), choice: z.string(), votedAt: time, counts: z.boolean() }),
    ),
    /** The approval that took its place. */
    supersededBy: z.string().nullable(),
    /** When one more person is asked, if nobody decides; null: everybody who can be was. */
    askNextAt: time.nullable(),
    title: z.string(),
    question: z.string(),
    options: z.array(z.object({ text: z.string(), approves: z.boolean() })),
    state: z.enum(APPROVAL_STATES),
    choice: z.string().nullable(),
    decidedBy: z.object({ id: z.string(), name: z.string() }).nullable(),
    decidedAt: time.nullable(),
    /** Why, in the words of who decided; why nothing is left to decide, when it is superseded. */
    note: z.string().nullable(),
    /** What came of it, in words; null while it is pending or under way. */
    outcome: z.string().nullable(),
    /** Whose admins may decide; null: global admins and owners alone. */
    agentId: z.string().nullable(),
    /** The card in a chat; null: nobody could be asked yet. */
    asked: z.object({ chatId: z.string(), messageId: z.string() }).nullable(),
    expiresAt: time,
    createdAt: time,
  })
  .openapi('Approval');

/** With all that happened to it, oldest first, as the ledger has it. */
export const approvalDetailSchema = approvalSchema
  .extend({
    history: z.array(
      z.object({
        at: time,
        /** `approval.requested`, `approval.voted`, `approval.approved`… */
        kind: z.string(),
        by: z.object({ id: z.string(), name: z.string() }).nullable(),
        detail: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .openapi('ApprovalDetail');

/** How approvals of one action are decided. */
export const approvalPolicySchema = z
  .object({
    action: z.string(),
    quorum: z.number().int(),
    expiresAfterMs: z.number().int(),
    /** Until one more person is asked. */
    askNextAfterMs: z.number().int(),
    revision,
    /** Why its approvals cannot come about now. */
    warning: z.string().nullable(),
  })
  .openapi('ApprovalPolicy');

const stageSchema = z.object({
  stage: z.enum(STAGES),
  /** Epoch ms with a fraction. */
  at: z.number(),
  sincePreviousMs: z.number().nullable(),
});

/** A message's path, and the paths of its replies. */
export const traceSchema = z
  .object({
    id: z.string(),
    traceId: z.string(),
    stages: z.array(stageSchema),
    replies: z.array(z.object({ id: z.string(), destination: z.string().nullable(), stages: z.array(stageSchema) })),
  })
  .openapi('Trace');

export const taskSchema = z
  .object({
    id: z.string(),
    agentId: z.string(),
    agentName: z.string(),
    sessionId: z.string(),
    sessionTitle: z.string().nullable(),
    prompt: z.string(),
    /** Once at this time; null with `cron`. */
    at: time.nullable(),
    cron: z.string().nullable(),
    /** IANA name: what `cron` and times that people read are in. */
    timezone: z.string(),
    hasScript: z.boolean(),
    /** What becomes of runs whose time passed while the host was down. */
    missed: z.enum(MISSED_POLICIES),
    state: z.enum(TASK_STATES),
    /** The next firing; null unless active. */
    nextAt: time.nullable(),
    lastFiredAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    revision,
  })
  .openapi('Task');

export const taskDetailSchema = taskSchema
  .extend({
    script: z.string().nullable(),
    /** The next firings, worked out without firing any; a paused task's, were it resumed now. */
    nextTimes: z.array(time),
    /** Newest first. */
    firings: z.array(
      z.object({
        dueAt: time,
        firedAt: time.nullable(),
        messageId: z.string().nullable(),
        outcome: z.enum(FIRING_OUTCOMES),
        note: z.string().nullable(),
      }),
    ),
  })
  .openapi('TaskDetail');

export const droppedSchema = z
  .object({
    channelType: z.string(),
    platformId: z.string(),
    senderId: z.string(),
    /** A machine word, stable for scripts. */
    reason: z.string(),
    /** The same in words. */
    why: z.string(),
    count: z.number().int(),
    firstAt: time,
    lastAt: time,
  })
  .openapi('DroppedMessages');

/** What an agent wanted to send or to have done, and was refused. */
export const refusalSchema = z
  .object({
    /** Its place in the ledger. */
    position: z.number().int(),
    at: time,
    agentId: z.string().nullable(),
    agentName: z.string().nullable(),
    sessionId: z.string().nullable(),
    messageId: z.string().nullable(),
    /** The agent's own name for where it wanted to send; null when it named nothing, or asked the host. */
    destination: z.string().nullable(),
    /** The place that the row claimed, as the container wrote it. */
    channelType: z.string().nullable(),
    platformId: z.string().nullable(),
    threadId: z.string().nullable(),
    reason: z.string(),
  })
  .openapi('Refusal');

/** An entry of the ledger. */
export const ledgerEntrySchema = z
  .object({
    position: z.number().int(),
    at: time,
    kind: z.string(),
    sessionId: z.string().nullable(),
    /** What it is about: the id of a message, approval, destination, wiring, chat, agent or person. */
    subject: z.string().nullable(),
    /** Whose doing it was: a person's or an agent's id; null: the host's. */
    actor: z.string().nullable(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
    hash: z.string(),
    /** The same as a sentence. */
    words: z.string(),
  })
  .openapi('LedgerEntry');

export const ledgerLinkSchema = z
  .object({ position: z.number().int(), hash: z.string(), at: time.nullable() })
  .openapi('LedgerLink');

export const ledgerCheckSchema = z
  .object({
    /** Checked by this request. */
    entries: z.number().int(),
    /** The last entry that holds. */
    head: ledgerLinkSchema,
    /** The first position that does not. */
    brokenAt: z.number().int().nullable(),
    /** What to give as `after`; null: all is checked, or broken. */
    next: z.string().nullable(),
  })
  .openapi('LedgerCheck');

export const whySchema = z
  .object({
    id: z.string(),
    /** Null for what is no message of a chat: a request, an edit, a reaction. */
    direction: z.enum(['in', 'out']).nullable(),
    state: z.string().nullable(),
    answer: z.string(),
    /** In order; `ground` is what a decision about the message stood on. */
    steps: z.array(
      z.object({ position: z.number().int(), at: time, text: z.string(), sort: z.enum(['decision', 'ground']) }),
    ),
    /** What cannot be told, and why. */
    unknown: z.array(z.string()),
    /** Commands that change it. */
    next: z.array(z.string()),
  })
  .openapi('Why');

export type Me = z.infer<typeof meSchema>;
export type SignIn = z.infer<typeof signInSchema>;
export type SignInLink = z.infer<typeof signInLinkSchema>;
export type Status = z.infer<typeof statusSchema>;
export type VaultStatus = z.infer<typeof vaultSchema>;
export type Agent = z.infer<typeof agentSchema>;
export type Person = z.infer<typeof personSchema>;
export type Chat = z.infer<typeof chatSchema>;
export type Wiring = z.infer<typeof wiringSchema>;
export type Destination = z.infer<typeof destinationResourceSchema>;
export type Session = z.infer<typeof sessionSchema>;
export type Message = z.infer<typeof messageSchema>;
export type Approval = z.infer<typeof approvalSchema>;
export type ApprovalDetail = z.infer<typeof approvalDetailSchema>;
export type ApprovalPolicy = z.infer<typeof approvalPolicySchema>;
export type Trace = z.infer<typeof traceSchema>;
export type AgentRemoval = z.infer<typeof agentRemovalSchema>;
export type Refusal = z.infer<typeof refusalSchema>;
export type LedgerEntry = z.infer<typeof ledgerEntrySchema>;
export type LedgerCheck = z.infer<typeof ledgerCheckSchema>;
export type Why = z.infer<typeof whySchema>;
export type Dropped = z.infer<typeof droppedSchema>;
export type Task = z.infer<typeof taskSchema>;
export type TaskDetail = z.infer<typeof taskDetailSchema>;
