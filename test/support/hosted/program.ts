/**
 * A whole host as a child process of a test, spoken to over IPC: so that it can end at any boundary,
 * and so that its death is not the test's. Everything in it is the real host; the channels' platforms live
 * in the test.
 */
import Database from 'better-sqlite3';
import { assertNever, Fault } from '../../../host/config/errors.ts';
import { prepareHome } from '../../../host/config/home.ts';
import { UnderWay } from '../../../host/config/under-way.ts';
import { type Host, startHost } from '../../../host/host.ts';
import { startLogging } from '../../../host/observe/logger.ts';
import { type MessageId, parseId, parseUserId } from '../../../shared/ids.ts';
import { stampNow } from '../../../shared/trace.ts';
import { Boundaries } from './boundaries.ts';
import {
  CHANNEL_OF,
  type FromHosted,
  type HostedOptions,
  type MemoryUse,
  type Report,
  type ReportedSession,
  type ToHosted,
  type Vitals,
} from './protocol.ts';
import { RemoteChannel } from './remote-channel.ts';

// Written by the test that started this process.
const options = JSON.parse(process.env.PORTOLAN_HOSTED ?? '') as HostedOptions;
const boundaries = new Boundaries(options.end);
const tell = (message: FromHosted) => {
  if (process.connected) process.send?.(message);
};
const channels = (['native', 'probe', 'none'] as const).map((each) => new RemoteChannel(each, boundaries, tell));

async function run(): Promise<void> {
  const { logFile } = prepareHome(options.home);
  const logging = startLogging(logFile, 'info');
  const signalled = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      // Every time: the test may ask just when the process has asked itself.
      process.on(signal, () => {
        boundaries.disarm();
        resolve(signal);
      });
    }
  });
  boundaries.install();
  const { home, driver, image, pauseAfterMs, stopAfterMs, maxRunning } = options;
  const mounts = '/nonexistent/mounts.json';
  const policy = {
    home,
    driver,
    image,
    pauseAfterMs,
    stopAfterMs,
    maxRunning,
    mounts,
    port: 0,
    logLevel: 'info' as const,
  };
  const host = await startHost({ policy, channels, withoutApi: true });
  setUp(host);
  process.on('message', (message) => {
    // Only the test that started this process writes to the pipe.
    hear(host, message as ToHosted);
  });
  process.on('disconnect', leave);
  tell({ op: 'ready', tookMs: Math.round(performance.now()) });
  // In order, as the real entry does it: what is left over ends the process with an error, or keeps it from ending.
  if ((await signalled) === 'SIGINT') await host.stopContainers();
  await closeDoor();
  await host[Symbol.asyncDispose]();
  logging.flush();
  process.off('disconnect', leave);
  process.disconnect();
}

/** The test is gone. */
function leave(): void {
  process.exit(0);
}

/** Who came in and is not answered yet. */
const inside = new UnderWay();
let isOpen = true;

/** As the host's own door closes: nobody comes in any more, and who is inside is answered. */
async function closeDoor(): Promise<void> {
  isOpen = false;
  await inside[Symbol.asyncDispose]();
}

/** Makes what is missing of the agents and chats: a killed process may have made some. */
function setUp({ stores, paths }: Host): void {
  const now = Date.now();
  for (const { name, provider, image, resources } of options.agents) {
    const agent =
      stores.agents.findByName(name) ?? stores.agents.create({ name, folder: name, provider, timezone: 'UTC', now });
    if (agent.config.image === (image ?? null) && resources === undefined) continue;
    // No store method sets these yet: an agent's image and limits are an admin's request of a later day.
    const db = new Database(paths.centralDb);
    db.prepare('UPDATE container_configs SET image = ?, resources = ? WHERE agent_group_id = ?').run(
      image ?? null,
      JSON.stringify(resources ?? {}),
      agent.id,
    );
    db.close();
  }
  for (const [from, to] of options.acquaintances ?? []) {
    const [agent, other] = [stores.agents.findByName(from), stores.agents.findByName(to)];
    if (agent === null || other === null) throw new Error(`no agents ${from} and ${to}`);
    const target = { targetType: 'agent', targetId: other.id } as const;
    stores.destinations.ensureFor({ agentGroupId: agent.id, wanted: to, ...target, now });
  }
  for (const { agent: name, idempotency, platformId } of options.chats) {
    const agent = stores.agents.findByName(name);
    if (agent === null) throw new Error(`no agent ${name}`);
    const channelType = CHANNEL_OF[idempotency];
    const chat = stores.chats.ensure({ channelType, platformId, name: platformId, unknownSenderPolicy: 'public', now });
    stores.wirings.create(
      chat.id,
      agent.id,
      {
        engageMode: 'always',
        engagePattern: null,
        senderScope: 'all',
        ignoredMessagePolicy: 'drop',
        sessionMode: 'shared',
        priority: 0,
      },
      now,
    );
  }
}

