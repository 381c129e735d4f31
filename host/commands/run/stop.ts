/**
 * `/stop`: ends what agents do here. What they were given in this chat before it ends as stopped and is not tried
 * again; what is written after it is read.
 *
 * I1. The rows end first and the container's run after, so that no ended claim goes back into the queue.
 * I2. Told twice, it ends nothing that came after it was first told: only what is older than the command.
 */

import { LONGEST_RETRY_MS } from '../../../shared/limits.ts';
import { showSafely } from '../../approvals/show.ts';
import { Fault } from '../../config/errors.ts';
import type { OpenInbound } from '../../sessions/inbox-tables.ts';
import type { Session } from '../../store/sessions.ts';
import { chooseListeners } from '../choose-agent.ts';
import type { Call, CommandParts, Listener, Reply } from '../ports.ts';

/** Rows ended in one commit. Higher: a longer stop of the host. Lower: more commits. */
const MAX_ENDED = 500;
/** States in which there is a run to end. */
const WITH_RUN: ReadonlySet<string> = new Set(['starting', 'running', 'paused', 'stopping']);

export async function stop(call: Call, parts: CommandParts): Promise<Reply> {
  const chosen = chooseListeners(call.rest, call.speaker, call.listeners, { name: 'stop', reach: 'own' });
  if (chosen.kind !== 'chosen') return chosen;
  const words: string[] = [];
  for (const listener of chosen.listeners) words.push(await stopOne(call, parts, listener));
  return { kind: 'said', text: words.join('\n\n') };
}

async function stopOne(call: Call, parts: CommandParts, { agent, session }: Listener): Promise<string> {
  const name = showSafely(agent.name);
  if (session === null) return `${name} does nothing here.`;
  try {
    const ended = await endRows(call, parts, session);
    if (ended.length === 0) return `${name} does nothing here just now.`;
    if (hasRunOf(parts, session, ended)) parts.life.endRun(session.id);
    parts.life.workChanged(session.id);
    const what = ended.length === 1 ? 'One message ends here and is' : `${ended.length} messages end here and are`;
    return `Stopped ${name}. ${what} not tried again; what you write next is read.`;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // Whatever holds its inbox, its container is what can be ended.
    parts.life.endRun(session.id);
    return `${name} is being ended, but its messages could not be: ${error.message}. Give /stop again in a moment.`;
  }
}

/** Those it was given here, oldest first, as they were. Throws Fault. */
async function endRows(call: Call, parts: CommandParts, session: Session): Promise<OpenInbound[]> {
  const { inboxes, transcript, endFiring, now } = parts;
  const reason = `stopped by ${showSafely(call.speaker.name) || call.speaker.id}`;
  const ended: OpenInbound[] = [];
  for (;;) {
    const at = now();
    // What waits longer than any retry does waits for something else.
    const open = inboxes.read(session, (tables) => tables.listOpen(MAX_ENDED, at + LONGEST_RETRY_MS));
    const mine = open.filter((row) => isGivenHere(row, call, at));
    if (mine.length === 0) return ended;
    // I1
    await inboxes.commit(session, (tables) => {
      for (const { id } of mine) tables.setStatus(id, 'failed');
    });
    for (const { id, kind } of mine) {
      transcript.change(id, { state: 'failed', stateReason: reason });
      if (kind === 'task') endFiring(id, { outcome: 'failed', note: reason });
    }
    ended.push(...mine);
    if (open.length < MAX_ENDED) return ended;
  }
}

/** Context is no work, and other agents' messages are theirs. Tasks that wait for their time go on waiting. */
function isGivenHere(row: OpenInbound, { spoken }: Call, now: number): boolean {
  const isHere = row.channelType === spoken.channelType && row.platformId === spoken.platformId;
  // I2
  if (!isHere || !row.trigger || row.timestamp > spoken.receivedAt) return false;
  return row.kind === 'chat' || row.tries > 0 || (row.processAfter ?? 0) <= now;
}

/** A run that other chats share is ended only for what it was seen to work on. */
function hasRunOf({ life, transcript }: CommandParts, session: Session, ended: readonly OpenInbound[]): boolean {
  if (!WITH_RUN.has(life.liveState(session).state)) return false;
  return session.messagingGroupId !== null || ended.some(({ id }) => transcript.peek(id)?.state === 'read');
}
