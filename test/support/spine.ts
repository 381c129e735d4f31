/**
 * The message path without a runtime: a fresh store, sessions, routing and delivery on real files and real
 * readers, with fake channels and containers that the test writes by hand.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { NamedService } from '../../host/agents/access/plan.ts';
import { AccessRequests } from '../../host/agents/access/requests.ts';
import { AccessRules } from '../../host/agents/access/rules.ts';
import { AgentConfigs } from '../../host/agents/config/configs.ts';
import { makeSelfChanges, type SelfChanges } from '../../host/agents/config/self.ts';
import { AgentFolders } from '../../host/agents/folders.ts';
import { AgentMaker } from '../../host/agents/maker.ts';
import { Mounts } from '../../host/agents/mounts/mounts.ts';
import { Removals } from '../../host/agents/removals.ts';
import { Approvals } from '../../host/approvals/apply.ts';
import type { ActionRules, ApprovalTable } from '../../host/approvals/approval.ts';
import { BudgetChanges } from '../../host/budgets/changes.ts';
import { BudgetAsks } from '../../host/budgets/raise.ts';
import { UsageReports } from '../../host/budgets/reports.ts';
import type { Commands } from '../../host/commands/apply.ts';
import { makeCommands } from '../../host/commands/assemble.ts';
import type { LiveState } from '../../host/commands/ports.ts';
import { projectRoot } from '../../host/config/home.ts';
import { Activity } from '../../host/delivery/activity.ts';
import { Authority } from '../../host/delivery/authority.ts';
import type { Channel } from '../../host/delivery/channel.ts';
import { Delivery } from '../../host/delivery/delivery.ts';
import { Notices } from '../../host/delivery/notices.ts';
import { Peers } from '../../host/delivery/peers/apply.ts';
import { QuestionEnds } from '../../host/delivery/question-ends.ts';
import { MeteredDoor } from '../../host/egress/model/metered-door.ts';
import type { ImageBuilds } from '../../host/images/images.ts';
import { Questions } from '../../host/questions/apply.ts';
import { RequestDesk } from '../../host/requests/desk.ts';
import { Router } from '../../host/routing/apply.ts';
import type { InboundEvent } from '../../host/routing/inbound.ts';
import { systemClock } from '../../host/runtime/wakeups.ts';
import { Schedule, type ScheduleClock } from '../../host/schedule/apply.ts';
import { TaskRequests } from '../../host/schedule/requests.ts';
import { TaskFiles } from '../../host/schedule/task-file.ts';
import { FreeDisk } from '../../host/sessions/disk.ts';
import { Inboxes } from '../../host/sessions/inbox.ts';
import { OutboxReader } from '../../host/sessions/outbox-reader.ts';
import { AccessRuleStore } from '../../host/store/access-rules.ts';
import { AgentRoutes } from '../../host/store/agent-routes.ts';
import { type AgentGroup, AgentStore } from '../../host/store/agents.ts';
import { ApprovalPolicyStore } from '../../host/store/approval-policies.ts';
import { ApprovalVoices } from '../../host/store/approval-voices.ts';
import { ApprovalStore } from '../../host/store/approvals.ts';
import { BudgetStore } from '../../host/store/budgets.ts';
import { ChatStore, type MessagingGroup } from '../../host/store/chats.ts';
import { ConfigHistoryStore } from '../../host/store/config-history.ts';
import { openCentralDb } from '../../host/store/database.ts';
import { DestinationStore } from '../../host/store/destinations.ts';
import { DroppedStore } from '../../host/store/dropped.ts';
import { HeldStore } from '../../host/store/held.ts';
import { IdentityCodeStore } from '../../host/store/identity-codes.ts';
import { Ledger } from '../../host/store/ledger.ts';
import { LoginStore } from '../../host/store/logins.ts';
import { McpReportStore } from '../../host/store/mcp-reports.ts';
import { ModelCallStore } from '../../host/store/model-calls.ts';
import { ModelPriceStore } from '../../host/store/model-prices.ts';
import { PeerStore } from '../../host/store/peers.ts';
import { PersonStore } from '../../host/store/persons.ts';
import { QuestionStore } from '../../host/store/questions.ts';
import { type Session, SessionStore } from '../../host/store/sessions.ts';
import { TaskFiringStore } from '../../host/store/task-firings.ts';
import { TaskStore } from '../../host/store/tasks.ts';
import { Transcript } from '../../host/store/transcript.ts';
import { TurnedAwayStore } from '../../host/store/turned-away.ts';
import { UserStore } from '../../host/store/users.ts';
import { VisibleStore } from '../../host/store/visible.ts';
import { type WiringSettings, WiringStore } from '../../host/store/wirings.ts';
import { type ApprovalId, epochMs, type UserId } from '../../shared/ids.ts';
import { AGENT_CHANNEL } from '../../shared/protocol.ts';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';
import { stampNow } from '../../shared/trace.ts';
import { FakeChannel } from './fake-channel.ts';
import { ScriptedContainer } from './scripted-container.ts';
import { makeTempHome } from './temp-home.ts';

export const ALWAYS: WiringSettings = {
  engageMode: 'always',
  engagePattern: null,
  senderScope: 'all',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
};

/** Rules of a part that is made later. */
function later(get: () => ActionRules): ActionRules {
  return {
    describe: (payload) => get().describe(payload),
    carryOut: (approval, decision) => get().carryOut(approval, decision),
  };
}

