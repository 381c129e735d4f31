/** `/status`: what goes on where it is asked. Reads alone; a session that cannot be read is named, not skipped. */
import { modelServiceOf } from '../../../shared/providers.ts';
import { showSafely } from '../../approvals/show.ts';
import { Fault } from '../../config/errors.ts';
import { showPlain } from '../../questions/plan.ts';
import type { Session } from '../../store/sessions.ts';
import { MAX_LISTED } from '../limits.ts';
import { isAdminOf } from '../plan.ts';
import type { Call, CommandParts, Listener, LiveState, Reply } from '../ports.ts';
import { count, quote } from '../words.ts';
import { listDecidable } from './approvals.ts';

export function status(call: Call, parts: CommandParts): Reply {
  const lines = call.listeners.map(
    (one) => `- **${showSafely(one.agent.name)}**: ${describeListener(parts, one)}${describeMind(call, one)}`,
  );
  const head = lines.length === 0 ? ['No agent listens here.'] : [lines.join('\n')];
  return {
    kind: 'said',
    text: [...head, ...describeQuestions(call, parts), ...describeApprovals(call, parts)].join('\n\n'),
  };
}

function describeListener(parts: CommandParts, { session }: Listener): string {
  if (session === null) return 'listens; nobody has talked to it here yet';
  return `${describeState(parts.life.liveState(session))}; ${describeQueue(parts, session)}`;
}

/** For its admins; what an agent thinks with costs somebody money. */
function describeMind({ speaker }: Call, { agent }: Listener): string {
  if (!isAdminOf(speaker.roles, agent.id)) return '';
  const { provider, model, effort } = agent.config;
  const service = modelServiceOf(agent.config);
  const facts = [
    `thinks with ${provider}`,
    ...(model === null ? [] : [`model ${showModel(model)}`]),
    ...(service === null ? [] : [`through ${service}`]),
    ...(effort === null ? [] : [`effort ${effort}`]),
  ];
  return `; ${facts.join(', ')}`;
}

/** As it is typed, in a code span, where nothing in it is markup; a point in it would else be taken for a link. */
function showModel(model: string): string {
  return /^[\w./:@+-]{1,100}$/.test(model) ? `\`${model}\`` : showPlain(model);
}

function describeState({ state, reason }: LiveState): string {
  const because = reason === null ? '' : ` (${showPlain(reason)})`;
  switch (state) {
    case 'idle':
      return 'idle';
    case 'paused':
      return 'idle, its container sleeps';
    case 'starting':
      return 'starting';
    case 'running':
      return 'running';
    case 'stopping':
      return 'being stopped';
    case 'waiting':
      return `waiting${because}`;
    case 'failed':
      return `failed${because}`;
    case 'quarantined':
      return `set aside${because}; an admin can release it`;
  }
}

function describeQueue({ inboxes, now }: CommandParts, session: Session): string {
  try {
    const { open, due } = inboxes.read(session, (tables) => tables.work(now()));
    if (open === 0) return 'nothing waits for it';
    const later = open === due ? '' : `, ${open - due} of them for their time`;
    return `${count(open, 'message')} in its queue${later}`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.code === 'session_missing' ? 'nothing waits for it' : `its queue cannot be read: ${error.message}`;
  }
}

function describeQuestions({ chat, spoken }: Call, { questions }: CommandParts): string[] {
  if (chat === null) return [];
  const open = questions.listOpenIn(chat.id, spoken.threadId, MAX_LISTED).filter((one) => one.approvalId === null);
  if (open.length === 0) return [];
  const titles = open.map(({ title }) => `- ${quote(title)}`).join('\n');
  return [`${count(open.length, 'question waits', 'questions wait')} for an answer here:\n${titles}`];
}

/** Which ones is nobody's business but theirs who may decide: in a group they are counted. */
function describeApprovals({ speaker }: Call, { approvals }: CommandParts): string[] {
  const open = speaker.roles.length === 0 ? [] : listDecidable(approvals, speaker.id);
  if (open.length === 0) return [];
  const where = speaker.isPrivate ? '/approvals shows them.' : 'Write /approvals to me in a private chat to see them.';
  return [`${count(open.length, 'approval waits', 'approvals wait')} for your decision. ${where}`];
}
