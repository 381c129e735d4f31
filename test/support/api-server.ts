/**
 * The API on loopback and a Unix socket over a fresh store: real routing and real files, no runtime. What
 * the runtime would do is recorded in `stopped`, `released` and so on.
 */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { UnderWay } from '../../host/config/under-way.ts';
import { Feed } from '../../host/console/api/feed.ts';
import type { ApiParts } from '../../host/console/api/ports.ts';
import { presentVault } from '../../host/console/api/resources/vault.ts';
import { type ApiServer, startServer } from '../../host/console/api/server.ts';
import { Assignments } from '../../host/egress/assignments.ts';
import { Credentials } from '../../host/egress/credentials.ts';
import { EgressLog } from '../../host/egress/egress-log.ts';
import { Services } from '../../host/egress/services.ts';
import { openChat } from '../../host/first-run.ts';
import { ImageBuilds } from '../../host/images/images.ts';
import type { BuildLog } from '../../host/images/log.ts';
import { People } from '../../host/people/apply.ts';
import type { AgentGroup } from '../../host/store/agents.ts';
import { EgressLogStore } from '../../host/store/egress-log.ts';
import { IdentityCodeStore } from '../../host/store/identity-codes.ts';
import { ImageBuildStore } from '../../host/store/image-builds.ts';
import { LedgerSearch } from '../../host/store/ledger-search.ts';
import { LoginStore } from '../../host/store/logins.ts';
import { PersonStore } from '../../host/store/persons.ts';
import { ReadMarkStore } from '../../host/store/read-marks.ts';
import { SecretUseStore } from '../../host/store/secret-uses.ts';
import { SecretStore } from '../../host/store/secrets.ts';
import { ServiceStore } from '../../host/store/services.ts';
import type { Session } from '../../host/store/sessions.ts';
import { SettingsStore } from '../../host/store/settings.ts';
import { Vault } from '../../host/vault/vault.ts';
import { makeId, type UserId } from '../../shared/ids.ts';
import { Spine } from './spine.ts';

export const BEARER = 'bearer-token-of-this-test';
export const OWNER = 'web:owner' as UserId;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  text: string;
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it asserts
  json: any;
}

export interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** Sent as JSON. */
  json?: unknown;
  /** 'owner' (the default) sends the bearer token, 'nobody' sends nothing. */
  as?: 'owner' | 'nobody';
  door?: 'tcp' | 'unix';
}

export class ApiFixture {
  readonly spine = new Spine();
  readonly builds = new ImageBuildStore(this.spine.db);
  /** Logs of builds that are said to run. */
  readonly liveLogs = new Map<string, BuildLog>();
  /** Without an engine: nothing is built here. */
  readonly images = new ImageBuilds({
    ...{ engine: null, installId: makeId('install'), baseImage: 'portolan-agent:latest', layerOf: () => null },
    ...{ agents: this.spine.agents, builds: this.builds, ledger: this.spine.ledger, commit: this.spine.commit },
    ...{ logs: this.spine.home.buildLogs, now: () => this.spine.now() },
    ...{ onChanged: () => undefined, tellAdmins: () => undefined },
  });
  readonly egressLog = new EgressLogStore(this.spine.db);
  readonly egressTail = new EgressLog(this.egressLog, () => this.spine.now());
  readonly secretUses = new SecretUseStore(this.spine.db);
  readonly vault = new Vault({
    ...{ secrets: new SecretStore(this.spine.db), ledger: this.spine.ledger, commit: this.spine.commit },
    ...{ paths: this.spine.home, environment: [], now: () => this.spine.now() },
  });
  readonly services = new Services({
    ...{ services: new ServiceStore(this.spine.db), secretUses: this.secretUses },
    ...{ ledger: this.spine.ledger, commit: this.spine.commit, now: () => this.spine.now() },
  });
  readonly assignments = new Assignments({
    ...{ vault: this.vault, services: this.services, secretUses: this.secretUses, agents: this.spine.agents },
    ...{ ledger: this.spine.ledger, commit: this.spine.commit, now: () => this.spine.now() },
  });
  readonly credentials = new Credentials(this.secretUses, this.vault);
  /** Nothing is called here: a test says what comes of it. */
  prober: ApiParts['prober'] = {
    test: async () => ({ kind: 'busy' }),
    listModels: async () => ({ kind: 'models', models: null }),
  };
  readonly logins = new LoginStore(this.spine.db);
  readonly persons = new PersonStore(this.spine.db);
  readonly feed = new Feed({ transcript: this.spine.transcript, users: this.spine.users, persons: this.persons });
  readonly stopped: string[] = [];
  readonly released: string[] = [];
  readonly settled: string[] = [];
  readonly rechartedAgents: string[] = [];
  shutdowns = 0;
  readonly agent: AgentGroup;
  readonly parts: ApiParts;
  #server: ApiServer | null = null;
  readonly #requests = new UnderWay();

