/** A command and its answer as messages of a conversation. Pure but for the ids of traces. */
import { deriveMessageId, makeId } from '../../shared/ids.ts';
import { HOST_NAME } from '../questions/plan.ts';
import type { Session } from '../store/sessions.ts';
import type { NewTranscriptMessage } from '../store/transcript.ts';
import type { Call, Reply } from './ports.ts';
import { cutAnswer } from './words.ts';

/** `text`: null when nothing is to be said. What was passed to agents stands with them already. */
export function composeAnswer(
  call: Call,
  session: Session,
  reply: Reply,
  text: string | null,
  now: number,
): NewTranscriptMessage[] {
  const { spoken, chat } = call;
  const [passed] = reply.kind === 'passed' ? reply.messages : [];
  const place = {
    sessionId: passed?.sessionId ?? session.id,
    messagingGroupId: chat?.id ?? null,
    threadId: spoken.threadId,
    ...{ destination: null, attachments: [], stateReason: null, traceId: makeId('trace', now) },
    // What is passed on is before the agent, and part of what it was told.
    onlyFor: passed === undefined ? spoken.senderId : null,
  };
  const asked: NewTranscriptMessage = {
    ...{ ...place, id: call.id, direction: 'in', kind: 'chat', authorId: spoken.senderId },
    ...{ authorName: spoken.senderName, text: call.shownText, inReplyTo: null, state: 'answered' },
    platformMessageId: spoken.platformMessageId ?? (spoken.hostIsPlatform === true ? call.id : null),
    ...{ clientId: spoken.clientId, stamps: { received: spoken.receivedAt }, createdAt: Math.floor(spoken.receivedAt) },
  };
  const answer: NewTranscriptMessage[] =
    text === null
      ? []
      : [
          {
            ...{ ...place, id: deriveMessageId(call.id, 'answer'), direction: 'out', kind: 'system', authorId: null },
            ...{ authorName: HOST_NAME, text: cutAnswer(text), inReplyTo: passed?.messageId ?? call.id },
            ...{ state: 'queued', clientId: null, stamps: {}, createdAt: now },
          },
        ];
  return passed === undefined ? [asked, ...answer] : answer;
}
