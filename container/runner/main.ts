/** The runner's entry: builds every part in message order, runs until told to stop. */
import { PROTOCOL_VERSION, RUNNER_EXIT, type SessionFile } from '../../shared/protocol.ts';
import { PROVIDER_NAMES } from '../../shared/providers.ts';
import { toolSocketPath } from '../../shared/session-files.ts';
import { loadProvider } from '../providers/index.ts';
import type { Provider } from '../providers/provider.ts';
import { LiveChart } from './chart.ts';
import { Doorbell } from './doorbell.ts';
import { GatewayPort } from './gateway-port.ts';
import { Heartbeat } from './heartbeat.ts';
import { HostBell } from './host-bell.ts';
import { InboxReader } from './inbox.ts';
import { describeError, log } from './log.ts';
import { RunnerLoop } from './loop.ts';
import { Outbox } from './outbox.ts';
import { ServerTools } from './server-tools.ts';
import { ToolDoor } from './tool-door.ts';
import { ContractError, locateWorkspace, readSession, type Workspace } from './workspace.ts';
import { setZone } from './zone.ts';

/** Makes one call of the model instead of running: see `probe.ts`. */
const PROBE_FLAG = '--probe';
/** How long a stop waits for the turn to let go. Higher: the host's own grace runs out first. */
const STOP_GRACE_MS = 1_000;

async function main(): Promise<void> {
  // Sessions of one agent share its working folder through their group; nobody else may look.
  process.umask(0o007);
  const workspace = locateWorkspace(process.env);
  const session = readSession(workspace.files.session);
  setZone(session.timezone);
  // Before anything runs that may want to reach outside.
  using gateway = new GatewayPort(workspace.files.gateway);
  const listening = gateway.listen(workspace.gatewayPort);
  if (process.argv.includes(PROBE_FLAG)) {
    const { probeModel } = await import('./probe.ts');
    process.stdout.write(`${JSON.stringify(await probeModel(session, await listening))}\n`);
    return;
  }
  const provider = await loadProvider(session.provider);
  const gatewayPort = await listening;
  if (!provider) {
    log.error('unknown provider', { provider: session.provider, known: PROVIDER_NAMES.join(', ') });
    process.exitCode = RUNNER_EXIT.unknownProvider;
    return;
  }
  await runUntilStopped(workspace, session, provider, gatewayPort);
}

async function runUntilStopped(
  workspace: Workspace,
  session: SessionFile,
  provider: Provider,
  gatewayPort: number,
): Promise<void> {
  const { files, folders } = workspace;
  using inbox = new InboxReader(files.inboundDb);
  let lastInboundSeq = 0;
  const bell = new HostBell(files.outDoorbell);
  bell.ensure();
  const lastSeq = () => {
    const read = inbox.read((tables) => tables.lastSeq());
    if (read.kind === 'read') lastInboundSeq = read.value;
    return lastInboundSeq;
  };
  using outbox = openOutbox(files.outboundDb, lastSeq, bell);
  using _heartbeat = new Heartbeat(files.heartbeat);
  // Before the first look, so that what arrives between the two rings.
  using doorbell = new Doorbell(files.inDoorbell);
  const chart = new LiveChart(files.chart);
  using toolDoor = new ToolDoor(toolSocketPath(session.sessionId), session.isAdmin);
  const place = { agentFolder: folders.agent, homeFolder: folders.state, timezone: session.timezone, gatewayPort };
  await using servers = new ServerTools(session.mcpServers, place);
  const parts = {
    session,
    paths: folders,
    outFiles: files.outFiles,
    provider,
    gateway: { port: gatewayPort },
    chart,
    inbox,
    outbox,
    servers,
    toolDoor,
  };
  const loop = new RunnerLoop(parts, doorbell);
  const stop = () => {
    loop.stop();
    setTimeout(() => process.exit(RUNNER_EXIT.stopped), STOP_GRACE_MS).unref();
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  const isIdle = !loop.hasWork();
  outbox.start({ protocolVersion: PROTOCOL_VERSION, provider: provider.name, startedAt: Date.now() }, isIdle);
  log.info('ready', { provider: provider.name, ms: Math.round(performance.now()) });
  // After the first look at the work: a person waits for that, nobody for the door.
  setImmediate(() => toolDoor.listen());
  await loop.run(isIdle);
  log.info('stopped');
}

/** The host creates both databases before the first wake: a missing one is a broken contract. */
function openOutbox(path: string, lastInboundSeq: () => number, bell: HostBell): Outbox {
  try {
    return new Outbox(path, lastInboundSeq, bell);
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'SQLITE_CANTOPEN';
    if (!isMissing) throw cause;
    throw new ContractError('outbound.db cannot be opened', { cause });
  }
}

try {
  await main();
} catch (error) {
  const isContract = error instanceof ContractError;
  log.error(isContract ? 'contract broken' : 'crashed', {
    error: describeError(error),
    cause: error instanceof Error && error.cause !== undefined ? describeError(error.cause) : undefined,
    stack: isContract || !(error instanceof Error) ? undefined : error.stack,
  });
  process.exitCode = isContract ? RUNNER_EXIT.badContract : RUNNER_EXIT.crashed;
}
