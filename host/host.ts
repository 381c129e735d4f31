/**
 * Builds every part of the host, explicitly, in the order a message meets them. Nothing opens or starts by
 * being imported.
 *
 *   ground → sessions → channels → asking → schedule → egress → agents → delivery → runtime → routing → api
 *
 * Each step is a file of `assembly/` and takes what was built before it. What rings a part that is built after
 * it does so by `later`, filled in when all are built. Shutdown drains first, then closes in the opposite order
 * of building. Containers go on: the next host adopts them.
 */
import type { AccessRules } from './agents/access/rules.ts';
import { buildAgents } from './assembly/agents.ts';
import { ensureApiToken, gatherApiParts } from './assembly/api.ts';
import { buildAsking } from './assembly/asking.ts';
import { buildChannels } from './assembly/channels.ts';
import { buildDelivery } from './assembly/delivery.ts';
import { buildEgress, type OutsideOptions } from './assembly/egress.ts';
import { registerGauges } from './assembly/gauges.ts';
import { type Ground, layGround } from './assembly/ground.ts';
import { buildProber } from './assembly/prober.ts';
import { buildRouting, type WithRouting } from './assembly/routing.ts';
import { buildRuntime } from './assembly/runtime.ts';
import { buildSchedule } from './assembly/schedule.ts';
import { buildSessions } from './assembly/sessions.ts';
import type { Stores } from './assembly/stores.ts';
import { Closers } from './closers.ts';
import type { HomePaths } from './config/home.ts';
import type { Policy } from './config/policy.ts';
import { UnderWay } from './config/under-way.ts';
import { VERSION } from './config/version.ts';
import { startServer } from './console/api/server.ts';
import type { Channel } from './delivery/channel.ts';
import { OWNER } from './first-run.ts';
import { hostLog } from './observe/logger.ts';
import type { Receive } from './routing/inbound.ts';
import type { SessionLife } from './session-life.ts';
import { unlockFromFile, type VaultEnvironment } from './vault/environment.ts';
import type { Vault } from './vault/vault.ts';

export interface HostOptions {
  policy: Policy;
  /** Beside `web` and `terminal`. */
  channels?: readonly Channel[];
  /** What the environment says of the vault; nothing when absent. */
  vault?: VaultEnvironment;
  outside?: OutsideOptions;
  /** Without the HTTP API: for measurements of the message path alone. */
  withoutApi?: boolean;
}

export interface Host extends AsyncDisposable {
  readonly paths: HomePaths;
  readonly stores: Stores;
  readonly receive: Receive;
  readonly vault: Pick<Vault, 'state'>;
  readonly life: SessionLife;
  readonly access: AccessRules;
  /** The port that the API listens on, null without one. */
  readonly port: number | null;
  readonly firstRun: boolean;
  /** A fresh one-time link that signs the owner in. */
  makeSignInLink(): string;
  /** Stops every container and starts none: for a host that is to leave nothing running. */
  stopContainers(): Promise<void>;
  /** Resolves when somebody asked the host to stop. */
  readonly stopRequested: Promise<void>;
}

/** Throws Fault `home_unusable`, `home_in_use`, `database_newer`, `database_unusable`, `port_in_use`. */
export async function startHost(options: HostOptions): Promise<Host> {
  const closers = new Closers();
  try {
    return await buildAndStart(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function buildAndStart(options: HostOptions, closers: Closers): Promise<Host> {
  const ground = layGround(options.policy, closers, options.vault);
  // Closed when all parts are: what a request waited for was ended there, and what it writes to is still open.
  const requests = closers.use(new UnderWay());
  const parts = buildParts(ground, options);
  // Before a container asks for anything.
  await unlockFromFile(ground.vault, options.vault?.passphraseFile ?? null);
  await startParts(parts, closers);

  const stopRequest = makeSignal();
  const bearerToken = ensureApiToken(ground.paths);
  const apiParts = gatherApiParts(ground, parts, () => stopRequest.fire());
  registerGauges(ground, parts);
  const { policy, paths, stores, firstRun, now } = ground;
  let port: number | null = null;
  if (options.withoutApi !== true) {
    const where = { port: policy.port, socketPath: paths.socket, bearerToken, requests };
    port = closers.use(await startServer(apiParts, where)).port;
  }
  hostLog.info({ version: VERSION, pid: process.pid, port, driver: policy.driver, firstRun }, 'the host is ready');

  const url = port === null ? '' : `http://127.0.0.1:${port}`;
  return {
    paths,
    stores,
    receive: parts.receive,
    vault: ground.vault,
    life: parts.life,
    access: parts.access,
    port,
    firstRun,
    stopContainers: () => parts.runtime.stopAll(),
    stopRequested: stopRequest.fired,
    makeSignInLink: () => `${url}/#token=${stores.logins.create('link', OWNER, now()).token}`,
    async [Symbol.asyncDispose]() {
      hostLog.info({}, 'the host is stopping');
      await closers.closeAll();
    },
  };
}

/** Nothing runs yet: no part rings another before `startParts`. */
function buildParts(ground: Ground, { channels = [], outside = {} }: HostOptions): WithRouting {
  const { later } = ground;
  const withSessions = buildSessions(ground);
  const withChannels = { ...withSessions, ...buildChannels(ground, channels) };
  const withAsking = { ...withChannels, ...buildAsking(ground, withChannels) };
  const withSchedule = { ...withAsking, ...buildSchedule(ground, withAsking) };
  const withEgress = { ...withSchedule, ...buildEgress(ground, withSchedule, outside) };
  const withAgents = { ...withEgress, ...buildAgents(ground, withEgress) };
  const withDelivery = { ...withAgents, ...buildDelivery(ground, withAgents) };
  const withRuntime = { ...withDelivery, ...buildRuntime(ground, withDelivery) };
  const withProber = { ...withRuntime, ...buildProber(ground, withRuntime) };
  const parts = { ...withProber, ...buildRouting(ground, withProber) };

  const { questions, approvals, runtime, life, removals, router, peers, self, accessRequests, budgetAsks } = parts;
  const approvalRules = {
    ...{ ...router.rules, ...self.rules },
    ...{ resume_peers: peers.pauseRules, allow_access: accessRequests.rules, raise_budget: budgetAsks.rules },
  };
  later.set({ questions, approvals, approvalRules, runtime, life, removals });
  return parts;
}

/** Takes up what an earlier host left, from the containers up: whoever is asked for something runs by then. */
async function startParts(parts: WithRouting, closers: Closers): Promise<void> {
  parts.images.start();
  await parts.runtime.start();
  parts.life.start();
  closers.use(parts.router);
  parts.questions.start();
  await parts.approvals.start();
  await parts.router.start();
  parts.maker.resume();
  parts.removals.resume();
  parts.schedule.start();
  parts.notices.resume();
  parts.keptFiles.start();
  parts.prober.start();
  parts.peers.start();
}

function makeSignal(): { fired: Promise<void>; fire: () => void } {
  let fire: () => void = () => undefined;
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}