  constructor(webFolder: string | null = null) {
    const { spine } = this;
    spine.onApprovalChanged = (id) => this.feed.tellApproval(id);
    spine.users.ensure(OWNER, 'Owner', spine.now());
    spine.users.grant(OWNER, 'owner', null, null, spine.now());
    this.agent = spine.addAgent('main');
    this.parts = {
      installId: new SettingsStore(spine.db).installId(),
      owner: OWNER,
      home: spine.home.home,
      uploads: spine.home.uploads,
      webFolder,
      agents: spine.agents,
      chats: spine.chats,
      wirings: spine.wirings,
      destinations: spine.destinations,
      users: spine.users,
      visible: spine.visible,
      commit: spine.commit,
      sessions: spine.sessions,
      tasks: spine.tasks,
      taskFirings: spine.taskFirings,
      taskRequests: spine.taskRequests,
      dropped: spine.dropped,
      ledger: spine.ledger,
      ledgerSearch: new LedgerSearch(spine.db),
      approvals: spine.approvalRows,
      transcript: spine.transcript,
      logins: this.logins,
      readMarks: new ReadMarkStore(spine.db),
      feed: this.feed,
      receive: (event) => spine.router.receive(event),
      control: {
        liveState: (session) => ({
          state: session.quarantineReason === null ? 'idle' : 'quarantined',
          reason: session.quarantineReason,
          untilMs: null,
        }),
        stop: async (id) => void this.stopped.push(id),
        release: async (id) => void this.released.push(id),
      },
      deliveries: {
        resend: async (_ref, id) => this.#settle(id, 'queued'),
        drop: async (_ref, id) => this.#settle(id, 'dropped'),
      },
      asked: spine.questions,
      decisions: spine.approvals,
      maker: spine.maker,
      removals: spine.removals,
      people: new People({
        ...{ users: spine.users, persons: this.persons, identityCodes: new IdentityCodeStore(spine.db) },
        ...{ agents: spine.agents, ledger: spine.ledger, commit: spine.commit, now: () => spine.now() },
      }),
      configs: spine.configs,
      mounts: spine.mounts,
      images: {
        ensure: (agent, packages, why) => spine.images.ensure(agent, packages, why),
        imageFor: (agent) => this.images.imageFor(agent),
        retry: (agent) => this.images.retry(agent),
        get: (id) => this.images.get(id),
        list: (id, limit, before) => this.images.list(id, limit, before),
        logOf: (id) => {
          const path = join(spine.home.buildLogs, `${id}.log`);
          return { live: this.liveLogs.get(id) ?? null, path };
        },
      },
      isConfined: true,
      credentials: this.credentials,
      prober: {
        test: (agent) => this.prober.test(agent),
        listModels: (agent) => this.prober.listModels(agent),
      },
      reports: spine.mcpReports,
      vault: this.vault,
      services: this.services,
      assignments: this.assignments,
      access: spine.access,
      egressLog: this.egressLog,
      egressTail: this.egressTail,
      modelCalls: spine.modelCalls,
      modelPrices: spine.modelPrices,
      modelDoor: spine.modelDoor,
      budgetChanges: spine.budgetChanges,
      usage: spine.usage,
      configHistory: spine.configHistory,
      openChat: (agentId, channel, title, by) => openChat(spine, agentId, channel, title, by, spine.now()),
      onDestinationsChanged: (agentId) => void this.rechartedAgents.push(agentId),
      status: async () => ({
        version: '0.0.0',
        protocolVersion: 1,
        installId: this.parts.installId,
        home: spine.home.home,
        pid: process.pid,
        startedAt: 0,
        driver: 'none',
        engine: { ok: true, detail: null },
        sessions: { running: 0, paused: 0, idle: 0, failed: 0, quarantined: 0 },
        queue: { waiting: 0, deliveries: 0, overdue: 0 },
        memoryBytes: process.memoryUsage.rss(),
        gateway: { sockets: 0, missing: 0, connections: 0, open: 0, unrecorded: 0 },
        vault: presentVault(this.vault.state),
      }),
      metrics: async () => '# no metrics\n',
      ready: () => ({ ok: true, reason: null }),
      sentFiles: join(spine.home.channels, 'web', 'files'),
      shutdown: () => {
        this.shutdowns += 1;
      },
      now: () => spine.now(),
    };
  }

