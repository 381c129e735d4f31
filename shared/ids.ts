/**
 * Every id of the project is made here and nowhere else, so that a value of one kind cannot be
 * passed where another is meant, and so that any id is safe as a file name.
 *
 *   <prefix>_<time, 9 base-36 digits of epoch ms><randomness, 11 base-36 digits>
 *   ses_      mb2k9x0q1        7h3kq0v9z1c
 *
 * The time part makes ids sort by age; the random part (56 bits) makes them unguessable enough to
 * be unique, and they are never used as secrets.
 */
import { createHash, randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Id<Name extends string> = string & { readonly [brand]: Name };

export type AgentGroupId = Id<'AgentGroupId'>;
export type MessagingGroupId = Id<'MessagingGroupId'>;
export type WiringId = Id<'WiringId'>;
export type SessionId = Id<'SessionId'>;
export type MessageId = Id<'MessageId'>;
/** Namespaced by platform: `telegram:123`, `web:owner`. */
export type UserId = Id<'UserId'>;
export type TraceId = Id<'TraceId'>;
export type InstallId = Id<'InstallId'>;
export type UploadId = Id<'UploadId'>;
export type TaskId = Id<'TaskId'>;
export type ApprovalId = Id<'ApprovalId'>;
export type HeldId = Id<'HeldId'>;
export type PeerPauseId = Id<'PeerPauseId'>;
export type ImageBuildId = Id<'ImageBuildId'>;
export type AccessRuleId = Id<'AccessRuleId'>;
/** Joins identities that are one person. Somebody with one identity has none: their user id stands for them. */
export type PersonId = Id<'PersonId'>;

/** Made by a container driver: Docker's id, or the process driver's. Names one run, never its successor. */
export type ContainerId = Id<'ContainerId'>;

export type EpochMs = number & { readonly [brand]: 'EpochMs' };

const PREFIX = {
  agentGroup: 'agt',
  messagingGroup: 'chat',
  wiring: 'wir',
  session: 'ses',
  message: 'msg',
  trace: 'trc',
  install: 'ins',
  upload: 'upl',
  task: 'tsk',
  approval: 'apr',
  held: 'hld',
  peerPause: 'pau',
  imageBuild: 'bld',
  accessRule: 'rul',
  person: 'per',
} as const;

interface IdOf {
  agentGroup: AgentGroupId;
  messagingGroup: MessagingGroupId;
  wiring: WiringId;
  session: SessionId;
  message: MessageId;
  trace: TraceId;
  install: InstallId;
  upload: UploadId;
  task: TaskId;
  approval: ApprovalId;
  held: HeldId;
  peerPause: PeerPauseId;
  imageBuild: ImageBuildId;
  accessRule: AccessRuleId;
  person: PersonId;
}

/** Makes a fresh id. `now` is epoch ms. */
export function makeId<K extends keyof IdOf>(kind: K, now: number = Date.now()): IdOf[K] {
  const time = Math.max(0, Math.floor(now)).toString(36).padStart(9, '0');
  const random = randomBytes(7);
  let value = 0n;
  for (const byte of random) value = (value << 8n) | BigInt(byte);
  return `${PREFIX[kind]}_${time}${value.toString(36).padStart(11, '0')}` as IdOf[K];
}

/**
 * The same parts give the same id, always: so that telling one event twice is one message.
 * Such ids do not sort by age.
 */
export function deriveId<K extends keyof IdOf>(kind: K, ...parts: string[]): IdOf[K] {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  const text = digest.readBigUInt64BE(0).toString(36) + digest.readBigUInt64BE(8).toString(36);
  return `${PREFIX[kind]}_${text.padStart(20, '0').slice(0, 20)}` as IdOf[K];
}

export function deriveMessageId(...parts: string[]): MessageId {
  return deriveId('message', ...parts);
}

/** The task that a `create_task` row makes: both sides know it without asking. */
export function deriveTaskId(sessionId: string, messageId: string): TaskId {
  return deriveId('task', sessionId, messageId);
}

/** The agent that a `create_agent` row makes. */
export function deriveAgentGroupId(sessionId: string, messageId: string): AgentGroupId {
  return deriveId('agentGroup', sessionId, messageId);
}

const ID_SHAPE = /^[a-z]{2,4}_[0-9a-z]{20}$/;

/** Whether the text has the shape of an id of this kind; says nothing about existence. */
export function isId<K extends keyof IdOf>(kind: K, text: string): text is IdOf[K] {
  return ID_SHAPE.test(text) && text.startsWith(`${PREFIX[kind]}_`);
}

/** Brands a text as an id of this kind; null when it has not the shape of one. */
export function parseId<K extends keyof IdOf>(kind: K, text: string): IdOf[K] | null {
  return isId(kind, text) ? text : null;
}

const USER_ID_SHAPE = /^[a-z][a-z0-9-]{0,31}:[^\s\p{Cc}]{1,128}$/u;

/** Brands `<platform>:<id on that platform>`; null when it is not of that shape. */
export function parseUserId(text: string): UserId | null {
  return USER_ID_SHAPE.test(text) ? (text as UserId) : null;
}

const CONTAINER_ID_SHAPE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/** Brands a driver's name of a container; null when it could not be one. */
export function parseContainerId(text: string): ContainerId | null {
  return CONTAINER_ID_SHAPE.test(text) ? (text as ContainerId) : null;
}

export function epochMs(value: number = Date.now()): EpochMs {
  return value as EpochMs;
}
