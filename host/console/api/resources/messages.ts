/** Messages over the API: read a conversation, say something, follow a message's path, settle a delivery. */
import type { Context } from 'hono';
import { parseId, type UserId } from '../../../../shared/ids.ts';
import { stampNow } from '../../../../shared/trace.ts';
import { limitSight, type Sight, sees } from '../../../access/console.ts';
import { assertNever } from '../../../config/errors.ts';
import type { InboundFile, ReceiveOutcome } from '../../../routing/inbound.ts';
import type { Session } from '../../../store/sessions.ts';
import type { TranscriptMessage } from '../../../store/transcript.ts';
import { newApi } from '../api.ts';
import type { Env } from '../door.ts';
import { DEFAULT_PAGE, formMessage, messageBody } from '../inputs.ts';
import * as routes from '../message-routes.ts';
import type { ApiParts } from '../ports.ts';
import { OWN_CHANNELS, presentMessage, presentTrace } from '../present.ts';
import { presentUsage } from '../present-usage.ts';
import { badInput, notFound, Problem } from '../problem.ts';
import { subjectOfMessage } from '../subjects.ts';
import { readUpload } from '../uploads.ts';
import { readAnswer } from './approvals.ts';
import { answerFile } from './files.ts';
import { findSession } from './sessions.ts';

export function messageRoutes(parts: ApiParts) {
  const { transcript } = parts;
  return newApi()
    .openapi(routes.listMessages, (c) => {
      const session = findSession(parts, c.req.valid('param').id);
      const chat = session.messagingGroupId === null ? null : parts.chats.get(session.messagingGroupId);
      const sight = limitSight(c.var.standing, chat?.openedBy ?? null);
      return c.json(listPage(parts, session, c.req.valid('query'), sight), 200);
    })
    .openapi(routes.createMessage, async (c) => {
      const session = findSession(parts, c.req.valid('param').id);
      const { message, repeated } = await takeMessage(c, parts, session);
      return repeated ? c.json(presentMessage(message, parts), 200) : c.json(presentMessage(message, parts), 201);
    })
    .openapi(routes.getMessage, (c) => {
      return c.json(presentMessage(findMessage(parts, c.req.valid('param').id), parts), 200);
    })
    .openapi(routes.getTrace, (c) => {
      const message = findMessage(parts, c.req.valid('param').id);
      const replies = transcript.listReplies(message.id).filter((reply) => {
        const subject = subjectOfMessage(parts, reply);
        return subject !== null && sees(c.var.standing, subject);
      });
      return c.json(presentTrace(message, replies), 200);
    })
    .openapi(routes.resendMessage, async (c) => {
      const message = findMessage(parts, c.req.valid('param').id);
      const ref = findSession(parts, message.sessionId);
      if ((await parts.deliveries.resend(ref, message.id, c.var.userId)) === 'not-possible')
        throw notSettleable(message);
      return c.json(presentMessage(findMessage(parts, message.id), parts), 200);
    })
    .openapi(routes.dropMessage, async (c) => {
      const message = findMessage(parts, c.req.valid('param').id);
      const ref = findSession(parts, message.sessionId);
      if ((await parts.deliveries.drop(ref, message.id, c.var.userId)) === 'not-possible') throw notSettleable(message);
      return c.json(presentMessage(findMessage(parts, message.id), parts), 200);
    })
    .openapi(routes.answerMessage, (c) => {
      const message = findMessage(parts, c.req.valid('param').id);
      const { choice } = c.req.valid('json');
      readAnswer(parts.asked.answer(message.id, { choice, by: c.var.userId, from: null }));
      return c.json(presentMessage(findMessage(parts, message.id), parts), 200);
    })
    .openapi(routes.getMessageFile, (c) => {
      const { id, name } = c.req.valid('param');
      return answerFile(parts, findMessage(parts, id), name);
    });
}

/** Throws Problem 404. */
function findMessage({ transcript }: ApiParts, id: string): TranscriptMessage {
  const messageId = parseId('message', id);
  const message = messageId === null ? null : transcript.get(messageId);
  if (message === null) throw notFound('message');
  return message;
}

interface PageBounds {
  before?: number | undefined;
  after?: number | undefined;
  limit?: number | undefined;
}

