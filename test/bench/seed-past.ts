/** A long past for one session: in both of its databases and in the transcript, by the same schema and types. */
import Database from 'better-sqlite3';
import { createSessionFolder, hostContainerUser } from '../../host/sessions/folder.ts';
import { makeId } from '../../shared/ids.ts';
import { sessionPaths, WRITER_PRAGMAS } from '../../shared/session-files.ts';
import type { BenchHost, Conversation } from './bench-host.ts';

const TEXT = 'What was said long ago, at about the length that people write in chats: one sentence, sometimes two.';
const AGENT_TEXT = `${TEXT} ${TEXT}`;

/** `count` messages in all: half of them questions, half answers. The session must not have been woken yet. */
export function seedPast(host: BenchHost, conversation: Conversation, count: number): void {
  const { sessions, transcript } = host.stores;
  const { chat, agent } = conversation;
  const key = { agentGroupId: agent.id, messagingGroupId: chat.id, threadId: null };
  const session = sessions.create(key, chat.name, Date.now());
  const paths = sessionPaths(host.home, agent.id, session.id);
  createSessionFolder(paths, hostContainerUser(session));
  using inbound = openWriter(paths.inboundDb);
  using outbound = openWriter(paths.outboundDb);
  const put = {
    asked: inbound.db.prepare(
      `INSERT INTO messages_in (id, seq, kind, timestamp, status, trigger, channel_type, platform_id, sender_id, trace_id, content)
       VALUES (?, ?, 'chat', ?, 'done', 1, ?, ?, 'web:owner', ?, ?)`,
    ),
    delivery: inbound.db.prepare(
      `INSERT INTO deliveries (message_out_id, seq, state, attempts, idempotency_key, updated_at)
       VALUES (?, ?, 'delivered', 1, ?, ?)`,
    ),
    answer: outbound.db.prepare(
      `INSERT INTO messages_out (id, seq, in_reply_to, timestamp, kind, destination, channel_type, platform_id, trace_id, content)
       VALUES (?, ?, ?, ?, 'chat', ?, ?, ?, ?, ?)`,
    ),
    processing: outbound.db.prepare(
      `INSERT INTO processing (message_id, state, changed_at, note) VALUES (?, 'done', ?, ?)`,
    ),
  };
  const startedAt = Date.now() - count * 60_000;
  const pairs = Math.floor(count / 2);
  for (const db of [inbound.db, outbound.db]) db.exec('BEGIN');
  for (let pair = 0; pair < pairs; pair++) {
    const at = startedAt + pair * 120_000;
    const [askedId, answerId, traceId] = [makeId('message', at), makeId('message', at + 1), makeId('trace', at)];
    const [askedSeq, answerSeq] = [pair * 2 + 2, pair * 2 + 3];
    const route = [chat.channelType, chat.platformId] as const;
    put.asked.run(askedId, askedSeq, at, ...route, traceId, content(TEXT, 'Owner'));
    put.answer.run(answerId, answerSeq, askedId, at + 1, chat.name, ...route, traceId, content(AGENT_TEXT));
    put.processing.run(askedId, at + 1, JSON.stringify({ tries: 0, claimed: at, row_committed: at + 1 }));
    put.delivery.run(answerId, answerSeq, answerId, at + 2);
    const common = { sessionId: session.id, messagingGroupId: chat.id, threadId: null, kind: 'chat', attachments: [] };
    const shared = { ...common, kind: 'chat' as const, stateReason: null, clientId: null, traceId };
    transcript.put({
      ...shared,
      id: askedId,
      direction: 'in',
      authorId: 'web:owner',
      authorName: 'Owner',
      destination: null,
      text: TEXT,
      inReplyTo: null,
      state: 'answered',
      stamps: { received: at, committed: at + 1 },
      createdAt: at,
    });
    transcript.put({
      ...shared,
      id: answerId,
      direction: 'out',
      authorId: agent.id,
      authorName: agent.name,
      destination: chat.name,
      text: AGENT_TEXT,
      inReplyTo: askedId,
      state: 'delivered',
      stamps: { read: at + 1, sent: at + 2 },
      createdAt: at + 1,
    });
  }
  for (const db of [inbound.db, outbound.db]) db.exec('COMMIT');
  transcript.flush();
}

function content(text: string, senderName?: string): string {
  return JSON.stringify({ text, ...(senderName === undefined ? {} : { senderName }), attachments: [] });
}

function openWriter(path: string): Disposable & { db: Database.Database } {
  const db = new Database(path, { fileMustExist: true });
  for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
  return {
    db,
    [Symbol.dispose]() {
      db.close();
    },
  };
}