export class Spine {
  readonly home = makeTempHome();
  readonly db = openCentralDb(this.home.centralDb, join(projectRoot(), 'migrations', 'central'));
  readonly agents = new AgentStore(this.db);
  readonly configHistory = new ConfigHistoryStore(this.db);
  readonly chats = new ChatStore(this.db);
  readonly wirings = new WiringStore(this.db);
  readonly destinations = new DestinationStore(this.db);
  readonly users = new UserStore(this.db);
  readonly visible = new VisibleStore(this.db);
  readonly sessions = new SessionStore(this.db);
  readonly dropped = new DroppedStore(this.db);
  held = new HeldStore(this.db);
  readonly turnedAway = new TurnedAwayStore(this.db);
  readonly logins = new LoginStore(this.db);
  readonly ledger = new Ledger(this.db);
  readonly transcript = new Transcript(this.db);
  readonly woken: string[] = [];
  readonly quarantined: { id: string; reason: string }[] = [];
  readonly locksHeld: string[] = [];
  readonly channels = new Map<string, Channel>();
  now: () => number = Date.now;
  readonly inboxes = new Inboxes(this.home.home, (id) => this.locksHeld.push(id));
  readonly reader = new OutboxReader(join(projectRoot(), 'dist', 'reader.mjs'));
  readonly questionRows = new QuestionStore(this.db);
  readonly approvalRows = new ApprovalStore(this.db);
  /** A test may put rules of its own in place. */
  readonly approvalRules: ApprovalTable = {
    admit_sender: later(() => this.router.rules.admit_sender),
    wire_chat: later(() => this.router.rules.wire_chat),
    resume_peers: later(() => this.peers.pauseRules),
    install_packages: later(() => this.self.rules.install_packages),
    add_mcp_server: later(() => this.self.rules.add_mcp_server),
    remove_mcp_server: later(() => this.self.rules.remove_mcp_server),
    request_rebuild: later(() => this.self.rules.request_rebuild),
    allow_access: later(() => this.accessRequests.rules),
    raise_budget: later(() => this.budgetAsks.rules),
  };
  /** People see something else of an approval. */
  onApprovalChanged: (id: ApprovalId) => void = () => undefined;
  readonly notices = this.makeNotices();
  questions: Questions = this.makeQuestions();
  approvals: Approvals = this.makeApprovals();
  readonly authority = new Authority(this.agents, this.chats, this.destinations, this.transcript);
  readonly tasks = new TaskStore(this.db);
  readonly taskFirings = new TaskFiringStore(this.db);
  /** A transaction of the central database; a test may let it fail. */
  commit = <T>(work: () => T): T => this.db.transaction(work)();
  /** What the schedule's timers run on; a test may move it. */
  clock: ScheduleClock = { now: () => epochMs(this.now()), at: systemClock.at };
  schedule = this.makeSchedule();
  readonly taskRequests = new TaskRequests({
    tasks: this.tasks,
    agents: this.agents,
    ledger: this.ledger,
    commit: this.commit,
    onChanged: (session) => this.schedule.changed(session),
  });
  /** Agents whose config was changed. */
  readonly reconfigured: string[] = [];
  configs = this.makeConfigs();
  /** Beside the home: a test that wants one writes it. */
  readonly allowlistPath = join(this.home.home, '..', 'mounts.json');
  readonly mounts = new Mounts({
    ...{ agents: this.agents, home: this.home.home, project: projectRoot(), allowlistPath: this.allowlistPath },
    ...{ canMount: true, userHome: homedir(), hostUid: process.getuid?.() ?? 0 },
  });
  /** What builds come to; a test may let them fail, or hang. */
  images: Pick<ImageBuilds, 'ensure' | 'describe'> = {
    ensure: async () => ({ kind: 'built', image: 'built' }),
    describe: () => ({ kind: 'possible', lines: ['image rebuild'] }),
  };
  readonly mcpReports = new McpReportStore(this.db);
  /** What admins were told beside approvals. */
  readonly toldAdmins: string[] = [];
  /** Whether agents have containers; a test may say no, and make `self` anew. */
  isConfined = true;
  self = this.makeSelf();
  readonly accessRules = new AccessRuleStore(this.db);
  /** Services that agents may be given; a test adds its own. */
  readonly namedServices = new Map<string, NamedService>();
  /** Agents whose access has changed. */
  readonly accessChanged: string[] = [];
  readonly access = new AccessRules({
    ...{ agents: this.agents, accessRules: this.accessRules, ledger: this.ledger },
    commit: (work) => this.commit(work),
    findService: (name) => this.namedServices.get(name) ?? null,
    onAccessChanged: (id) => void this.accessChanged.push(id),
    now: () => this.now(),
  });
  readonly accessRequests = new AccessRequests({
    ...{ agents: this.agents, access: this.access },
    requestApproval: (request) => this.approvals.requestApproval(request),
  });
  readonly modelCalls = new ModelCallStore(this.db);
  readonly modelPrices = new ModelPriceStore(this.db);
  readonly budgets = new BudgetStore(this.db);
  readonly budgetChanges = new BudgetChanges({
    ...{ budgets: this.budgets, modelPrices: this.modelPrices, agents: this.agents, users: this.users },
    ...{ ledger: this.ledger, commit: (work) => this.commit(work), now: () => this.now() },
  });
  budgetAsks = this.makeBudgetAsks();
  modelDoor = this.makeModelDoor();
  readonly usage = new UsageReports({
    ...{ modelCalls: this.modelCalls, users: this.users, now: () => this.now() },
    door: { flush: () => this.modelDoor.flush() },
  });
  readonly folders = new AgentFolders(this.home.groups, join(projectRoot(), 'groups', 'template'));
  /** Agents whose charts were to be written anew. */
  readonly recharted: string[] = [];
  readonly maker = this.makeMaker();
  readonly desk = new RequestDesk({
    commit: this.commit,
    tasks: this.taskRequests,
    makeAgent: (asked) => this.maker.answer(asked),
    changeSelf: (asked) => this.self.answer(asked),
    askAccess: (asked) => this.accessRequests.answer(asked),
  });
  readonly stopped = new Set<string>();
  readonly activity = new Activity({
    channels: this.channels,
    transcript: this.transcript,
    tellChat: (ref, about, key, text) => this.notices.tell(ref, about, key, text),
    amendChat: (ref, about, key, text) => this.notices.amend(ref, about, key, text),
    timezoneOf: (ref) => this.agents.get(ref.agentGroupId)?.config.timezone ?? 'UTC',
    isRunning: (id) => !this.stopped.has(id),
    now: () => this.now(),
  });
  readonly peerStore = new PeerStore(this.db);
  readonly disk = new FreeDisk(this.home.home);
  peers = this.makePeers();
  delivery = this.makeDelivery();
  commands = this.makeCommands();
  router = this.makeRouter();
  /** Sessions whose containers were to be planned anew. */
  readonly reconciled: string[] = [];
  removals = this.makeRemovals();
  readonly #containers: ScriptedContainer[] = [];

