/** What must hold when everything has come to its end: I8, I9, and that nothing is left half-done on the disk. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { errorCode } from '../../host/config/errors.ts';
import type { Hosted } from '../support/hosted/hosted.ts';
import { CHANNEL_OF, type Report } from '../support/hosted/protocol.ts';
import { findRunners } from '../support/hosted/runners.ts';
import type { Story } from './story.ts';

/** What the agent is told of a failed delivery comes after everything that people see. */
const AFTERMATH_MS = 60_000;

/** Every breach, in words, that a host in peace does not mend; empty when all is well. */
export async function findLastingBreaches(story: Story, hosted: Hosted, allowFailed = false): Promise<string[]> {
  const deadline = performance.now() + AFTERMATH_MS;
  for (;;) {
    const report = await story.untilQuiet(hosted);
    const breaches = findBreaches(story, report, allowFailed);
    if (breaches.length === 0 || performance.now() > deadline) return breaches;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function findBreaches(story: Story, report: Report, allowFailed: boolean): string[] {
  return [
    ...checkMessages(story, report, allowFailed),
    ...checkPlatform(story, report),
    ...checkOrder(story),
    ...checkRunners(story),
    ...(report.ledgerBreak === null ? [] : [`the ledger's chain is broken: ${JSON.stringify(report.ledgerBreak)}`]),
  ];
}

/** I8: each accepted message is answered, or its failure is visible. */
function checkMessages(story: Story, report: Report, allowFailed: boolean): string[] {
  const breaches: string[] = [];
  for (const { text, messageId } of story.written) {
    const rows = report.messages.filter((row) => row.direction === 'in' && row.text === text);
    if (rows.length !== 1) breaches.push(`${text}: shown ${rows.length} times`);
    const [row] = rows;
    if (row === undefined) continue;
    if (row.id !== messageId) breaches.push(`${text}: its id changed`);
    const replies = report.messages.filter((each) => each.direction === 'out' && each.inReplyTo === row.id);
    if (row.state === 'failed' && allowFailed) {
      const told = replies.some((each) => each.kind === 'system' && each.state === 'delivered');
      if (!told) breaches.push(`${text}: failed, and nobody was told`);
      continue;
    }
    if (row.state !== 'answered') breaches.push(`${text}: ended as ${row.state} (${row.stateReason ?? ''})`);
    const answers = replies.filter((each) => each.text === text);
    if (answers.length !== 1) breaches.push(`${text}: answered ${answers.length} times`);
  }
  return breaches;
}

/** I9: what people see on the platforms. */
function checkPlatform(story: Story, report: Report): string[] {
  const breaches: string[] = [];
  const unknownByChat = new Map<string, number>();
  for (const { text, chat } of story.written) {
    const posts = story.platform.posted.filter((posted) => posted.text === text);
    if (posts.length > 1)
      breaches.push(`${text}: seen ${posts.length} times on a platform of class ${chat.idempotency}`);
    const reply = report.messages.find((row) => row.direction === 'out' && row.text === text);
    if (reply?.state === 'unknown' && chat.idempotency === 'none') {
      unknownByChat.set(chat.platformId, (unknownByChat.get(chat.platformId) ?? 0) + 1);
    } else if (reply?.state === 'delivered') {
      if (posts.length === 0) breaches.push(`${text}: shown as delivered, and nobody saw it`);
    } else if (reply !== undefined) breaches.push(`${text}: its reply ended as ${reply.state} (${reply.stateReason})`);
    for (const post of posts) {
      if (post.platformId !== chat.platformId || post.channelType !== CHANNEL_OF[chat.idempotency])
        breaches.push(`${text}: posted in another chat`);
    }
  }
  // One death leaves at most one uncertainty in a conversation.
  for (const [chat, count] of unknownByChat) {
    if (count > story.kills) breaches.push(`${chat}: ${count} uncertainties after ${story.kills} deaths`);
  }
  return breaches;
}

/** Replies of one conversation stand in the order of what they answer. */
function checkOrder(story: Story): string[] {
  return readSessions(story).flatMap(({ name, inbound, outbound, problems }) => {
    const breaches = [...problems];
    const place = new Map(inbound.map((row, at) => [row.text, at]));
    const posted = story.platform.posted.filter(({ text }) => place.has(text)).map(({ text }) => text);
    const sorted = [...posted].sort((one, other) => (place.get(one) ?? 0) - (place.get(other) ?? 0));
    if (posted.join() !== sorted.join()) breaches.push(`${name}: posted out of order: ${posted.join(', ')}`);
    const texts = inbound.map(({ text }) => text);
    if (new Set(texts).size !== texts.length) breaches.push(`${name}: a message stands twice in inbound.db`);
    if (new Set(outbound).size !== outbound.length) breaches.push(`${name}: a reply stands twice in outbound.db`);
    return breaches;
  });
}

interface SessionFiles {
  name: string;
  inbound: { text: string }[];
  outbound: string[];
  problems: string[];
}

function readSessions(story: Story): SessionFiles[] {
  const root = join(story.home, 'sessions');
  const folders = readdirSync(root).flatMap((agent) =>
    readdirSync(join(root, agent)).map((id) => join(root, agent, id)),
  );
  return folders.map((folder) => {
    const problems: string[] = [];
    const inbound = new Database(join(folder, 'in', 'inbound.db'), { readonly: true, timeout: 5_000 });
    const outbound = new Database(join(folder, 'out', 'outbound.db'), { readonly: true, timeout: 5_000 });
    try {
      for (const db of [inbound, outbound]) {
        const health = db.pragma('integrity_check', { simple: true });
        if (health !== 'ok') problems.push(`${db.name}: ${String(health)}`);
      }
      const open = inbound.prepare(`SELECT count(*) FROM messages_in WHERE status = 'pending'`).pluck().get();
      if (open !== 0) problems.push(`${folder}: ${String(open)} messages are still pending`);
      const unsettled = inbound.prepare(`SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending')`);
      if (unsettled.pluck().get() !== 0) problems.push(`${folder}: a delivery is still open`);
      return {
        name: folder.slice(story.home.length),
        problems,
        inbound: inbound
          .prepare<[], { text: string }>(`SELECT content ->> 'text' AS text FROM messages_in ORDER BY seq`)
          .all(),
        outbound: outbound.prepare<[], string>(`SELECT content ->> 'text' FROM messages_out`).pluck().all() as string[],
      };
    } finally {
      inbound.close();
      outbound.close();
    }
  });
}

/** No session has two runners, and none has one that its host does not know. */
function checkRunners(story: Story): string[] {
  const folder = join(story.home, 'processes');
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
  const known = new Set(names.flatMap((name) => readRecord(join(folder, name))?.process?.pid ?? []));
  const runners = findRunners(story.home);
  return runners.flatMap(({ pid, out }) => [
    ...(known.has(pid) ? [] : [`a runner that no host knows: ${out}`]),
    ...(runners.some((other) => other.out === out && other.pid !== pid) ? [`two runners at once: ${out}`] : []),
  ]);
}

/** Null: a container that has stopped meanwhile has none. */
function readRecord(path: string): z.infer<typeof recordSchema> | null {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return null;
  }
}

const recordSchema = z.object({ process: z.object({ pid: z.number() }).nullable() });
