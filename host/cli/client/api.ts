/** The host's API over its Unix socket: each call one route, each failure a CliError with its exit code. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { openStream, requestOverSocket, type SocketAnswer } from './socket.ts';
import type {
  AccessRule,
  Agent,
  AgentConfig,
  AgentConfigChange,
  AgentConfigDiff,
  AgentConfigRevision,
  AgentImage,
  AgentMount,
  AgentProvider,
  AgentRemoval,
  AllowedMounts,
  Approval,
  ApprovalDetail,
  ApprovalPolicy,
  Budget,
  BudgetKey,
  Build,
  Chat,
  Destination,
  DroppedMessages,
  EgressEntry,
  LedgerEntry,
  Message,
  ModelPrice,
  Page,
  Person,
  Providers,
  ProviderTest,
  Refusal,
  Secret,
  SecretSet,
  SecretUse,
  Service,
  ServiceModels,
  Session,
  SignIn,
  SignInLink,
  Status,
  Task,
  TaskDetail,
  Trace,
  UsageReport,
  Vault,
  Why,
  Wiring,
} from './types.ts';

const BASE = '/api/v1';
/** The most the API gives in one page. */
const PAGE_LIMIT = 200;
/** An image is built before some answers come. Higher: a hung build holds the terminal. Lower: a long one looks failed. */
const BUILD_TIMEOUT_MS = 20 * 60_000;
/** More than the host gives the model, its container and a list of models. Lower: it gives up before the host says why. */
const PROBE_TIMEOUT_MS = 120_000;

export interface FileToSend {
  name: string;
  content: Buffer;
}

export interface NewAccessRule {
  host?: string;
  service?: string;
  port?: number;
  methods?: string[];
  path?: string;
  private?: boolean;
  reason?: string;
}

/** What sums of usage are limited to. */
export interface UsageQuery {
  agent: string | undefined;
  session: string | undefined;
  person: string | undefined;
  days: number;
  by: string;
}

/** Nano-dollars per token. */
export type NewPrice = Pick<ModelPrice, 'service' | 'model' | 'input' | 'output' | 'cacheRead' | 'cacheWrite'>;

/** What a list or tail of the egress log is limited to. */
export interface EgressQuery {
  agent: string | undefined;
  session: string | undefined;
  outcome: string | undefined;
  /** Part of a host or path. */
  q: string | undefined;
}

type Query = Readonly<Record<string, string | number | undefined>>;

export class HostApi {
  readonly #address: { socketPath: string };

  constructor(socketPath: string) {
    this.#address = { socketPath };
  }

  readStatus(signal?: AbortSignal): Promise<Status> {
    return this.#get('/status', {}, signal);
  }

  listAgents(limit: number): Promise<Page<Agent>> {
    return this.#list('/agents', {}, limit);
  }

  listRemovedAgents(limit: number): Promise<Page<Agent>> {
    return this.#list('/agents', { state: 'removed' }, limit);
  }

  createAgent(agent: { name: string; isAdmin?: boolean; provider?: string; instructions?: string }): Promise<Agent> {
    return this.#post('/agents', agent);
  }

  /** On top of what was seen, like every change below: one that changed meanwhile stays as it is. */
  removeAgent(agent: Agent): Promise<AgentRemoval> {
    return this.#delete(`/agents/${encodeURIComponent(agent.id)}`, agent.revision);
  }

  restoreAgent(id: string): Promise<Agent> {
    return this.#post(`/agents/${encodeURIComponent(id)}/restore`, {});
  }

