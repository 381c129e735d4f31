/**
 * `/clear` and `/compact`: the commands that agents' runners carry out. Their rows carry the word for it, which is
 * all that a runner looks at; the runner answers in the chat when it is done, after what was said before.
 */

import { deriveMessageId, makeId } from '../../../shared/ids.ts';
import { showSafely } from '../../approvals/show.ts';
import { Fault } from '../../config/errors.ts';
import { openSession } from '../../sessions/ensure-session.ts';
import type { Session } from '../../store/sessions.ts';
import { chooseListeners, type Reach } from '../choose-agent.ts';
import type { Call, CommandMessage, CommandParts, LiveState, Reply } from '../ports.ts';

/** Longest name that the runner's schema takes. */
const MAX_SENDER_NAME = 200;

interface Work {
  command: 'clear' | 'compact';
  reach: Reach;
  /** What was not done: `writer was not <done>`. */
  done: string;
  /** What a runner that cannot work now does first, when it can. */
  later: string;
}

const CLEAR: Work = {
  ...{ command: 'clear', reach: 'own', done: 'cleared' },
  later: 'It starts afresh before it answers anything new.',
};
const COMPACT: Work = {
  ...{ command: 'compact', reach: 'heard', done: 'compacted' },
  later: 'It does so before it answers anything new.',
};

/** Forgets the conversation. */
export function clear(call: Call, parts: CommandParts): Promise<Reply> {
  return pass(call, parts, CLEAR);
}

/** Has what was said made into a summary, which costs less to go on from. */
export function compact(call: Call, parts: CommandParts): Promise<Reply> {
  return pass(call, parts, COMPACT);
}

async function pass(call: Call, parts: CommandParts, work: Work): Promise<Reply> {
  const { command, reach, done, later } = work;
  const chosen = chooseListeners(call.rest, call.speaker, call.listeners, { name: command, reach });
  if (chosen.kind !== 'chosen') return chosen;
  const messages: CommandMessage[] = [];
  const words: string[] = [];
  for (const { agent, session } of chosen.listeners) {
    const name = showSafely(agent.name);
    if (session === null) {
      words.push(`${name} has no conversation here that could be ${done}.`);
      continue;
    }
    try {
      messages.push(await putRow(call, parts, session, command));
      words.push(...describeWait(name, parts.life.liveState(session), later));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      words.push(`${name} was not ${done}: ${error.message}. Try again in a moment.`);
    }
  }
  if (messages.length === 0) return { kind: 'said', text: words.join('\n\n') };
  return { kind: 'passed', messages, text: words.length === 0 ? null : words.join('\n\n') };
}

/** Throws Fault: then nothing was put. */
async function putRow(
  call: Call,
  parts: CommandParts,
  session: Session,
  command: Work['command'],
): Promise<CommandMessage> {
  const { spoken, chat, shownText } = call;
  const { inboxes, transcript, life, now } = parts;
  const messageId = deriveMessageId(call.id, session.id);
  const traceId = makeId('trace', now());
  const timestamp = Math.floor(spoken.receivedAt);
  openSession(parts, session, now());
  const added = await inboxes.commit(session, (tables) =>
    tables.append([
      {
        ...{ id: messageId, kind: 'chat', timestamp, processAfter: null, trigger: true, onWake: false },
        ...{ channelType: spoken.channelType, platformId: spoken.platformId, threadId: spoken.threadId },
        ...{ senderId: spoken.senderId, sourceSessionId: null, inReplyTo: null, hop: 0, traceId },
        content: JSON.stringify({
          text: shownText,
          senderName: spoken.senderName.slice(0, MAX_SENDER_NAME),
          attachments: [],
          command,
        }),
      },
    ]),
  );
  transcript.put({
    ...{ id: messageId, sessionId: session.id, messagingGroupId: chat?.id ?? null, threadId: spoken.threadId },
    ...{ direction: 'in', kind: 'chat', authorId: spoken.senderId, authorName: spoken.senderName, destination: null },
    ...{ text: shownText, attachments: [], inReplyTo: null, state: 'queued', stateReason: null },
    platformMessageId: spoken.platformMessageId ?? (spoken.hostIsPlatform === true ? messageId : null),
    ...{ clientId: spoken.clientId, traceId, stamps: { received: spoken.receivedAt }, createdAt: timestamp },
  });
  life.workChanged(session.id);
  return { sessionId: session.id, messageId, engaged: true, repeated: added === 0 };
}

/** Where it takes longer than a moment, the person is not left to wonder. */
function describeWait(name: string, { state, reason }: LiveState, later: string): string[] {
  if (state !== 'quarantined' && state !== 'failed' && state !== 'waiting') return [];
  return [`${name} cannot work now (${reason ?? state}). ${later}`];
}