/** Walking back, `nextCursor` is the next `before`; with `after`, it is the next `after`. */
function listPage(
  parts: ApiParts,
  session: Session,
  { before, after, limit = DEFAULT_PAGE }: PageBounds,
  sight: Sight | null,
) {
  const found = parts.transcript.listForSession(session, {
    limit: limit + 1,
    sight,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
  const isMore = found.length > limit;
  const forward = after !== undefined;
  const rows = forward ? found.slice(0, limit) : found.slice(-limit);
  const edge = forward ? rows.at(-1) : rows.at(0);
  const incoming = rows.flatMap(({ id, direction }) => (direction === 'in' ? [id] : []));
  const usage = presentUsage(incoming, parts);
  const items = rows.map((row) => presentMessage(row, parts, usage));
  return { items, nextCursor: isMore && edge !== undefined ? String(edge.position) : null };
}

interface Said {
  text: string;
  clientId: string | undefined;
  files: InboundFile[];
}

async function takeMessage(
  c: Context<Env>,
  parts: ApiParts,
  session: Session,
): Promise<{ message: TranscriptMessage; repeated: boolean }> {
  const receivedAt = stampNow();
  const chat = session.messagingGroupId === null ? null : parts.chats.get(session.messagingGroupId);
  if (chat === null || !OWN_CHANNELS.has(chat.channelType)) {
    throw new Problem(409, 'not_writable', 'Messages to this session come in through its own platform.', {
      expected: 'a session with "writable": true',
    });
  }
  const contentType = c.req.header('content-type') ?? '';
  const upload = /^multipart\/form-data\b/i.test(contentType) ? await readUpload(c.env.incoming, parts.uploads) : null;
  try {
    const said = upload === null ? parseJson(await c.req.json()) : parseForm(upload.fields, upload.files);
    const outcome = await parts.receive({
      channelType: chat.channelType,
      platformId: chat.platformId,
      threadId: session.threadId,
      senderId: c.var.userId,
      senderName: nameOf(parts, c.var.userId),
      text: said.text,
      files: said.files,
      isMention: true,
      isPrivate: true,
      platformMessageId: null,
      hostIsPlatform: true,
      replyToPlatformId: null,
      clientId: said.clientId ?? null,
      receivedAt,
    });
    return readOutcome(parts, session, outcome);
  } finally {
    await upload?.discard();
  }
}

function parseJson(body: unknown): Said {
  const parsed = messageBody.safeParse(body);
  if (!parsed.success) throw badInput(parsed.error, 'json');
  return { text: parsed.data.text, clientId: parsed.data.clientId, files: [] };
}

function parseForm(fields: ReadonlyMap<string, string>, files: InboundFile[]): Said {
  const parsed = formMessage.safeParse(Object.fromEntries(fields));
  if (!parsed.success) throw badInput(parsed.error, 'form');
  const { text, clientId } = parsed.data;
  if (text.trim() === '' && files.length === 0) {
    throw new Problem(400, 'bad_input', 'The message is empty.', { expected: 'some text, a file, or both' });
  }
  return { text, clientId, files };
}

function readOutcome(
  { transcript }: ApiParts,
  session: Session,
  outcome: ReceiveOutcome,
): { message: TranscriptMessage; repeated: boolean } {
  switch (outcome.kind) {
    case 'dropped':
      if (outcome.tell !== null) throw new Problem(409, outcome.reason, outcome.tell);
      throw new Problem(409, outcome.reason, 'No agent listens in this chat.', {
        next: 'check who listens in this chat: portolan wirings',
      });
    case 'answered':
      throw new Problem(409, outcome.reason, outcome.tell);
    case 'held':
      throw new Problem(409, outcome.reason, outcome.tell ?? 'The message waits until an admin lets its sender in.', {
        next: 'wait for the admin; do not send it again',
      });
    case 'routed': {
      const routed = outcome.messages.find((one) => one.sessionId === session.id) ?? outcome.messages[0];
      const message = routed === undefined ? null : transcript.get(routed.messageId);
      if (routed === undefined || message === null) throw new Error('a routed message is not in the transcript');
      return { message, repeated: routed.repeated };
    }
    default:
      return assertNever(outcome);
  }
}

function nameOf({ users }: ApiParts, userId: UserId): string {
  return users.get(userId)?.displayName ?? '';
}

function notSettleable(message: TranscriptMessage): Problem {
  return new Problem(409, 'not_settleable', `The message is ${message.state}.`, {
    expected: 'a delivery that is unknown or failed',
  });
}