/** The platform's answers, always; who has come in by another door is answered as long as that is open. */
function hear(host: Host, message: ToHosted): void {
  if (message.op === 'sent' || message.op === 'probed') {
    channels.some((channel) => channel.settle(message.call, message));
  } else if (isOpen) void inside.add(answer(host, message));
}

async function answer(host: Host, message: Exclude<ToHosted, { op: 'sent' | 'probed' }>): Promise<void> {
  switch (message.op) {
    case 'receive':
      return receive(host, message);
    case 'report':
      return tell({ op: 'done', call: message.call, value: report(host) });
    case 'vitals':
      return tell({ op: 'done', call: message.call, value: takeVitals(host) });
    case 'sessions':
      return tell({ op: 'done', call: message.call, value: reportSessions(host) });
    case 'message': {
      const id = parseId('message', message.messageId);
      return tell({ op: 'done', call: message.call, value: id === null ? null : stateOf(host, id) });
    }
    case 'memory':
      return tell({ op: 'done', call: message.call, value: await measureMemory() });
    case 'census':
      return tell({ op: 'done', call: message.call, value: boundaries.census });
    case 'quarantine': {
      const id = parseId('session', message.sessionId);
      if (id !== null) host.life.quarantine(id, message.reason);
      return tell({ op: 'done', call: message.call, value: null });
    }
    default:
      assertNever(message);
  }
}

async function receive(host: Host, message: Extract<ToHosted, { op: 'receive' }>): Promise<void> {
  const { call, channelType, platformId, text, clientId } = message;
  const senderId = parseUserId(`${channelType}:someone`);
  if (senderId === null) throw new Error('no user id');
  try {
    const value = await host.receive({
      ...{ channelType, platformId, text, clientId, senderId, senderName: 'Someone', threadId: null, files: [] },
      ...{
        isMention: false,
        isPrivate: false,
        platformMessageId: null,
        replyToPlatformId: null,
        receivedAt: stampNow(),
      },
    });
    boundaries.at('accepted');
    tell({ op: 'done', call, value });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    tell({ op: 'refused', call, code: error.code, message: error.message });
  }
}

function stateOf({ stores }: Host, id: MessageId): string | null {
  return stores.transcript.get(id)?.state ?? null;
}

/** Twice, because what the first pass finalises only the second takes away. */
async function measureMemory(): Promise<MemoryUse> {
  for (let pass = 0; pass < 2; pass++) {
    if (globalThis.gc === undefined) throw new Error('started without --expose-gc');
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}

function takeVitals({ stores }: Host): Vitals {
  return { pid: process.pid, ledgerBreak: stores.ledger.findBreak() };
}

/** All that the host knows: grows with the test, so it is for questions that need all of it. */
function report(host: Host): Report {
  const { stores } = host;
  return {
    ...takeVitals(host),
    messages: stores.transcript
      .listChangedSince(0, 100_000)
      .map(({ id, sessionId, direction, kind, text, state, stateReason, inReplyTo, clientId, platformMessageId }) => ({
        ...{ id, sessionId, direction, kind, text: text.slice(0, 200), state, stateReason, inReplyTo, clientId },
        platformMessageId,
      })),
    sessions: reportSessions(host),
    refusals: stores.ledger
      .listRefusals(1_000)
      .map(({ sessionId, detail }) => ({ sessionId, reason: String(detail.reason) })),
  };
}

function reportSessions({ stores, life }: Host): ReportedSession[] {
  const names = new Map(stores.agents.list(1_000).map((agent) => [agent.id, agent.name]));
  return stores.sessions.listRecent(1_000).map((session) => ({
    id: session.id,
    agent: names.get(session.agentGroupId) ?? '',
    agentId: session.agentGroupId,
    ...life.liveState(session),
    quarantineReason: session.quarantineReason,
    runtimeState: session.runtimeState,
    failures: session.failures,
  }));
}

await run();
