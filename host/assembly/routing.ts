/** Where what people write comes in: commands, messages, and what is late for an agent that leaves. */
import { Removals } from '../agents/removals.ts';
import { makeCommands } from '../commands/assemble.ts';
import { Router } from '../routing/apply.ts';
import type { Receive } from '../routing/inbound.ts';
import type { Ground } from './ground.ts';
import type { WithProber } from './prober.ts';
import type { WithRuntime } from './runtime.ts';

export type WithRouting = WithProber & ReturnType<typeof buildRouting>;

/** The router is closed by whoever starts it. */
export function buildRouting(ground: Ground, built: WithRuntime) {
  const { closers, paths, stores, metrics, now } = ground;
  const { agents, chats, sessions, transcript } = stores;
  const { inboxes, disk, live, notices, questions, approvals, endFiring, runtime, life } = built;
  const removals = closers.use(makeRemovals(ground, built));
  const commands = closers.use(
    makeCommands({
      ...{ ...stores, home: paths.home, inboxes, approvals, endFiring },
      ...{ usage: built.usage, spending: built.modelDoor.spending },
      life: {
        liveState: (session) => life.liveState(session),
        endRun: (id) => runtime.requestStop(id, 'requested'),
        workChanged: (id) => life.workChanged(id),
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
    onWired: live.rewriteCharts,
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
  return { removals, router, receive };
}

function makeRemovals({ stores, now }: Ground, built: WithRuntime): Removals {
  const { agents, chats, sessions, transcript, ledger, agentRoutes, commit } = stores;
  const { inboxes, feed, live, tellChat, questions, approvals, endFiring, folders, delivery, runtime, life } = built;
  return new Removals({
    ...{ agents, chats, sessions, routes: agentRoutes, ledger, inboxes, transcript, folders, delivery, endFiring },
    commitTogether: commit,
    tellChat,
    reconcile: (id) => runtime.reconcile(id),
    onDestinationsChanged: live.rewriteCharts,
    onAccessChanged: (id) => built.gateway.accessChanged(id),
    onWorkChanged: (id) => life.workChanged(id),
    withdrawApprovals: (id, why) => approvals.withdrawOf(id, why),
    onQuestionEnded: (id) => questions.showAgain(id),
    onSessionEnded: (id) => feed.tellSession(id),
    now,
  });
}
