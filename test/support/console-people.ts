/**
 * A host with two agents and everybody who could sign in to its page, each with something of their own:
 *
 *   agent main    members mia and max, admin ada; web chats of mia, max and the owner; a chat on `test`
 *   agent other   member mo, admin bob; a web chat of the owner
 *   over all      gus (global admin), owner; nora has no role, rita lost hers a moment ago
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChat } from '../../host/first-run.ts';
import type { AgentGroup } from '../../host/store/agents.ts';
import type { Session } from '../../host/store/sessions.ts';
import { type ApprovalId, type MessageId, makeId, type TaskId, type UserId } from '../../shared/ids.ts';
import { type Answer, type ApiFixture, type Call, OWNER, startApi } from './api-server.ts';

export const PEOPLE = ['nora', 'rita', 'mia', 'max', 'mo', 'ada', 'bob', 'gus', 'owner'] as const;
export type PersonName = (typeof PEOPLE)[number];
export type Caller = PersonName | 'stranger' | 'machine';
export const CALLERS: readonly Caller[] = ['stranger', ...PEOPLE, 'machine'];

/** One thing of each kind in a place that somebody sees. */
export interface Corner {
  session: Session;
  chat: string;
  message: MessageId;
  task: TaskId;
}

export class ConsolePeople {
  readonly api: ApiFixture;
  readonly main: AgentGroup;
  readonly other: AgentGroup;
  readonly ofMia: Corner;
  readonly ofMax: Corner;
  readonly ofOwner: Corner;
  readonly onPlatform: Corner;
  readonly ofOther: Corner;
  readonly approvals: { main: ApprovalId; other: ApprovalId; host: ApprovalId };
  readonly #cookies = new Map<PersonName, string>();

  constructor(api: ApiFixture) {
    this.api = api;
    const { spine } = api;
    this.main = api.agent;
    this.other = spine.addAgent('other');
    for (const name of PEOPLE) spine.users.ensure(idOf(name), name, spine.now());
    for (const name of ['mia', 'max'] as const) spine.users.addMember(this.main.id, idOf(name), spine.now());
    spine.users.addMember(this.other.id, idOf('mo'), spine.now());
    spine.users.grant(idOf('ada'), 'admin', this.main.id, null, spine.now());
    spine.users.grant(idOf('bob'), 'admin', this.other.id, null, spine.now());
    spine.users.grant(idOf('gus'), 'admin', null, null, spine.now());
    spine.users.grant(idOf('rita'), 'admin', this.main.id, null, spine.now());
    for (const name of PEOPLE) this.#cookies.set(name, this.signIn(name));
    spine.users.revoke(idOf('rita'), 'admin', this.main.id);
    this.ofMia = this.#furnish(this.open('mia', this.main));
    this.ofMax = this.#furnish(this.open('max', this.main));
    this.ofOwner = this.#furnish(this.open('owner', this.main));
    this.ofOther = this.#furnish(this.open('owner', this.other));
    const chat = spine.addChat(this.main, 'test', 'group-1');
    const key = { agentGroupId: this.main.id, messagingGroupId: chat.id, threadId: null };
    this.onPlatform = this.#furnish(spine.sessions.create(key, 'group', spine.now()));
    this.approvals = {
      main: this.addApproval(this.main),
      other: this.addApproval(this.other),
      host: this.addApproval(null),
    };
  }

  /** A cookie of this person, as a browser sends it. */
  signIn(name: PersonName): string {
    const { api } = this;
    return `${api.cookieName}=${api.logins.create('cookie', idOf(name), api.spine.now()).token}`;
  }

  cookieOf(name: PersonName): string {
    return this.#cookies.get(name) ?? '';
  }

  /** As that caller's page or program sends it. */
  call(who: Caller, path: string, call: Call = {}): Promise<Answer> {
    if (who === 'machine') return this.api.call(path, call);
    const cookie = who === 'stranger' ? {} : { cookie: this.cookieOf(who) };
    const headers = { ...cookie, origin: this.api.origin, ...call.headers };
    return this.api.call(path, { ...call, as: 'nobody', headers });
  }

  open(name: PersonName, agent: AgentGroup): Session {
    const { spine } = this.api;
    const session = openChat(spine, agent.id, 'web', `of ${name}`, idOf(name), spine.now());
    if (session === null) throw new Error('no session');
    return session;
  }

  /** What the agent said there, with a file. */
  say(session: Session, text: string, more: object = {}): MessageId {
    const { api } = this;
    const id = makeId('message');
    api.spine.transcript.put({
      ...{ id, sessionId: session.id, messagingGroupId: session.messagingGroupId, threadId: null },
      ...{ direction: 'out', kind: 'chat', authorId: session.agentGroupId, authorName: 'main', destination: 'web' },
      ...{ text, attachments: [{ name: 'plan.txt', sizeBytes: 6, contentType: 'text/plain' }], inReplyTo: null },
      ...{ state: 'delivered', stateReason: null, clientId: null, traceId: makeId('trace'), stamps: {} },
      createdAt: api.spine.now(),
      ...more,
    });
    api.spine.transcript.flush();
    const folder = join(api.parts.sentFiles, id);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'plan.txt'), 'secret');
    return id;
  }

  addApproval(agent: AgentGroup | null): ApprovalId {
    const { spine } = this.api;
    const id = makeId('approval', spine.now());
    spine.approvalRows.insert({
      ...{ id, action: 'admit_sender', subjectKey: id, requestHash: '0'.repeat(64), payload: {}, consequence: [] },
      ...{ agentGroupId: agent?.id ?? null, requesterSessionId: null, requesterMessageId: null, reason: null },
      ...{ title: 'Let in?', question: 'Somebody wrote.', quorum: 1 },
      options: [
        { text: 'Let in', approves: true },
        { text: 'Turn away', approves: false },
      ],
      ...{ expiresAt: spine.now() + 3_600_000, createdAt: spine.now() },
    });
    return id;
  }

  #furnish(session: Session): Corner {
    const { spine } = this.api;
    const at = spine.now();
    const task = makeId('task', at);
    spine.tasks.create({
      ...{ id: task, sessionId: session.id, agentGroupId: session.agentGroupId, prompt: 'water the plants' },
      ...{ at: at + 3_600_000, cron: null, timezone: 'UTC', script: null, missed: 'once', state: 'active' },
      ...{ nextAt: at + 3_600_000, channelType: null, platformId: null, threadId: null, createdAt: at },
    });
    const message = this.say(session, `said in ${session.title}`);
    const detail = { reason: 'no such destination', destination: 'x' };
    const entry = { kind: 'delivery.refused', sessionId: session.id, messageId: message, actor: session.agentGroupId };
    spine.ledger.append({ ...entry, detail }, at);
    const chat = session.messagingGroupId ?? '';
    const { channelType = '', platformId = '' } =
      session.messagingGroupId === null ? {} : (spine.chats.get(session.messagingGroupId) ?? {});
    spine.dropped.record({ channelType, platformId, senderId: 'web:stranger', reason: 'unknown_sender', now: at });
    return { session, chat, message, task };
  }
}

export function idOf(name: PersonName): UserId {
  return name === 'owner' ? OWNER : (`web:${name}` as UserId);
}

export async function startWithPeople(): Promise<ConsolePeople> {
  return new ConsolePeople(await startApi());
}
