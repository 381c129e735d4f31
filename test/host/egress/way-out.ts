/** A gateway on real stores and a real socket, with servers outside on loopback and names that the test decides. */
import { mkdirSync } from 'node:fs';
import http, { type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { Credentials } from '../../../host/egress/credentials.ts';
import { EgressLog, type EgressLogBounds } from '../../../host/egress/egress-log.ts';
import { Gateway, type GatewayParts } from '../../../host/egress/gateway.ts';
import type { Meter, ModelCall, ModelDoor } from '../../../host/egress/model/door.ts';
import { Services } from '../../../host/egress/services.ts';
import { AccessRuleStore, type NewAccessRule } from '../../../host/store/access-rules.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { EgressLogStore } from '../../../host/store/egress-log.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { SecretUseStore } from '../../../host/store/secret-uses.ts';
import { ServiceStore } from '../../../host/store/services.ts';
import { SecretValue } from '../../../host/vault/secret-value.ts';
import type { RefusalBody } from '../../../shared/gateway.ts';
import { type AgentGroupId, makeId } from '../../../shared/ids.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { until } from '../../support/until.ts';

export const SECRET = 'sk-live-0123456789/abc+def';

/** Writes down what it is told. */
export class RecordingDoor implements ModelDoor {
  readonly calls: ModelCall[] = [];
  readonly ends: string[] = [];
  sent = '';
  received = '';
  statuses: number[] = [];
  refusal: ReturnType<ModelDoor['admit']> | null = null;
  /** Refuses in the middle, once this many bytes were sent. */
  refuseAfter = Number.POSITIVE_INFINITY;
  /** What the count of a call fails with, at its end. */
  fault: Error | null = null;

  admit(call: ModelCall): ReturnType<ModelDoor['admit']> {
    this.calls.push(call);
    if (this.refusal !== null) return this.refusal;
    const meter: Meter = {
      sent: (chunk) => {
        if (this.sent.length + chunk.length > this.refuseAfter) {
          return { kind: 'refused', reason: 'over_budget', status: 403, message: 'spent', next: null };
        }
        this.sent += chunk.toString();
        return null;
      },
      answered: (status) => {
        this.statuses.push(status);
      },
      received: (chunk) => {
        this.received += chunk.toString();
      },
      end: (how) => {
        this.ends.push(how);
        if (this.fault !== null) throw this.fault;
      },
    };
    return { kind: 'go', meter };
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
  /** Whether it came to its end. */
  isWhole: boolean;
}

export async function openWayOut(
  options: Partial<GatewayParts> & { provider?: string; deep?: boolean; logBounds?: Partial<EgressLogBounds> } = {},
) {
  const paths = makeTempHome();
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  const commit = <T>(work: () => T): T => db.transaction(work)();
  const now = () => Date.now();
  const ledger = new Ledger(db);
  const agents = new AgentStore(db);
  const secretUses = new SecretUseStore(db);
  const services = new Services({ services: new ServiceStore(db), secretUses, ledger, commit, now });
  const rules = new AccessRuleStore(db);
  const store = new EgressLogStore(db);
  const log = new EgressLog(store, now, { flushMs: 5, ...options.logBounds });
  const model = new RecordingDoor();
  const names = new Map<string, string[]>();
  const asked: string[] = [];
  const agent = agents.create({ name: 'anna', folder: 'anna', provider: options.provider ?? 'openai', now: 1 });
  const reveal = () => ({ kind: 'open', value: SecretValue.ofText(SECRET) }) as const;
  const credentials = new Credentials({ at: () => 'key' }, { reveal });
  const gateway = new Gateway({
    ...{ rules, services, credentials, model, log, agents, now },
    resolve: (host) => {
      asked.push(host);
      return Promise.resolve(names.get(host) ?? []);
    },
    ...options,
  });
  const sessionId = makeId('session');
  const folder = options.deep === true ? join(paths.home, 'd'.repeat(100), 'e'.repeat(60)) : paths.home;
  mkdirSync(folder, { recursive: true });
  const socketPath = join(folder, 'gateway.sock');
  await gateway.open({ sessionId, agentGroupId: agent.id }, socketPath);
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    log[Symbol.dispose]();
    db.close();
  });
  return {
    ...{ paths, db, agents, services, rules, store, log, model, names, asked, agent, gateway, sessionId, socketPath },
    allow: (rule: Partial<NewAccessRule>) => allow(rules, agent.id, rule),
    call: (path: string, more: http.RequestOptions & { body?: string | Buffer } = {}) => call(socketPath, path, more),
    raw: (text: string) => raw(socketPath, text),
    /** Rows of the log, oldest first, once there are so many. */
    rows: (count: number) =>
      until(`${count} rows in the log`, () => {
        const rows = store.page({}, 1_000).reverse();
        return rows.length >= count ? rows : null;
      }),
  };
}

function allow(rules: AccessRuleStore, agentGroupId: AgentGroupId, rule: Partial<NewAccessRule>) {
  return rules.add({
    ...{ agentGroupId, host: null, service: null, port: null, methods: null, pathPrefix: null, isPrivate: false },
    ...{ reason: null, approvalId: null, createdBy: 'web:owner', createdAt: Date.now() },
    ...rule,
  }).rule;
}

/** One request on a connection of its own. */
export function call(
  socketPath: string,
  path: string,
  { body, ...options }: http.RequestOptions & { body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path, agent: false, ...options }, (answer) => {
      read(answer).then(resolve, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function read(answer: IncomingMessage): Promise<Answer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', () => undefined);
    answer.on('close', () =>
      resolve({
        status: answer.statusCode ?? 0,
        headers: answer.headers,
        rawHeaders: answer.rawHeaders,
        body: Buffer.concat(chunks).toString(),
        isWhole: answer.complete,
      }),
    );
  });
}

/** All that comes back for these bytes, once the gateway has closed the connection. */
export function raw(socketPath: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.write(text, 'latin1');
  });
}

export function refusalOf({ body }: Pick<Answer, 'body'>): RefusalBody {
  return JSON.parse(body) as RefusalBody;
}

/** An HTTP server outside. */
export async function outside(listener: RequestListener): Promise<{ server: Server; port: number; url: string }> {
  const server = http.createServer(listener);
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port, url: `http://127.0.0.1:${port}` };
}

/** A server outside that speaks whatever the test says. */
export async function outsideTcp(serve: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, sockets };
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
