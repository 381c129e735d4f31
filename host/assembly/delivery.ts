/** What leaves the containers: to chats, to other agents, and to the desk that answers requests. */
import { AGENT_CHANNEL } from '../../shared/protocol.ts';
import { Authority } from '../delivery/authority.ts';
import { Delivery } from '../delivery/delivery.ts';
import type { Notices } from '../delivery/notices.ts';
import { Peers } from '../delivery/peers/apply.ts';
import { RequestDesk } from '../requests/desk.ts';
import { Doorbells } from '../sessions/doorbell.ts';
import type { WithAgents } from './agents.ts';
import type { Ground } from './ground.ts';

export type WithDelivery = WithAgents & ReturnType<typeof buildDelivery>;

export function buildDelivery({ closers, paths, stores, later, now }: Ground, built: WithAgents) {
  const { agents, chats, destinations, sessions, transcript, ledger, commit } = stores;
  const { reader, inboxes, disk, channels, tellChat, questions, approvals, activity } = built;
  const { taskRequests, endFiring, maker, self, accessRequests } = built;
  const peers = closers.use(
    new Peers({
      ...{ home: paths.home, agents, sessions, inboxes, transcript, ledger, disk, peers: stores.peers },
      onWorkChanged: (id) => later.life.workChanged(id),
      ask: (request) => approvals.requestApproval(request),
      onReleased: () => delivery.nudge(),
      now,
    }),
  );
  // Who wrote hears that it failed: an agent through its inbox, people in their chat.
  const tellFailed: Notices['tell'] = (ref, about, key, text) =>
    about.channelType === AGENT_CHANNEL ? peers.tellGaveUp(about.id, text) : tellChat(ref, about, key, text);
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
        commit,
        tasks: taskRequests,
        makeAgent: (asked) => maker.answer(asked),
        changeSelf: (asked) => self.answer(asked),
        askAccess: (asked) => accessRequests.answer(asked),
      }),
      quarantine: (id, reason) => later.life.quarantine(id, reason),
      onLockHeld: (id) => later.runtime.requestStop(id, 'holds-lock'),
      onHotJournal: (id) => later.runtime.reportHalfCommit(id),
      onWorkChanged: (id) => later.life.workChanged(id),
      onQuiet: (id) => {
        later.life.deliveryQuiet(id);
        later.removals.ring();
      },
      now,
      random: Math.random,
    }),
  );
  const doorbells = closers.use(new Doorbells((id) => delivery.ring(id)));
  return { peers, tellFailed, delivery, doorbells };
}