  constructor() {
    onTestFinished(async () => {
      for (const container of this.#containers) container.close();
      this.modelDoor[Symbol.dispose]();
      this.commands[Symbol.dispose]();
      await this.schedule[Symbol.asyncDispose]();
      await this.approvals[Symbol.asyncDispose]();
      await this.questions[Symbol.asyncDispose]();
      await this.router[Symbol.asyncDispose]();
      await this.removals[Symbol.asyncDispose]();
      await this.delivery[Symbol.asyncDispose]();
      await this.peers[Symbol.asyncDispose]();
      await this.notices[Symbol.asyncDispose]();
      await this.maker[Symbol.asyncDispose]();
      this.activity[Symbol.dispose]();
      this.reader[Symbol.dispose]();
      this.inboxes[Symbol.dispose]();
      this.transcript.close();
      this.db.close();
    });
  }

  /** Another is the next host's: end this one first. */
  makeRouter(): Router {
    return new Router({
      home: this.home.home,
      agents: this.agents,
      chats: this.chats,
      wirings: this.wirings,
      users: this.users,
      sessions: this.sessions,
      dropped: this.dropped,
      held: this.held,
      turnedAway: this.turnedAway,
      transcript: this.transcript,
      inboxes: this.inboxes,
      disk: new FreeDisk(this.home.home),
      hearCommand: (spoken) => this.commands.hear(spoken),
      hear: (said) => this.questions.hear(said),
      ask: (request) => this.approvals.requestApproval(request),
      onReachable: () => this.approvals.askAgain(),
      onWired: (id) => void this.recharted.push(id),
      wake: (id) => this.woken.push(id),
      now: () => this.now(),
    });
  }

  /** What sessions' containers do, as commands see it; a test may set it. */
  readonly liveStates = new Map<string, LiveState>();
  /** Sessions whose runs were ended by a command. */
  readonly endedRuns: string[] = [];

  makeCommands(): Commands {
    return makeCommands({
      ...{ home: this.home.home, agents: this.agents, chats: this.chats, wirings: this.wirings, users: this.users },
      ...{ sessions: this.sessions, transcript: this.transcript, inboxes: this.inboxes, dropped: this.dropped },
      ...{ questions: this.questionRows, ledger: this.ledger, logins: this.logins },
      ...{ persons: new PersonStore(this.db), identityCodes: new IdentityCodeStore(this.db), commit: this.commit },
      onReachable: () => this.approvals.askAgain(),
      usage: this.usage,
      spending: { statesFor: (account) => this.modelDoor.spending.statesFor(account) },
      approvals: {
        list: (limit, before, state) => this.approvals.list(limit, before, state),
        mayDecide: (id, by) => this.approvals.mayDecide(id, by),
        decideByCode: (given) => this.approvals.decideByCode(given),
      },
      life: {
        liveState: (session) => this.liveStates.get(session.id) ?? { state: 'idle', reason: null },
        endRun: (id) => void this.endedRuns.push(id),
        workChanged: (id) => void this.woken.push(id),
      },
      endFiring: (id, end) => this.schedule.settle(id, end),
      send: (id) => this.notices.sendCard(id),
      now: () => this.now(),
    });
  }

  /** Another is the next host's. */
  makeBudgetAsks(): BudgetAsks {
    return new BudgetAsks({
      ...{ budgets: this.budgets, agents: this.agents, users: this.users, ledger: this.ledger },
      ...{ changes: this.budgetChanges, commit: (work) => this.commit(work), now: () => this.now() },
      requestApproval: (request) => this.approvals.requestApproval(request),
    });
  }

  /** Another is the next host's: dispose of this one first, or what it had not written down is lost. */
  makeModelDoor(): MeteredDoor {
    return new MeteredDoor({
      ...{ agents: this.agents, users: this.users, transcript: this.transcript, budgets: this.budgets },
      ...{ calls: this.modelCalls, prices: this.modelPrices, now: () => this.now() },
      onSpent: (states, sessionId) => this.budgetAsks.note(states, sessionId),
    });
  }

  makeNotices(): Notices {
    const notices = new Notices(this.transcript, this.chats, this.channels, {
      get: (id) => this.questionRows.get(id),
      ended: (id, state) => this.approvals.cardDelivered(id, state),
    });
    onTestFinished(() => notices[Symbol.asyncDispose]());
    return notices;
  }

  /** Another is the next host's: it waits for nothing of this one's. */
  makeConfigs(): AgentConfigs {
    return new AgentConfigs({
      ...{ agents: this.agents, configHistory: this.configHistory, ledger: this.ledger },
      commit: (work) => this.commit(work),
      onConfigChanged: (id) => void this.reconfigured.push(id),
      now: () => this.now(),
    });
  }

  /** Another is the next host's. */
  makeSelf(): SelfChanges {
    return makeSelfChanges({
      ...{ agents: this.agents, configs: this.configs, configHistory: this.configHistory },
      ...{ ledger: this.ledger, reports: this.mcpReports, isConfined: this.isConfined },
      images: {
        ensure: (agent, packages, why) => this.images.ensure(agent, packages, why),
        describe: (agent, packages) => this.images.describe(agent, packages),
      },
      requestApproval: (request) => this.approvals.requestApproval(request),
      countSessions: (id) => this.sessions.listForAgent(id).length,
      tellAdmins: (_agent, _key, text) => void this.toldAdmins.push(text),
      onConfigChanged: (id) => void this.reconfigured.push(id),
      onWorkChanged: (id) => void this.woken.push(id),
      reconcile: (id) => void this.reconciled.push(id),
    });
  }

  makeMaker(): AgentMaker {
    return new AgentMaker({
      agents: this.agents,
      destinations: this.destinations,
      sessions: this.sessions,
      ledger: this.ledger,
      inboxes: this.inboxes,
      folders: this.folders,
      commitTogether: this.commit,
      onDestinationsChanged: (id) => void this.recharted.push(id),
      onWorkChanged: () => undefined,
      now: () => this.now(),
    });
  }

  makeRemovals(): Removals {
    return new Removals({
      ...{ agents: this.agents, chats: this.chats, sessions: this.sessions, ledger: this.ledger },
      folders: this.folders,
      ...{ inboxes: this.inboxes, transcript: this.transcript, routes: new AgentRoutes(this.db) },
      delivery: {
        ring: (id) => this.delivery.ring(id),
        isQuiet: (id) => this.delivery.isQuiet(id),
        abandon: (id) => this.delivery.abandon(id),
        forget: (id) => this.delivery.forget(id),
      },
      endFiring: (id, end) => this.schedule.settle(id, end),
      commitTogether: this.commit,
      tellChat: (ref, about, key, text) => this.notices.tell(ref, about, key, text),
      reconcile: (id) => void this.reconciled.push(id),
      onDestinationsChanged: (id) => void this.recharted.push(id),
      onAccessChanged: (id) => void this.accessChanged.push(id),
      onWorkChanged: (id) => void this.woken.push(id),
      withdrawApprovals: (id, why) => this.approvals.withdrawOf(id, why),
      onQuestionEnded: (id) => this.questions.showAgain(id),
      onSessionEnded: () => undefined,
      now: () => this.now(),
    });
  }

  makePeers(): Peers {
    const peers = new Peers({
      ...{ home: this.home.home, agents: this.agents, sessions: this.sessions, inboxes: this.inboxes },
      ...{ transcript: this.transcript, ledger: this.ledger, disk: this.disk, peers: this.peerStore },
      onWorkChanged: (id) => this.woken.push(id),
      ask: (request) => this.approvals.requestApproval(request),
      onReleased: () => this.delivery.nudge(),
      now: () => this.now(),
    });
    onTestFinished(() => peers[Symbol.asyncDispose]());
    return peers;
  }

  makeDelivery(): Delivery {
    return new Delivery({
      home: this.home.home,
      sessions: this.sessions,
      inboxes: this.inboxes,
      reader: this.reader,
      transcript: this.transcript,
      authority: this.authority,
      desk: this.desk,
      questions: {
        findFlaw: (id, content, more) => this.questions.findFlaw(id, content, more),
        open: (where, content) => this.questions.open(where, content),
        refuseSend: (id) => this.questions.refuseSend(id),
        delivered: (id, state) => this.questions.delivered(id, state),
      },
      channels: this.channels,
      peers: this.peers,
      activity: this.activity,
      tellChat: (ref, about, key, text) =>
        about.channelType === AGENT_CHANNEL
          ? this.peers.tellGaveUp(about.id, text)
          : this.notices.tell(ref, about, key, text),
      endFiring: (id, end) => this.schedule.settle(id, end),
      quarantine: (id, reason) => {
        this.quarantined.push({ id, reason });
        this.sessions.setQuarantine(id, reason, this.now());
      },
      onLockHeld: (id) => this.locksHeld.push(id),
      onHotJournal: () => undefined,
      onWorkChanged: () => undefined,
      onQuiet: () => this.removals.ring(),
      now: () => this.now(),
      random: () => 0.5,
    });
  }

  makeSchedule(): Schedule {
    return new Schedule({
      home: this.home.home,
      tasks: this.tasks,
      firings: this.taskFirings,
      files: new TaskFiles(this.tasks, this.taskFirings),
      sessions: this.sessions,
      chats: this.chats,
      inboxes: this.inboxes,
      transcript: this.transcript,
      commit: (work) => this.commit(work),
      onWorkChanged: (id) => this.woken.push(id),
      clock: { now: () => this.clock.now(), at: (atMs, call) => this.clock.at(atMs, call) },
    });
  }

  makeQuestions(): Questions {
    const ends = new QuestionEnds(this.transcript, this.chats, this.channels, (card, hasButtons) =>
      this.approvals.renderCard(card, hasButtons),
    );
    return new Questions({
      questions: this.questionRows,
      sessions: this.sessions,
      chats: this.chats,
      wirings: this.wirings,
      users: this.users,
      transcript: this.transcript,
      ledger: this.ledger,
      inboxes: this.inboxes,
      onWorkChanged: (id) => this.woken.push(id),
      showEnd: (question, stop) => ends.show(question, stop),
      approvals: {
        mayDecide: (id, by) => this.approvals.mayDecide(id, by),
        decide: (id, given) => this.approvals.decide(id, given),
        codeOf: (id) => this.approvals.codeOf(id),
      },
      hasButtons: (type) => this.channels.get(type)?.abilities.canAsk ?? true,
      now: () => this.now(),
    });
  }

  makeApprovals(): Approvals {
    return new Approvals({
      approvals: this.approvalRows,
      questions: this.questionRows,
      users: this.users,
      chats: this.chats,
      sessions: this.sessions,
      transcript: this.transcript,
      ledger: this.ledger,
      asked: {
        delivered: (id, state) => this.questions.delivered(id, state),
        showAgain: (id) => this.questions.showAgain(id),
      },
      isConnected: (type) => this.channels.has(type),
      sendCard: (id) => this.notices.sendCard(id),
      agents: this.agents,
      policies: new ApprovalPolicyStore(this.db),
      voices: new ApprovalVoices(this.db),
      inboxes: this.inboxes,
      rules: () => this.approvalRules,
      onWorkChanged: (id) => void this.woken.push(id),
      onChanged: (id) => this.onApprovalChanged(id),
      now: () => this.now(),
    });
  }

  addChannel(type: string, idempotency: 'native' | 'probe' | 'none' = 'native'): FakeChannel {
    const channel = new FakeChannel(type, idempotency);
    this.channels.set(type, channel);
    return channel;
  }

  addAgent(name = 'main'): AgentGroup {
    return this.agents.create({ name, folder: name, now: this.now() });
  }

  /** A wired chat; its destination is named after it. */
  addChat(
    agent: AgentGroup,
    channelType: string,
    platformId: string,
    wiring: Partial<WiringSettings> = {},
  ): MessagingGroup {
    const chat = this.chats.ensure({ channelType, platformId, name: platformId, now: this.now() });
    this.wirings.create(chat.id, agent.id, { ...ALWAYS, ...wiring }, this.now());
    return chat;
  }

  event(chat: MessagingGroup, text: string, more: Partial<InboundEvent> = {}): InboundEvent {
    return {
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: null,
      senderId: `${chat.channelType}:someone` as UserId,
      senderName: 'Someone',
      text,
      files: [],
      isMention: false,
      isPrivate: false,
      platformMessageId: null,
      replyToPlatformId: null,
      clientId: null,
      receivedAt: stampNow(),
      ...more,
    };
  }

  /** Receives a message and returns its session, message id and a container for it. */
  async say(chat: MessagingGroup, text: string, more: Partial<InboundEvent> = {}) {
    const outcome = await this.router.receive(this.event(chat, text, more));
    if (outcome.kind !== 'routed') throw new Error(`dropped: ${outcome.reason}`);
    const routed = outcome.messages[0];
    if (routed === undefined) throw new Error('nobody heard it');
    const session = this.session(routed.sessionId);
    return { session, messageId: routed.messageId, paths: this.paths(session) };
  }

  session(id: string): Session {
    const session = this.sessions.get(id as Session['id']);
    if (session === null) throw new Error(`no session ${id}`);
    return session;
  }

  paths(session: Session): SessionPaths {
    return sessionPaths(this.home.home, session.agentGroupId, session.id);
  }

  container(paths: SessionPaths): ScriptedContainer {
    const container = new ScriptedContainer(paths);
    this.#containers.push(container);
    return container;
  }
}