  #settle<T>(id: string, outcome: T): T | 'not-possible' {
    const state = this.spine.transcript.get(id as never)?.state;
    if (state !== 'unknown' && state !== 'failed') return 'not-possible';
    this.settled.push(id);
    return outcome;
  }

  async start(): Promise<this> {
    const server = await startServer(this.parts, {
      port: 0,
      socketPath: this.spine.home.socket,
      bearerToken: BEARER,
      requests: this.#requests,
    });
    this.#server = server;
    onTestFinished(() => this.stop());
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.[Symbol.asyncDispose]();
    await this.#requests[Symbol.asyncDispose]();
    this.egressTail[Symbol.dispose]();
  }

  get port(): number {
    if (this.#server === null) throw new Error('start the server first');
    return this.#server.port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get cookieName(): string {
    return `portolan_${this.parts.installId}`;
  }

  openSession(title = ''): Session {
    const session = openChat(this.spine, this.agent.id, 'web', title, OWNER, this.spine.now());
    if (session === null) throw new Error('no session');
    return session;
  }

  /** The header value of a signed-in page. */
  makeCookie(): string {
    return `${this.cookieName}=${this.logins.create('cookie', OWNER, this.spine.now()).token}`;
  }

  /** Sends exactly what is given: unlike `fetch`, any Host, Origin and Cookie. Paths are under /api/v1 unless absolute. */
  call(path: string, call: Call = {}): Promise<Answer> {
    const { method = 'GET', as = 'owner', door = 'tcp', json } = call;
    const body = json === undefined ? call.body : JSON.stringify(json);
    const headers: Record<string, string> = { ...call.headers };
    if (json !== undefined) headers['content-type'] = 'application/json';
    if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
    if (as === 'owner' && door === 'tcp') headers.authorization = `Bearer ${BEARER}`;
    const target = path.startsWith('//') ? path.slice(1) : `/api/v1${path}`;
    const address = door === 'unix' ? { socketPath: this.spine.home.socket } : { host: '127.0.0.1', port: this.port };
    return new Promise((resolve, reject) => {
      const request = httpRequest({ ...address, method, path: target, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString('utf8');
          const isJson = response.headers['content-type']?.startsWith('application/json') === true;
          const status = response.statusCode ?? 0;
          resolve({
            status,
            headers: response.headers,
            body: bytes,
            text,
            json: isJson ? JSON.parse(text) : undefined,
          });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}

/** A server over a fresh store, gone when the test ends. */
export function startApi(webFolder: string | null = null): Promise<ApiFixture> {
  return new ApiFixture(webFolder).start();
}
