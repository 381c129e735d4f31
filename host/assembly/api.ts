/** The HTTP API with all it needs of the parts. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROTOCOL_VERSION } from '../../shared/protocol.ts';
import { type HomePaths, readTextIfPresent, writeSecretFile } from '../config/home.ts';
import { VERSION } from '../config/version.ts';
import type { ApiParts } from '../console/api/ports.ts';
import { presentVault } from '../console/api/resources/vault.ts';
import type { Status } from '../console/api/schemas.ts';
import { OWNER, openChat } from '../first-run.ts';
import { People } from '../people/apply.ts';
import type { ContainerDriver } from '../runtime/drivers/driver.ts';
import { sentFilesOf } from './channels.ts';
import { countSessions } from './gauges.ts';
import type { Ground } from './ground.ts';
import type { WithRouting } from './routing.ts';
import type { WithRuntime } from './runtime.ts';

/** `shutdown` is what somebody asks for who stops the host over the API. */
export function gatherApiParts(ground: Ground, built: WithRouting, shutdown: () => void): ApiParts {
  const { policy, paths, root, stores, installId, metrics, now } = ground;
  const { disk, feed, questions, approvals, taskRequests, configs, images, mounts, maker, runtime, life } = built;
  return {
    ...stores,
    taskRequests,
    installId,
    owner: OWNER,
    home: paths.home,
    uploads: paths.uploads,
    webFolder: folderOrNull(join(root, 'dist', 'web')),
    feed,
    receive: built.receive,
    control: {
      liveState: (session) => life.liveState(session),
      stop: async (id) => runtime.requestStop(id, 'stopped'),
      release: (id, by) => life.release(id, by),
    },
    deliveries: built.delivery,
    asked: questions,
    decisions: approvals,
    maker,
    removals: built.removals,
    people: new People({ ...stores, now }),
    configs,
    modelDoor: built.modelDoor,
    budgetChanges: built.budgetChanges,
    usage: built.usage,
    mounts,
    images,
    isConfined: policy.driver === 'docker',
    credentials: built.credentials,
    prober: built.prober,
    reports: stores.mcpReports,
    vault: ground.vault,
    services: ground.services,
    assignments: built.assignments,
    access: built.access,
    egressTail: built.egressTail,
    openChat: (agentId, channel, title, by) => openChat(stores, agentId, channel, title, by, now()),
    onDestinationsChanged: built.live.rewriteCharts,
    status: () => readStatus(ground, built),
    metrics: () => metrics.text(),
    ready: () => {
      const reason = disk.hasRoom() ? (stores.transcript.trouble?.message ?? null) : 'the disk is full';
      return { ok: reason === null, reason };
    },
    sentFiles: sentFilesOf(paths),
    shutdown,
    now,
  };
}

/** The token of this home's programs, made at the first start. */
export function ensureApiToken(paths: HomePaths): string {
  const known = readTextIfPresent(paths.apiToken)?.trim();
  if (known !== undefined && known.length >= MIN_TOKEN_LENGTH) return known;
  const made = randomBytes(32).toString('base64url');
  writeSecretFile(paths.apiToken, `${made}\n`);
  return made;
}

const MIN_TOKEN_LENGTH = 32;

async function readStatus(
  { policy, paths, stores, vault, installId, startedAt }: Ground,
  { driver, life, delivery, gateway, egressTail }: WithRuntime,
): Promise<Status> {
  const sockets = gateway.count('sessions');
  return {
    version: VERSION,
    protocolVersion: PROTOCOL_VERSION,
    installId,
    home: paths.home,
    pid: process.pid,
    startedAt,
    driver: policy.driver,
    engine: await describeEngine(driver),
    sessions: countSessions(stores.sessions, life),
    queue: { waiting: life.count('waiting'), deliveries: delivery.backlog, overdue: delivery.overdue },
    memoryBytes: process.memoryUsage().rss,
    gateway: {
      sockets,
      // One that starts, or is being ended, has its own already, or still.
      missing: Math.max(0, life.count('running') + life.count('paused') - sockets),
      connections: gateway.count('connections'),
      open: gateway.count('open'),
      unrecorded: egressTail.dropped,
    },
    vault: presentVault(vault.state),
  };
}

async function describeEngine(driver: ContainerDriver): Promise<{ ok: boolean; detail: string }> {
  const answer = await driver.available();
  if (answer.kind === 'available') return { ok: true, detail: driver.name };
  return { ok: false, detail: `${answer.reason} ${answer.hint}` };
}

function folderOrNull(path: string): string | null {
  return existsSync(path) ? path : null;
}
