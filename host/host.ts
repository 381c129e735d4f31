/**
 * Builds every part of the host, explicitly, in the order a message meets them. Nothing opens or starts by
 * being imported.
 *
 *   store → sessions → channels → delivery → runtime → routing → api
 *
 * Shutdown drains first, then closes in the opposite order. Containers go on: the next host adopts them.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type AgentGroupId, epochMs, type InstallId } from '../shared/ids.ts';
import { AGENT_CHANNEL, PROTOCOL_VERSION } from '../shared/protocol.ts';
import { sessionPaths } from '../shared/session-files.ts';
import { AgentConfigs } from './agents/config/configs.ts';
import { makeSelfChanges } from './agents/config/self.ts';
import { AgentFolders } from './agents/folders.ts';
import { DAY_MS } from './agents/limits.ts';
import { AgentMaker } from './agents/maker.ts';
import { Mounts } from './agents/mounts/mounts.ts';
import { Removals } from './agents/removals.ts';
import { Approvals } from './approvals/apply.ts';
import type { ApprovalTable } from './approvals/approval.ts';
import { TerminalChannel } from './channels/terminal/channel.ts';
import { WebChannel } from './channels/web/channel.ts';
import { KeptFiles } from './channels/web/kept-files.ts';
import { Closers } from './closers.ts';
import { makeCommands } from './commands/assemble.ts';
import { assertNever } from './config/errors.ts';
import { type HomePaths, prepareHome, projectRoot, readTextIfPresent, writeSecretFile } from './config/home.ts';
import { lockHome } from './config/lock.ts';
import type { Policy } from './config/policy.ts';
import { VERSION } from './config/version.ts';
import { Feed } from './console/api/feed.ts';
import type { ApiParts } from './console/api/ports.ts';
import { startServer } from './console/api/server.ts';
import { Activity } from './delivery/activity.ts';
import { Authority } from './delivery/authority.ts';
import type { Channel } from './delivery/channel.ts';
import { Delivery } from './delivery/delivery.ts';
import { Notices } from './delivery/notices.ts';
import { Peers } from './delivery/peers/apply.ts';
import { QuestionEnds } from './delivery/question-ends.ts';
import { ensureFirstRun, OWNER, openChat } from './first-run.ts';
import { ImageEngine } from './images/engine.ts';
import { ImageBuilds } from './images/images.ts';
import { hostLog, runtimeLog } from './observe/logger.ts';
import { Metrics } from './observe/metrics.ts';
import { People } from './people/apply.ts';
import { Questions } from './questions/apply.ts';
import { RequestDesk } from './requests/desk.ts';
import { Router } from './routing/apply.ts';
import type { Receive } from './routing/inbound.ts';
import { DockerDriver } from './runtime/drivers/docker.ts';
import type { ContainerDriver } from './runtime/drivers/driver.ts';
import { ProcessDriver } from './runtime/drivers/process.ts';
import { makeMemoryGauge } from './runtime/memory.ts';
import { DEFAULT_POLICY } from './runtime/policy.ts';
import { Runtime } from './runtime/runtime.ts';
import { SessionView } from './runtime/session-view.ts';
import { systemClock } from './runtime/wakeups.ts';
import { Schedule } from './schedule/apply.ts';
import { TaskRequests } from './schedule/requests.ts';
import { TaskFiles } from './schedule/task-file.ts';
import { SessionLife } from './session-life.ts';
import { Charts } from './sessions/chart.ts';
import { FreeDisk } from './sessions/disk.ts';
import { Doorbells } from './sessions/doorbell.ts';
import { DueTimer } from './sessions/due-timer.ts';
import { Inboxes } from './sessions/inbox.ts';
import { OutboxReader } from './sessions/outbox-reader.ts';
import type { EndFiring } from './sessions/settle.ts';
import { AgentRoutes } from './store/agent-routes.ts';
import { AgentStore } from './store/agents.ts';
import { ApprovalPolicyStore } from './store/approval-policies.ts';
import { ApprovalVoices } from './store/approval-voices.ts';
import { ApprovalStore } from './store/approvals.ts';
import { ChatStore } from './store/chats.ts';
import { ConfigHistoryStore } from './store/config-history.ts';
import { openCentralDb } from './store/database.ts';
import { DestinationStore } from './store/destinations.ts';
import { DroppedStore } from './store/dropped.ts';
import { HeldStore } from './store/held.ts';
import { IdentityCodeStore } from './store/identity-codes.ts';
import { ImageBuildStore } from './store/image-builds.ts';
import { Ledger } from './store/ledger.ts';
import { LedgerSearch } from './store/ledger-search.ts';
import { LoginStore } from './store/logins.ts';
import { McpReportStore } from './store/mcp-reports.ts';
import { PeerStore } from './store/peers.ts';
import { PersonStore } from './store/persons.ts';
import { QuestionStore } from './store/questions.ts';
import { ReadMarkStore } from './store/read-marks.ts';
import { SessionStore } from './store/sessions.ts';
import { SettingsStore } from './store/settings.ts';
import { TaskFiringStore } from './store/task-firings.ts';
import { TaskStore } from './store/tasks.ts';
import { Transcript } from './store/transcript.ts';
import { TurnedAwayStore } from './store/turned-away.ts';
import { UserStore } from './store/users.ts';
import { VisibleStore } from './store/visible.ts';
import { WiringStore } from './store/wirings.ts';
import { makeAdminTeller } from './tell-admins.ts';

export interface HostOptions {
  policy: Policy;
  /** Beside `web` and `terminal`. */
  channels?: readonly Channel[];
  /** Without the HTTP API: for measurements of the message path alone. */
  withoutApi?: boolean;
}

