/** What people are asked, by agents and by the host, and the signs that an agent is at work. */
import { Approvals } from '../approvals/apply.ts';
import { Activity } from '../delivery/activity.ts';
import { QuestionEnds } from '../delivery/question-ends.ts';
import { Questions } from '../questions/apply.ts';
import type { WithChannels } from './channels.ts';
import type { Ground } from './ground.ts';

export type WithAsking = WithChannels & ReturnType<typeof buildAsking>;

export function buildAsking(
  { closers, stores, later, now }: Ground,
  { inboxes, feed, channels, notices, tellChat }: WithChannels,
) {
  const { agents, chats, transcript } = stores;
  const ends = new QuestionEnds(transcript, chats, channels, (card, hasButtons) =>
    later.approvals.renderCard(card, hasButtons),
  );
  const questions = closers.use(
    new Questions({
      ...stores,
      inboxes,
      onWorkChanged: (id) => later.life.workChanged(id),
      showEnd: (question, stop) => ends.show(question, stop),
      approvals: {
        mayDecide: (id, by) => later.approvals.mayDecide(id, by),
        decide: (id, given) => later.approvals.decide(id, given),
        codeOf: (id) => later.approvals.codeOf(id),
      },
      // One that is not known decides nothing by text.
      hasButtons: (type) => channels.get(type)?.abilities.canAsk ?? true,
      now,
    }),
  );
  const approvals = closers.use(
    new Approvals({
      ...stores,
      approvals: stores.approvals,
      policies: stores.approvalPolicies,
      voices: stores.approvalVoices,
      inboxes,
      asked: questions,
      isConnected: (type) => channels.has(type),
      sendCard: (id) => notices.sendCard(id),
      rules: () => later.approvalRules,
      onWorkChanged: (id) => later.life.workChanged(id),
      onChanged: (id) => feed.tellApproval(id),
      now,
    }),
  );
  const activity = closers.use(
    new Activity({
      channels,
      transcript,
      tellChat,
      amendChat: (ref, about, key, text) => notices.amend(ref, about, key, text),
      timezoneOf: (ref) => agents.get(ref.agentGroupId)?.config.timezone ?? 'UTC',
      isRunning: (id) => later.life.isRunning(id),
      now,
    }),
  );
  return { questions, approvals, activity };
}