  readConfig(agentId: string): Promise<AgentConfig> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/config`);
  }

  readConfigRevision(agentId: string, revision: number): Promise<AgentConfigRevision> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/config/history/${revision}`);
  }

  listConfigHistory(agentId: string, limit: number): Promise<Page<AgentConfigChange>> {
    return this.#list(`/agents/${encodeURIComponent(agentId)}/config/history`, {}, limit);
  }

  diffConfig(
    agentId: string,
    revisions: { from: number | undefined; to: number | undefined },
  ): Promise<AgentConfigDiff> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/config/diff`, revisions);
  }

  changeConfig(agentId: string, revision: number, patch: Record<string, unknown>): Promise<AgentConfig> {
    return this.#patch(`/agents/${encodeURIComponent(agentId)}/config`, revision, patch);
  }

  /** Answers when its image is built. */
  async rollBackConfig(agentId: string, revision: number, to: number): Promise<AgentConfig> {
    const path = `/agents/${encodeURIComponent(agentId)}/config/rollback`;
    const headers = { 'Content-Type': 'application/json', 'If-Match': `"${revision}"` };
    const body = JSON.stringify({ revision: to });
    const request = { method: 'POST', path: BASE + path, headers, body, timeoutMs: BUILD_TIMEOUT_MS };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  listSecrets(): Promise<{ items: Secret[] }> {
    return this.#get('/secrets');
  }

  /** The value leaves this process by the Unix socket alone. */
  setSecret(name: string, value: string): Promise<SecretSet> {
    return this.#put(`/secrets/${encodeURIComponent(name)}`, null, { value });
  }

  async removeSecret({ name, revision }: Pick<Secret, 'name' | 'revision'>): Promise<void> {
    await this.#delete(`/secrets/${encodeURIComponent(name)}`, revision);
  }

  /** `of`: an agent's id, or `all`. */
  assignSecret(secret: string, service: string, of: string): Promise<SecretUse> {
    return this.#put(`/services/${encodeURIComponent(service)}/secrets/${of}`, null, { secret });
  }

  async unassignSecret(service: string, of: string): Promise<void> {
    await this.#delete(`/services/${encodeURIComponent(service)}/secrets/${of}`);
  }

  listServices(): Promise<{ items: Service[] }> {
    return this.#get('/services');
  }

  addService(service: {
    name: string;
    url: string;
    api?: 'anthropic' | 'openai';
    header?: string;
    private: boolean;
  }): Promise<Service> {
    return this.#post('/services', service);
  }

  async removeService({ name, revision }: Pick<Service, 'name' | 'revision'>): Promise<void> {
    await this.#delete(`/services/${encodeURIComponent(name)}`, revision ?? undefined);
  }

  readVault(): Promise<Vault> {
    return this.#get('/vault');
  }

  /** Without a passphrase the host looks at the vault's files again. */
  unlockVault(passphrase: string | undefined): Promise<Vault> {
    return this.#post('/vault/unlock', passphrase === undefined ? {} : { passphrase });
  }

  setPassphrase(passphrase: string): Promise<Vault> {
    return this.#put('/vault/passphrase', null, { passphrase });
  }

  removePassphrase(): Promise<Vault> {
    return this.#delete('/vault/passphrase');
  }

  rotateVaultKey(passphrase: string | undefined): Promise<Vault> {
    return this.#post('/vault/rotate-key', passphrase === undefined ? {} : { passphrase });
  }

  listProviders(signal?: AbortSignal): Promise<Providers> {
    return this.#get('/providers', {}, signal);
  }

  readProvider(agentId: string): Promise<AgentProvider> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/provider`);
  }

  setProvider(agentId: string, revision: number, choice: Record<string, unknown>): Promise<AgentProvider> {
    return this.#put(`/agents/${encodeURIComponent(agentId)}/provider`, revision, choice);
  }

  listModels(agentId: string, query: { provider?: string; service?: string }): Promise<ServiceModels> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/models`, query);
  }

  /** Answers when the model did, or did not in time. */
  async testProvider(agentId: string): Promise<ProviderTest> {
    const path = `/agents/${encodeURIComponent(agentId)}/provider/test`;
    const headers = { 'Content-Type': 'application/json' };
    const request = { method: 'POST', path: BASE + path, headers, body: '{}', timeoutMs: PROBE_TIMEOUT_MS };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  readAllowedMounts(): Promise<AllowedMounts> {
    return this.#get('/mounts/allowed');
  }

  listMounts(agentId: string): Promise<{ items: AgentMount[] }> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/mounts`);
  }

  async addMount(
    agentId: string,
    revision: number,
    mount: { name: string; path: string; write?: boolean },
  ): Promise<AgentConfig> {
    const path = `/agents/${encodeURIComponent(agentId)}/mounts`;
    const headers = { 'Content-Type': 'application/json', 'If-Match': `"${revision}"` };
    const request = { method: 'POST', path: BASE + path, headers, body: JSON.stringify(mount) };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  removeMount(agentId: string, revision: number, name: string): Promise<AgentConfig> {
    return this.#delete(`/agents/${encodeURIComponent(agentId)}/mounts/${encodeURIComponent(name)}`, revision);
  }

  addDestination(agentId: string, to: Pick<Destination, 'name' | 'type' | 'targetId'>): Promise<Destination> {
    return this.#post(`/agents/${encodeURIComponent(agentId)}/destinations`, to);
  }

  renameDestination(destination: Destination, name: string): Promise<Destination> {
    return this.#patch(`/destinations/${encodeURIComponent(destination.id)}`, destination.revision, { name });
  }

  async removeDestination(destination: Destination): Promise<void> {
    await this.#delete(`/destinations/${encodeURIComponent(destination.id)}`, destination.revision);
  }

  createWiring(wiring: Record<string, unknown>): Promise<Wiring> {
    return this.#post('/wirings', wiring);
  }

  changeWiring(wiring: Wiring, settings: Record<string, unknown>): Promise<Wiring> {
    return this.#patch(`/wirings/${encodeURIComponent(wiring.id)}`, wiring.revision, settings);
  }

  async removeWiring(wiring: Wiring): Promise<void> {
    await this.#delete(`/wirings/${encodeURIComponent(wiring.id)}`, wiring.revision);
  }

  listRefusals(limit: number): Promise<Page<Refusal>> {
    return this.#list('/refusals', {}, limit);
  }

  /** Newest first; the calls go on until there are so many, or the ledger's beginning is reached. */
  listLedger(query: Query, limit: number): Promise<Page<LedgerEntry>> {
    return this.#list('/ledger', query, limit);
  }

  readWhy(messageId: string): Promise<Why> {
    return this.#get(`/messages/${encodeURIComponent(messageId)}/why`);
  }

  listChats(limit: number): Promise<Page<Chat>> {
    return this.#list('/chats', {}, limit);
  }

  /** On top of what was seen: a chat that changed meanwhile stays as it is, and the call is refused. */
  changeChat(chat: Chat, change: { unknownSenderPolicy: Chat['unknownSenderPolicy'] }): Promise<Chat> {
    return this.#patch(`/chats/${encodeURIComponent(chat.id)}`, chat.revision, change);
  }

  listWirings(limit: number): Promise<Page<Wiring>> {
    return this.#list('/wirings', {}, limit);
  }

  listDestinations(agentId: string, limit: number): Promise<Page<Destination>> {
    return this.#list(`/agents/${encodeURIComponent(agentId)}/destinations`, {}, limit);
  }

  listDropped(limit: number): Promise<Page<DroppedMessages>> {
    return this.#list('/dropped', {}, limit);
  }

  listSessions(
    query: { agent?: string | undefined; state?: string | undefined },
    limit: number,
  ): Promise<Page<Session>> {
    return this.#list('/sessions', query, limit);
  }

  /** Sessions, newest activity first, page after page. */
  async *walkSessions(): AsyncGenerator<Session[]> {
    let cursor: string | undefined;
    do {
      const page: Page<Session> = await this.#get('/sessions', { limit: PAGE_LIMIT, cursor });
      yield page.items;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
  }

  readSession(id: string): Promise<Session> {
    return this.#get(`/sessions/${encodeURIComponent(id)}`);
  }

  /** The person's one terminal chat with this agent, made when it is not there yet. */
  openTerminalSession(agentId: string): Promise<Session> {
    return this.#post('/sessions', { agentId, channel: 'terminal' });
  }

  releaseSession(id: string): Promise<Session> {
    return this.#post(`/sessions/${encodeURIComponent(id)}/release`, {});
  }

  stopSession(id: string): Promise<Session> {
    return this.#post(`/sessions/${encodeURIComponent(id)}/stop`, {});
  }

  /** The next to fire first. */
  listTasks(query: { agent?: string | undefined; state?: string | undefined }, limit: number): Promise<Page<Task>> {
    return this.#list('/tasks', query, limit);
  }

  readTask(id: string): Promise<TaskDetail> {
    return this.#get(`/tasks/${encodeURIComponent(id)}`);
  }

  /** On top of what was seen: a task that changed meanwhile stays as it is, and the call is refused. */
  async changeTask(task: { id: string; revision: number }, act: 'pause' | 'resume' | 'cancel'): Promise<Task> {
    const path = `/tasks/${encodeURIComponent(task.id)}/${act}`;
    const headers = { 'Content-Type': 'application/json', 'If-Match': `"${task.revision}"` };
    return decode(
      await requestOverSocket(this.#address, { method: 'POST', path: BASE + path, headers, body: '{}' }),
      path,
    );
  }

  /** Oldest first within the page; the newest page when `after` is not given. */
  listMessages(sessionId: string, query: { after?: number; limit: number }): Promise<Page<Message>> {
    return this.#get(`/sessions/${encodeURIComponent(sessionId)}/messages`, query);
  }

  readMessage(id: string): Promise<Message> {
    return this.#get(`/messages/${encodeURIComponent(id)}`);
  }

  resendMessage(id: string): Promise<Message> {
    return this.#post(`/messages/${encodeURIComponent(id)}/resend`, {});
  }

  dropMessage(id: string): Promise<Message> {
    return this.#post(`/messages/${encodeURIComponent(id)}/drop`, {});
  }

  answerMessage(id: string, choice: string): Promise<Message> {
    return this.#post(`/messages/${encodeURIComponent(id)}/answer`, { choice });
  }

  listApprovals(
    query: { state?: string | undefined; code?: string | undefined },
    limit: number,
  ): Promise<Page<Approval>> {
    return this.#list('/approvals', query, limit);
  }

  readApproval(id: string): Promise<ApprovalDetail> {
    return this.#get(`/approvals/${encodeURIComponent(id)}`);
  }

  /** `note`: why, for whoever asked. */
  decideApproval(id: string, choice: string, note: string | undefined): Promise<Approval> {
    const body = note === undefined ? { choice } : { choice, note };
    return this.#post(`/approvals/${encodeURIComponent(id)}/decide`, body);
  }

  listApprovalPolicies(): Promise<{ items: ApprovalPolicy[] }> {
    return this.#get('/approval-policies');
  }

  /** On top of what was seen: one that changed meanwhile stays as it is, and the call is refused. */
  changeApprovalPolicy(
    { action, revision }: Pick<ApprovalPolicy, 'action' | 'revision'>,
    patch: Partial<Pick<ApprovalPolicy, 'quorum' | 'expiresAfterMs' | 'askNextAfterMs'>>,
  ): Promise<ApprovalPolicy> {
    return this.#patch(`/approval-policies/${encodeURIComponent(action)}`, revision, patch);
  }

  readTrace(messageId: string): Promise<Trace> {
    return this.#get(`/messages/${encodeURIComponent(messageId)}/trace`);
  }

  /** Puts a message before the session; the same `clientId` again is the same message, never a second one. */
  async sendMessage(
    sessionId: string,
    message: { text: string; files?: readonly FileToSend[]; clientId?: string },
  ): Promise<Message> {
    const { text, files = [], clientId = randomUUID() } = message;
    const path = `/sessions/${encodeURIComponent(sessionId)}/messages`;
    if (files.length === 0) return this.#post(path, { text, clientId });
    const form = new FormData();
    form.set('text', text);
    form.set('clientId', clientId);
    for (const file of files) form.append('file', new Blob([file.content]), file.name);
    // Response knows how to write a form as bytes, boundary included.
    const encoded = new Response(form);
    const answer = await requestOverSocket(this.#address, {
      method: 'POST',
      path: BASE + path,
      headers: { 'Content-Type': encoded.headers.get('content-type') ?? '' },
      body: Buffer.from(await encoded.arrayBuffer()),
    });
    return decode(answer, path);
  }

  /** Everything up to this position has been seen by the person. */
  async markRead(sessionId: string, position: number): Promise<void> {
    const path = `/sessions/${encodeURIComponent(sessionId)}/read`;
    const headers = { 'Content-Type': 'application/json' };
    const request = { method: 'PUT', path: BASE + path, headers, body: JSON.stringify({ position }) };
    const answer = await requestOverSocket(this.#address, request);
    if (answer.status >= 300) throw describeRefusal(answer, path);
  }

  async downloadFile(messageId: string, name: string): Promise<Buffer> {
    const path = `${BASE}/messages/${encodeURIComponent(messageId)}/files/${encodeURIComponent(name)}`;
    const answer = await requestOverSocket(this.#address, { method: 'GET', path });
    if (answer.status !== 200) throw describeRefusal(answer, path);
    return answer.body;
  }

  makeSignInLink(): Promise<SignInLink> {
    return this.#post('/sign-in-links', {});
  }

  /** `name`: what they are called when they are new here. */
  makeSignInLinkFor(userId: string, name: string | undefined): Promise<SignInLink> {
    const path = `/people/${encodeURIComponent(userId)}/sign-in-links`;
    return this.#post(path, name === undefined ? {} : { name });
  }

  listPeople(query: { q?: string; agent?: string; who?: 'known' | 'all' }, limit: number): Promise<Page<Person>> {
    return this.#list('/people', query, limit);
  }

  readPerson(id: string): Promise<Person> {
    return this.#get(`/people/${encodeURIComponent(id)}`);
  }

  /** `of`: an agent's id, or `all`. Somebody new has no revision, but a name. */
  grantRole(id: string, role: string, of: string, based: { revision: number } | { name: string }): Promise<Person> {
    const path = `/people/${encodeURIComponent(id)}/roles/${role}/${of}`;
    if ('name' in based) return this.#put(path, null, { name: based.name });
    return this.#put(path, based.revision, {});
  }

  revokeRole(id: string, role: string, of: string, revision: number): Promise<Person> {
    return this.#delete(`/people/${encodeURIComponent(id)}/roles/${role}/${of}`, revision);
  }

  linkPeople(id: string, other: string, revision: number): Promise<Person> {
    return this.#put(`/people/${encodeURIComponent(id)}/links/${encodeURIComponent(other)}`, revision, {});
  }

  unlinkPeople(id: string, other: string, revision: number): Promise<Person> {
    return this.#delete(`/people/${encodeURIComponent(id)}/links/${encodeURIComponent(other)}`, revision);
  }

  listSignIns(userId: string): Promise<{ items: SignIn[] }> {
    return this.#get(`/people/${encodeURIComponent(userId)}/sign-ins`);
  }

  endSignIns(userId: string): Promise<{ ended: number }> {
    return this.#delete(`/people/${encodeURIComponent(userId)}/sign-ins`);
  }

  listAccess(agentId: string): Promise<{ items: AccessRule[] }> {
    return this.#get(`/agents/${encodeURIComponent(agentId)}/access`);
  }

  allowAccess(agentId: string, rule: NewAccessRule): Promise<AccessRule> {
    return this.#post(`/agents/${encodeURIComponent(agentId)}/access`, { ...rule });
  }

  async removeAccess(agentId: string, ruleId: string): Promise<void> {
    await this.#delete(`/agents/${encodeURIComponent(agentId)}/access/${encodeURIComponent(ruleId)}`);
  }

  listEgress(query: EgressQuery, limit: number): Promise<Page<EgressEntry>> {
    return this.#list('/egress', { ...query }, limit);
  }

  readUsage(query: UsageQuery): Promise<UsageReport> {
    return this.#get('/usage', { ...query });
  }

  listBudgets(): Promise<{ items: Budget[] }> {
    return this.#get('/budgets');
  }

  setBudget(budget: BudgetKey & { amount: number }): Promise<Budget> {
    return this.#put('/budgets', null, { ...budget });
  }

  async removeBudget(key: BudgetKey): Promise<void> {
    await this.#delete(`/budgets${formatQuery({ ...key })}`);
  }

  listPrices(): Promise<{ asOf: string; items: ModelPrice[] }> {
    return this.#get('/prices');
  }

  setPrice(price: NewPrice): Promise<ModelPrice> {
    return this.#put('/prices', null, { ...price });
  }

  async removePrice(service: string, model: string): Promise<void> {
    await this.#delete(`/prices${formatQuery({ service, model })}`);
  }

  /** Server-sent events, `request` for each row after `lastEventId` and for those that come. */
  async openEgress(query: EgressQuery, lastEventId: string, signal: AbortSignal): Promise<IncomingMessage> {
    const path = `${BASE}/egress${formatQuery({ ...query })}`;
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': lastEventId };
    const stream = await openStream(this.#address, { method: 'GET', path, headers, signal });
    if (stream.statusCode === 200) return stream;
    stream.destroy();
    throw new CliError(EXIT.failed, 'no_events', `The host answered ${stream.statusCode} to ${path}.`);
  }

  /** Returns when the host has agreed to stop, which is before it has stopped. */
  async shutdown(): Promise<void> {
    const answer = await requestOverSocket(this.#address, { method: 'POST', path: `${BASE}/shutdown` });
    if (answer.status >= 300) throw describeRefusal(answer, '/shutdown');
  }

  /** The stream of server-sent events; the caller reads or destroys it. `lastEventId` empty means live only. */
  listBuilds(agentId: string, limit: number): Promise<Page<Build>> {
    return this.#list(`/agents/${encodeURIComponent(agentId)}/builds`, {}, limit);
  }

  retryBuild(agentId: string): Promise<AgentImage> {
    return this.#post(`/agents/${encodeURIComponent(agentId)}/builds`, {});
  }

  readBuild(id: string): Promise<Build> {
    return this.#get(`/builds/${encodeURIComponent(id)}`);
  }

  async readBuildLog(id: string): Promise<string> {
    const path = `/builds/${encodeURIComponent(id)}/log`;
    const answer = await requestOverSocket(this.#address, { method: 'GET', path: BASE + path });
    if (answer.status !== 200) throw describeRefusal(answer, path);
    return answer.body.toString('utf8');
  }

  /** Server-sent events, a line each, and `end`. */
  async openBuildLog(id: string, signal: AbortSignal): Promise<IncomingMessage> {
    const path = `/builds/${encodeURIComponent(id)}/log`;
    const headers = { Accept: 'text/event-stream' };
    const stream = await openStream(this.#address, { method: 'GET', path: BASE + path, headers, signal });
    if (stream.statusCode === 200) return stream;
    stream.destroy();
    throw new CliError(EXIT.failed, 'no_log', `The host answered ${stream.statusCode} to ${path}.`);
  }

  async openEvents(query: { session?: string }, lastEventId: string, signal: AbortSignal): Promise<IncomingMessage> {
    const path = `${BASE}/events${formatQuery(query)}`;
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastEventId !== '') headers['Last-Event-ID'] = lastEventId;
    const stream = await openStream(this.#address, { method: 'GET', path, headers, signal });
    if (stream.statusCode === 200) return stream;
    stream.destroy();
    throw new CliError(EXIT.failed, 'no_events', `The host answered ${stream.statusCode} to ${path}.`);
  }

  async #get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
    const whole = `${BASE}${path}${formatQuery(query)}`;
    return decode(
      await requestOverSocket(this.#address, { method: 'GET', path: whole, ...(signal && { signal }) }),
      path,
    );
  }

  async #post<T>(path: string, body: Record<string, unknown>): Promise<T> {
    const headers = { 'Content-Type': 'application/json' };
    const request = { method: 'POST', path: BASE + path, headers, body: JSON.stringify(body) };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  async #patch<T>(path: string, revision: number, body: Record<string, unknown>): Promise<T> {
    const headers = { 'Content-Type': 'application/json', 'If-Match': `"${revision}"` };
    const request = { method: 'PATCH', path: BASE + path, headers, body: JSON.stringify(body) };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  async #put<T>(path: string, revision: number | null, body: Record<string, unknown>): Promise<T> {
    const headers = {
      'Content-Type': 'application/json',
      ...(revision === null ? {} : { 'If-Match': `"${revision}"` }),
    };
    const request = { method: 'PUT', path: BASE + path, headers, body: JSON.stringify(body) };
    return decode(await requestOverSocket(this.#address, request), path);
  }

  /** What is answered where something is; an empty object where nothing is. */
  async #delete<T>(path: string, revision?: number): Promise<T> {
    const headers = revision === undefined ? {} : { 'If-Match': `"${revision}"` };
    const answer = await requestOverSocket(this.#address, { method: 'DELETE', path: BASE + path, headers });
    return decode(answer.status === 204 ? { ...answer, body: Buffer.from('{}') } : answer, path);
  }

  /** As many pages as `limit` items take. */
  async #list<T>(path: string, query: Query, limit: number): Promise<Page<T>> {
    const items: T[] = [];
    let cursor: string | undefined;
    for (;;) {
      const wanted = Math.min(PAGE_LIMIT, limit - items.length);
      const page: Page<T> = await this.#get(path, { ...query, limit: wanted, cursor });
      items.push(...page.items);
      if (page.nextCursor === null || items.length >= limit) return { items, nextCursor: page.nextCursor };
      cursor = page.nextCursor;
    }
  }
}

function formatQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * The host made the answer by the schema of its route, and only its owner's host can listen on the socket;
 * what is checked here is that it is JSON and no error. @NOTE zod stays out: it would double the start of every command.
 */
function decode<T>(answer: SocketAnswer, path: string): T {
  if (answer.status < 200 || answer.status >= 300) throw describeRefusal(answer, path);
  const value = parseJson(answer.body);
  if (typeof value !== 'object' || value === null) {
    throw new CliError(EXIT.failed, 'strange_answer', `The host's answer to ${path} is no JSON object.`, {
      expected: 'a host of this same version',
      next: 'portolan doctor',
    });
  }
  return value as T;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const REFUSED = new Set([401, 403, 409, 410, 412, 423, 428, 429]);
const USAGE = new Set([400, 413, 415, 422]);

function exitCodeOf(status: number): ExitCode {
  if (status === 404) return EXIT.notFound;
  if (REFUSED.has(status)) return EXIT.refused;
  return USAGE.has(status) ? EXIT.usage : EXIT.failed;
}

function describeRefusal(answer: SocketAnswer, path: string): CliError {
  const value = parseJson(answer.body);
  const error = isRecord(value) && isRecord(value.error) ? value.error : {};
  const { code, message, expected, next } = error;
  return new CliError(
    exitCodeOf(answer.status),
    typeof code === 'string' ? oneLine(code) : `http_${answer.status}`,
    typeof message === 'string' ? oneLine(message) : `The host answered ${answer.status} to ${path}.`,
    {
      expected: typeof expected === 'string' ? oneLine(expected) : undefined,
      next: typeof next === 'string' ? oneLine(next) : undefined,
    },
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