export interface Host extends AsyncDisposable {
  readonly paths: HomePaths;
  readonly stores: ReturnType<typeof openStores>;
  readonly receive: Receive;
  readonly life: SessionLife;
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
    return await build(options, closers);
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

async function build(options: HostOptions, closers: Closers): Promise<Host> {
  const { policy } = options;
  const now = () => epochMs();
  const startedAt = now();
  const paths = prepareHome(policy.home);
  closers.use(lockHome(paths.lock));
  const stores = openStores(paths, closers);
  const { agents, chats, destinations, sessions, transcript, ledger } = stores;
  const firstRun = ensureFirstRun(stores, now());
  const installId = stores.settings.installId();
  const metrics = new Metrics();
  const root = projectRoot();

  // Doorbells between parts that are built later: each is set before anything can ring it.
  const life: { current: SessionLife | null } = { current: null };
  const theLife = () => life.current ?? fail('a part rang before the host was built');

  const reader = closers.use(new OutboxReader(join(root, 'dist', 'reader.mjs')));
  const inboxes = closers.use(new Inboxes(paths.home, (id) => runtime.requestStop(id, 'holds-lock')));
  const due = closers.use(new DueTimer(sessions, (id) => theLife().workChanged(id), now));
  const feed = new Feed(transcript);
  const disk = new FreeDisk(paths.home);
  const keptFiles = closers.use(new KeptFiles(sentFilesOf(paths), transcript));
  const channels = connectChannels(options.channels ?? [], transcript, keptFiles);
  const charts = new Charts(agents, chats, destinations, (type) => {
    const abilities = channels.get(type)?.abilities;
    return { canEdit: abilities?.canEdit ?? false, canReact: abilities?.canReact ?? false };
  });
  const notices = closers.use(
    new Notices(transcript, chats, channels, {
      get: (id) => questions.get(id),
      ended: (id, state) => approvals.cardDelivered(id, state),
    }),
  );
  const ends = new QuestionEnds(transcript, chats, channels, (card, hasButtons) =>
    approvals.renderCard(card, hasButtons),
  );
  const questions: Questions = closers.use(
    new Questions({
      ...stores,
      inboxes,
      onWorkChanged: (id) => theLife().workChanged(id),
      showEnd: (question) => ends.show(question),
      approvals: {
        mayDecide: (id, by) => approvals.mayDecide(id, by),
        decide: (id, given) => approvals.decide(id, given),
        codeOf: (id) => approvals.codeOf(id),
      },
      // One that is not known decides nothing by text.
      hasButtons: (type) => channels.get(type)?.abilities.canAsk ?? true,
      now,
    }),
  );
  const approvals: Approvals = closers.use(
    new Approvals({
      ...stores,
      approvals: stores.approvals,
      policies: stores.approvalPolicies,
      voices: stores.approvalVoices,
      inboxes,
      asked: questions,
      isConnected: (type) => channels.has(type),
      sendCard: (id) => notices.sendCard(id),
      rules: () => approvalRules(),
      onWorkChanged: (id) => theLife().workChanged(id),
      onChanged: (id) => feed.tellApproval(id),
      now,
    }),
  );
  const approvalRules = (): ApprovalTable => ({
    ...router.rules,
    resume_peers: peers.pauseRules,
    ...self.rules,
  });
  const tellChat: Notices['tell'] = (ref, about, key, text) => notices.tell(ref, about, key, text);
  const activity = closers.use(
    new Activity({
      channels,
      transcript,
      tellChat,
      amendChat: (ref, about, key, text) => notices.amend(ref, about, key, text),
      timezoneOf: (ref) => agents.get(ref.agentGroupId)?.config.timezone ?? 'UTC',
      isRunning: (id) => theLife().isRunning(id),
      now,
    }),
  );
  const taskFiles = new TaskFiles(stores.tasks, stores.taskFirings);
  const schedule = closers.use(
    new Schedule({
      home: paths.home,
      tasks: stores.tasks,
      firings: stores.taskFirings,
      files: taskFiles,
      sessions,
      chats,
      inboxes,
      transcript,
      commit: stores.commit,
      onWorkChanged: (id) => theLife().workChanged(id),
      clock: systemClock,
    }),
  );
  const taskRequests = new TaskRequests({
    tasks: stores.tasks,
    agents,
    ledger,
    commit: stores.commit,
    onChanged: (session) => schedule.changed(session),
  });
  const endFiring: EndFiring = (id, end) => schedule.settle(id, end);
  const configs = new AgentConfigs({
    ...stores,
    onConfigChanged: (id) => ringAgent(id),
    now,
  });
  const images: ImageBuilds = closers.use(
    new ImageBuilds({
      ...{ agents, ledger, builds: stores.imageBuilds, commit: stores.commit },
      engine: policy.driver === 'docker' ? new ImageEngine(installId) : null,
      installId,
      baseImage: policy.image,
      logs: paths.buildLogs,
      onChanged: (id) => ringAgent(id),
      // Once a day as long as it lasts.
      tellAdmins: (agent, text) =>
        tellAdmins(agent, `image ${agent.config.revision} ${Math.floor(now() / DAY_MS)}`, text),
      now,
    }),
  );
  const tellAdmins = makeAdminTeller({
    ...stores,
    isConnected: (type) => channels.has(type),
    tell: (ref, about, key, text) => notices.tell(ref, about, key, text),
    now,
  });
  const self = makeSelfChanges({
    ...stores,
    ...{ configs, images, tellAdmins, reports: stores.mcpReports },
    requestApproval: (request) => approvals.requestApproval(request),
    countSessions: (id) => sessions.listForAgent(id).length,
    onConfigChanged: (id) => ringAgent(id),
    onWorkChanged: (id) => theLife().workChanged(id),
    reconcile: (id) => runtime.reconcile(id),
  });
  const mounts = new Mounts({
    ...{ agents, home: paths.home, project: root, allowlistPath: policy.mounts, userHome: homedir() },
    canMount: policy.driver === 'docker',
    hostUid: process.getuid?.() ?? 0,
  });
  const folders = new AgentFolders(paths.groups, join(root, 'groups', 'template'));
  const maker = closers.use(
    new AgentMaker({
      agents,
      destinations,
      sessions,
      ledger,
      inboxes,
      folders,
      commitTogether: stores.commit,
      onDestinationsChanged: () => rewriteLiveCharts(),
      onWorkChanged: (id) => theLife().workChanged(id),
      now,
    }),
  );
  const peers = closers.use(
    new Peers({
      ...{ home: paths.home, agents, sessions, inboxes, transcript, ledger, disk, peers: stores.peers },
      onWorkChanged: (id) => theLife().workChanged(id),
      ask: (request) => approvals.requestApproval(request),
      onReleased: () => delivery.nudge(),
      now,
    }),
  );
  // Who wrote hears that it failed: an agent through its inbox, people in their chat.
  const tellFailed: Notices['tell'] = (ref, about, key, text) =>
    about.channelType === AGENT_CHANNEL ? peers.tellGaveUp(about.id, text) : notices.tell(ref, about, key, text);
  const delivery: Delivery = closers.use(
    new Delivery({
      home: paths.home,
      sessions,
      inboxes,
      reader,
      transcript,
      channels,
      activity,
      peers,
      tellChat: tellFailed,
      questions,
      endFiring,
      authority: new Authority(agents, chats, destinations, transcript),
      desk: new RequestDesk({
        commit: stores.commit,
        tasks: taskRequests,
        makeAgent: (asked) => maker.answer(asked),
        changeSelf: (asked) => self.answer(asked),
      }),
      quarantine: (id, reason) => theLife().quarantine(id, reason),
      onLockHeld: (id) => runtime.requestStop(id, 'holds-lock'),
      onHotJournal: (id) => runtime.reportHalfCommit(id),
      onWorkChanged: (id) => theLife().workChanged(id),
      onQuiet: (id) => {
        life.current?.deliveryQuiet(id);
        removals.ring();
      },
      now,
      random: Math.random,
    }),
  );
  const doorbells = closers.use(new Doorbells((id) => delivery.ring(id)));
  const driver = closers.use(makeDriver(policy, installId, paths.home, join(root, 'dist', 'runner.mjs')));
  const runtime = closers.use(
    new Runtime({
      driver,
      sessions: new SessionView({
        home: paths.home,
        installId,
        images,
        prepareFolder: (agent) => folders.ensure(agent),
        prepareMounts: (agent) => mounts.prepare(agent),
        sessions,
        agents,
        transcript,
        inboxes,
        reader,
        charts,
        due,
        tellChat: tellFailed,
        endFiring,
        onClaimsEnded: (ref, open, effects) => activity.follow(ref, open, effects),
        writeTasks: (session, folder) => taskFiles.write(session, folder),
        quarantine: (id, reason) => theLife().quarantine(id, reason),
        now,
      }),
      policy: { ...DEFAULT_POLICY, pauseAfterMs: policy.pauseAfterMs, stopAfterMs: policy.stopAfterMs },
      maxRunning: policy.maxRunning,
      clock: systemClock,
      log: runtimeLog,
      onState: (id, state) => {
        theLife().stateChanged(id, state);
        removals.ring();
      },
      memoryPressure: makeMemoryGauge(systemClock),
    }),
  );
  life.current = closers.use(
    new SessionLife({
      home: paths.home,
      sessions,
      agents,
      chats,
      transcript,
      ledger,
      commit: stores.commit,
      inboxes,
      doorbells,
      due,
      delivery,
      activity,
      feed,
      metrics,
      wake: (id) => runtime.wake(id),
      reconcile: (id) => runtime.reconcile(id),
      now,
    }),
  );
  const removals: Removals = closers.use(
    new Removals({
      ...{
        agents,
        chats,
        sessions,
        routes: stores.agentRoutes,
        ledger,
        inboxes,
        transcript,
        folders,
        delivery,
        endFiring,
      },
      commitTogether: stores.commit,
      tellChat: (ref, about, key, text) => notices.tell(ref, about, key, text),
      reconcile: (id) => runtime.reconcile(id),
      onDestinationsChanged: () => rewriteLiveCharts(),
      onWorkChanged: (id) => theLife().workChanged(id),
      withdrawApprovals: (id, why) => approvals.withdrawOf(id, why),
      onQuestionEnded: (id) => questions.showAgain(id),
      onSessionEnded: (id) => feed.tellSession(id),
      now,
    }),
  );
  const commands = closers.use(
    makeCommands({
      ...{ ...stores, home: paths.home, inboxes, approvals, endFiring },
      life: {
        liveState: (session) => theLife().liveState(session),
        endRun: (id) => runtime.requestStop(id, 'requested'),
        workChanged: (id) => theLife().workChanged(id),
      },
      send: (id) => notices.sendCard(id),
      onReachable: () => approvals.askAgain(),
      now,
    }),
  );
  const router = new Router({
    home: paths.home,
    agents,
    chats,
    wirings: stores.wirings,
    users: stores.users,
    sessions,
    dropped: stores.dropped,
    held: stores.held,
    turnedAway: stores.turnedAway,
    transcript,
    inboxes,
    disk,
    hearCommand: (spoken) => commands.hear(spoken),
    hear: (said) => questions.hear(said),
    ask: (request) => approvals.requestApproval(request),
    onReachable: () => approvals.askAgain(),
    onWired: () => rewriteLiveCharts(),
    wake: (id) => runtime.wake(id),
    now,
  });
  const receive: Receive = async (event) => {
    const outcome = await router.receive(event);
    if (outcome.kind === 'routed') metrics.messageReceived(event.channelType);
    if (outcome.kind === 'routed') removals.endLate(outcome.messages);
    else if (outcome.kind === 'dropped') metrics.messageDropped(outcome.reason);
    return outcome;
  };
  images.start();
  await runtime.start();
  theLife().start();
  closers.use(router);
  questions.start();
  await approvals.start();
  await router.start();
  maker.resume();
  removals.resume();
  schedule.start();
  notices.resume();
  keptFiles.start();
  peers.start();

  const stopRequest = makeSignal();
  const bearerToken = ensureApiToken(paths);
  const address: { url: string | null } = { url: null };
  const apiParts: ApiParts = {
    ...stores,
    taskRequests,
    installId,
    owner: OWNER,
    home: paths.home,
    uploads: paths.uploads,
    webFolder: folderOrNull(join(root, 'dist', 'web')),
    feed,
    receive,
    control: {
      liveState: (session) => theLife().liveState(session),
      stop: async (id) => runtime.requestStop(id, 'requested'),
      release: (id, by) => theLife().release(id, by),
    },
    deliveries: delivery,
    asked: questions,
    decisions: approvals,
    maker,
    removals,
    people: new People({ ...stores, now }),
    configs,
    mounts,
    images,
    reports: stores.mcpReports,
    openChat: (agentId, channel, title, by) => openChat(stores, agentId, channel, title, by, now()),
    onDestinationsChanged: () => rewriteLiveCharts(),
    status: async () => ({
      version: VERSION,
      protocolVersion: PROTOCOL_VERSION,
      installId,
      home: paths.home,
      pid: process.pid,
      startedAt,
      driver: policy.driver,
      engine: await describeEngine(driver),
      sessions: countSessions(stores.sessions, theLife()),
      queue: { waiting: theLife().count('waiting'), deliveries: delivery.backlog, overdue: delivery.overdue },
      memoryBytes: process.memoryUsage().rss,
    }),
    metrics: () => metrics.text(),
    ready: () => (disk.hasRoom() ? { ok: true, reason: null } : { ok: false, reason: 'the disk is full' }),
    sentFiles: sentFilesOf(paths),
    shutdown: () => stopRequest.fire(),
    now,
  };

  /** What the agent's containers are made of has changed. */
  function ringAgent(agentGroupId: AgentGroupId): void {
    for (const id of theLife().liveIds()) if (sessions.get(id)?.agentGroupId === agentGroupId) runtime.reconcile(id);
  }

  /** Charts of sessions with a container, which follow the file; all others get theirs before they wake. */
  function rewriteLiveCharts(): void {
    for (const id of theLife().liveIds()) {
      const session = sessions.get(id);
      if (session === null) continue;
      const folder = sessionPaths(paths.home, session.agentGroupId, id);
      if (existsSync(folder.in)) charts.writeChart(session, folder);
    }
  }

  metrics.gauge('portolan_sessions_running', 'Sessions with a running container', () => theLife().count('running'));
  metrics.gauge('portolan_sessions_paused', 'Sessions with a frozen container', () => theLife().count('paused'));
  metrics.gauge('portolan_sessions_waiting', 'Sessions with work that waits for a container', () =>
    theLife().count('waiting'),
  );
  metrics.gauge('portolan_messages_held', 'Messages that wait for an admin', () => stores.held.total.count);
  metrics.gauge('portolan_deliveries_open', 'Deliveries that are not at their end', () => delivery.backlog);
  transcript.onFlush((messages) => {
    for (const message of messages) {
      if (message.direction === 'in' && message.state === 'answered') metrics.messageTraced(message.stamps);
      if (message.direction === 'out' && message.state !== 'queued' && message.state !== 'sending')
        metrics.deliveryEnded(message.state);
    }
  });

  let port: number | null = null;
  if (options.withoutApi !== true) {
    const server = closers.use(
      await startServer(apiParts, { port: policy.port, socketPath: paths.socket, bearerToken }),
    );
    port = server.port;
    address.url = `http://127.0.0.1:${server.port}`;
  }
  hostLog.info({ version: VERSION, pid: process.pid, port, driver: policy.driver, firstRun }, 'the host is ready');

  return {
    paths,
    stores,
    receive,
    life: theLife(),
    port,
    firstRun,
    stopContainers: () => runtime.stopAll(),
    stopRequested: stopRequest.fired,
    makeSignInLink: () => `${address.url ?? ''}/#token=${stores.logins.create('link', OWNER, now()).token}`,
    async [Symbol.asyncDispose]() {
      hostLog.info({}, 'the host is stopping');
      await closers.closeAll();
    },
  };
}

function openStores(paths: HomePaths, closers: Closers) {
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  closers.add(() => {
    db.close();
  });
  const transcript = new Transcript(db);
  closers.add(() => transcript.close());
  return {
    /** Runs the work in one transaction of the central database. */
    commit: <T>(work: () => T): T => db.transaction(work)(),
    settings: new SettingsStore(db),
    agents: new AgentStore(db),
    configHistory: new ConfigHistoryStore(db),
    mcpReports: new McpReportStore(db),
    agentRoutes: new AgentRoutes(db),
    chats: new ChatStore(db),
    wirings: new WiringStore(db),
    destinations: new DestinationStore(db),
    users: new UserStore(db),
    persons: new PersonStore(db),
    identityCodes: new IdentityCodeStore(db),
    visible: new VisibleStore(db),
    sessions: new SessionStore(db),
    peers: new PeerStore(db),
    tasks: new TaskStore(db),
    taskFirings: new TaskFiringStore(db),
    dropped: new DroppedStore(db),
    questions: new QuestionStore(db),
    approvals: new ApprovalStore(db),
    approvalPolicies: new ApprovalPolicyStore(db),
    approvalVoices: new ApprovalVoices(db),
    held: new HeldStore(db),
    turnedAway: new TurnedAwayStore(db),
    imageBuilds: new ImageBuildStore(db),
    ledger: new Ledger(db),
    ledgerSearch: new LedgerSearch(db),
    logins: new LoginStore(db),
    readMarks: new ReadMarkStore(db),
    transcript,
  };
}

/** Where copies of what agents sent into chats of this host are kept. */
function sentFilesOf(paths: HomePaths): string {
  return join(paths.channels, 'web', 'files');
}

function connectChannels(given: readonly Channel[], transcript: Transcript, files: KeptFiles): Map<string, Channel> {
  const own: Channel[] = [new WebChannel(files, transcript), new TerminalChannel(files, transcript)];
  return new Map([...own, ...given].map((channel) => [channel.type, channel]));
}

function makeDriver(policy: Policy, installId: InstallId, home: string, runnerPath: string): ContainerDriver {
  switch (policy.driver) {
    case 'docker':
      return new DockerDriver({ installId, log: runtimeLog });
    case 'process':
      return new ProcessDriver({ installId, home, runnerPath });
    default:
      return assertNever(policy.driver);
  }
}

async function describeEngine(driver: ContainerDriver): Promise<{ ok: boolean; detail: string }> {
  const answer = await driver.available();
  if (answer.kind === 'available') return { ok: true, detail: driver.name };
  return { ok: false, detail: `${answer.reason} ${answer.hint}` };
}

function countSessions(sessions: SessionStore, life: SessionLife) {
  const stored = sessions.countByState();
  const total = Object.values(stored).reduce((sum, count) => sum + count, 0);
  const running = life.count('running') + life.count('starting') + life.count('stopping');
  const paused = life.count('paused');
  const failed = life.count('failed');
  const quarantined = stored.quarantined ?? 0;
  return { running, paused, failed, quarantined, idle: Math.max(0, total - running - paused - failed - quarantined) };
}

function ensureApiToken(paths: HomePaths): string {
  const known = readTextIfPresent(paths.apiToken)?.trim();
  if (known !== undefined && known.length >= MIN_TOKEN_LENGTH) return known;
  const made = randomBytes(32).toString('base64url');
  writeSecretFile(paths.apiToken, `${made}\n`);
  return made;
}

const MIN_TOKEN_LENGTH = 32;

function folderOrNull(path: string): string | null {
  return existsSync(path) ? path : null;
}

function makeSignal(): { fired: Promise<void>; fire: () => void } {
  let fire: () => void = () => undefined;
  const fired = new Promise<void>((resolve) => {
    fire = resolve;
  });
  return { fired, fire };
}

function fail(message: string): never {
  throw new Error(message);
}
