/** A session folder with real databases, and the real runner on it as a child process. The test plays the host. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type FSWatcher, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { makeId } from '../../shared/ids.ts';
import { MAX_BATCH, MAX_FILE_BYTES, MAX_FILES_PER_MESSAGE, MAX_TEXT_BYTES } from '../../shared/limits.ts';
import type { InboundContent, InboundKind } from '../../shared/messages.ts';
import { type Destination, PROTOCOL_VERSION, type SessionFile, type TaskView } from '../../shared/protocol.ts';
import { RUNNER_ENV, toolSocketPath, WRITER_PRAGMAS, workspaceFiles } from '../../shared/session-files.ts';
import { INBOUND_SCHEMA, OUTBOUND_SCHEMA } from '../../shared/session-schema.ts';

export const RUNNER = fileURLToPath(new URL('../../dist/runner.mjs', import.meta.url));

export const TERMINAL: Destination = {
  type: 'channel',
  name: 'terminal',
  formerNames: [],
  displayName: 'Terminal',
  channelType: 'terminal',
  platformId: 'owner',
  canEdit: true,
  canReact: true,
};
export const FAMILY: Destination = {
  type: 'channel',
  name: 'family',
  formerNames: [],
  displayName: 'The family',
  channelType: 'web',
  platformId: 'chat-family',
  canEdit: false,
  canReact: false,
};
export const RESEARCHER: Destination = {
  type: 'agent',
  name: 'researcher',
  formerNames: [],
  displayName: 'Researcher',
  agentGroupId: 'agt_researcher',
};

/** All that a program of an agent finds in its environment: where programs are, and the way out. */
export const PROGRAM_ENVIRONMENT: readonly string[] = [
  ...['HOME', 'HTTPS_PROXY', 'HTTP_PROXY', 'LANG', 'NODE_USE_ENV_PROXY', 'NO_PROXY', 'PATH', 'TZ'],
  ...['http_proxy', 'https_proxy', 'no_proxy'],
];

export interface NewInbound {
  text: string;
  kind?: InboundKind;
  from?: Destination | null;
  sender?: string;
  trigger?: boolean;
  onWake?: boolean;
  threadId?: string | null;
  processAfter?: number | null;
  inReplyTo?: string | null;
  sourceSessionId?: string | null;
  timestamp?: number;
  status?: 'pending' | 'done';
  event?: string;
  attachments?: InboundContent['attachments'];
  task?: InboundContent['task'];
  answer?: InboundContent['answer'];
  command?: InboundContent['command'];
}

/** What the host says to a request; null: nothing yet. */
export type Decide = (row: OutRow) => { state: 'delivered' | 'refused'; reason?: string } | null;

export interface OutRow {
  id: string;
  seq: number;
  in_reply_to: string | null;
  kind: string;
  destination: string | null;
  channel_type: string | null;
  platform_id: string | null;
  thread_id: string | null;
  trace_id: string | null;
  content: string;
}

export class SessionFixture implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'portolan-runner-'));
  readonly folders = {
    in: join(this.root, 'in'),
    out: join(this.root, 'out'),
    state: join(this.root, 'state'),
    agent: join(this.root, 'agent'),
  };
  readonly files = workspaceFiles(this.folders.in, this.folders.out);
  readonly inbound: Database.Database;
  #outbound: Database.Database | null = null;
  readonly sessionId = makeId('session');
  readonly #runners: Runner[] = [];
  readonly #desk: FSWatcher;
  /** How this host answers requests. */
  decide: Decide = () => ({ state: 'delivered' });

  constructor(
    options: {
      provider?: string;
      destinations?: Destination[];
      timezone?: string;
      maxBatch?: number;
      isAdmin?: boolean;
      mcpServers?: SessionFile['mcpServers'];
    } = {},
  ) {
    for (const folder of Object.values(this.folders)) mkdirSync(folder);
    this.inbound = createDatabase(this.files.inboundDb, INBOUND_SCHEMA);
    createDatabase(this.files.outboundDb, OUTBOUND_SCHEMA).close();
    for (const doorbell of [this.files.inDoorbell, this.files.outDoorbell]) writeFileSync(doorbell, '');
    this.writeChart(options.destinations ?? [TERMINAL]);
    this.writeSession({
      provider: options.provider ?? 'echo',
      ...(options.timezone ? { timezone: options.timezone } : {}),
      ...(options.maxBatch ? { maxBatch: options.maxBatch } : {}),
      isAdmin: options.isAdmin ?? false,
      mcpServers: options.mcpServers ?? [],
    });
    // Not the folder: what only reads touches the journal too, when it is root's, and would hear of itself for ever.
    this.#desk = watch(this.files.outDoorbell, () => this.answerRequests());
  }

  /** Answers the requests that have no answer, as `decide` says. */
  answerRequests(): void {
    const open = this.#try(() => this.rows().filter((row) => row.kind === 'request' && !this.deliveryOf(row.id)));
    for (const row of open ?? []) {
      const decision = this.decide(row);
      if (decision) this.putDelivery(row, decision.state, decision.reason);
    }
  }

  deliveryOf(id: string): string | null {
    const row = this.inbound
      .prepare<[string], { state: string }>('SELECT state FROM deliveries WHERE message_out_id = ?')
      .get(id);
    return row?.state ?? null;
  }

  /** Says what became of a row, as the host does. */
  putDelivery(row: Pick<OutRow, 'id' | 'seq'>, state: string, reason: string | null = null): void {
    this.inbound
      .prepare(
        `INSERT OR REPLACE INTO deliveries (message_out_id, seq, state, idempotency_key, reason, updated_at)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(row.id, row.seq, state, row.id, reason, Date.now());
    this.ring();
  }

  ring(): void {
    utimesSync(this.files.inDoorbell, new Date(), new Date());
  }

  get outbound(): Database.Database {
    this.#outbound ??= new Database(this.files.outboundDb, { readonly: true, timeout: 5_000 });
    return this.#outbound;
  }

  writeChart(destinations: Destination[]): void {
    replaceFile(this.files.chart, JSON.stringify({ version: 1, destinations }));
  }

  writeTasks(tasks: TaskView[]): void {
    replaceFile(this.files.tasks, JSON.stringify({ version: 1, tasks }));
  }

  writeSession(options: {
    provider: string;
    timezone?: string;
    maxBatch?: number;
    protocolVersion?: number;
    isAdmin?: boolean;
    mcpServers?: SessionFile['mcpServers'];
  }): void {
    replaceFile(
      this.files.session,
      JSON.stringify({
        ...sessionFile(options.provider, options.timezone),
        protocolVersion: options.protocolVersion ?? PROTOCOL_VERSION,
        isAdmin: options.isAdmin ?? false,
        mcpServers: options.mcpServers ?? [],
        sessionId: this.sessionId,
        limits: { ...sessionFile('').limits, maxBatch: options.maxBatch ?? MAX_BATCH },
      }),
    );
  }

  /** Ends a question as the host does. */
  answerQuestion(question: OutRow, choice: string | null, by = 'Tom'): string {
    const [id = ''] = this.receive({
      kind: 'system',
      event: choice === null ? 'question_expired' : 'question_answered',
      text: choice === null ? 'Nobody answered.' : `${by} chose: ${choice}`,
      sender: 'host',
      inReplyTo: question.id,
      answer: { questionId: question.id, choice, by },
    });
    return id;
  }

  /** Adds messages in one commit, as the host does. Returns their ids. */
  receive(...messages: NewInbound[]): string[] {
    const insert = this.inbound.prepare(
      `INSERT INTO messages_in (id, seq, kind, timestamp, status, process_after, trigger, on_wake, channel_type,
         platform_id, thread_id, sender_id, source_session_id, in_reply_to, trace_id, content)
       VALUES (@id, @seq, @kind, @timestamp, @status, @processAfter, @trigger, @onWake, @channelType,
         @platformId, @threadId, @senderId, @sourceSessionId, @inReplyTo, @traceId, @content)`,
    );
    const ids = this.inbound.transaction(() => messages.map((message) => this.#insert(insert, message)))();
    this.ring();
    return ids;
  }

  #insert(insert: Database.Statement, message: NewInbound): string {
    const id = makeId('message');
    const from = message.from === undefined ? TERMINAL : message.from;
    insert.run({
      id,
      seq: this.#nextEven(),
      kind: message.kind ?? 'chat',
      timestamp: message.timestamp ?? Date.now(),
      status: message.status ?? 'pending',
      processAfter: message.processAfter ?? null,
      trigger: message.trigger === false ? 0 : 1,
      onWake: message.onWake ? 1 : 0,
      channelType: from === null ? null : from.type === 'channel' ? from.channelType : 'agent',
      platformId: from === null ? null : from.type === 'channel' ? from.platformId : from.agentGroupId,
      threadId: message.threadId ?? null,
      senderId: 'web:owner',
      sourceSessionId: message.sourceSessionId ?? null,
      inReplyTo: message.inReplyTo ?? null,
      traceId: `trc_of_${id}`,
      content: JSON.stringify({
        text: message.text,
        senderName: message.sender ?? 'Anna',
        attachments: message.attachments ?? [],
        ...(message.event ? { event: message.event } : {}),
        ...(message.task ? { task: message.task } : {}),
        ...(message.answer ? { answer: message.answer } : {}),
        ...(message.command ? { command: message.command } : {}),
      }),
    });
    return id;
  }

  #nextEven(): number {
    const inside = this.inbound.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM messages_in').get();
    const outside = this.outbound.prepare<[], { seq: number | null }>('SELECT max(seq) AS seq FROM messages_out').get();
    const highest = Math.max(inside?.seq ?? 0, outside?.seq ?? 0);
    return highest % 2 === 0 ? highest + 2 : highest + 1;
  }

  rows(): OutRow[] {
    return this.outbound.prepare<[], OutRow>('SELECT * FROM messages_out ORDER BY seq').all();
  }

  /** Texts of the chat rows, as `name: text`. */
  texts(): string[] {
    return this.rows()
      .filter((row) => row.kind === 'chat')
      .map((row) => `${row.destination}: ${parseContent(row).text}`);
  }

  processing(id: string): { state: string; note: Record<string, unknown> } | null {
    const row = this.outbound
      .prepare<[string], { state: string; note: string }>('SELECT state, note FROM processing WHERE message_id = ?')
      .get(id);
    return row ? { state: row.state, note: JSON.parse(row.note) } : null;
  }

  runnerState(key: string): unknown {
    const row = this.outbound
      .prepare<[string], { value: string }>('SELECT value FROM runner_state WHERE key = ?')
      .get(key);
    return row ? JSON.parse(row.value) : null;
  }

  /** Whether all these messages are settled and the runner says that it is idle. */
  isSettled(...ids: string[]): boolean {
    const isEnded = (id: string) => ['done', 'failed'].includes(this.processing(id)?.state ?? '');
    return ids.every(isEnded) && this.runnerState('idle') !== null;
  }

  /** Resolves when `condition` holds; looks whenever the runner rings, and by itself. */
  async until<T>(condition: () => T | null | false | undefined, what: string, deadlineMs = 30_000): Promise<T> {
    const first = this.#try(condition);
    if (first) return first;
    return await new Promise<T>((resolve, reject) => {
      const end = (settle: () => void) => {
        watcher.close();
        clearInterval(poll);
        clearTimeout(deadline);
        settle();
      };
      const look = () => {
        try {
          const value = this.#try(condition);
          if (value) end(() => resolve(value));
        } catch (error) {
          end(() => reject(error));
        }
      };
      const watcher = watch(this.files.outDoorbell, look);
      const poll = setInterval(look, 50);
      const deadline = setTimeout(() => {
        const logs = this.#runners.map((runner) => runner.stderr).join('\n');
        end(() => reject(new Error(`not in ${deadlineMs} ms: ${what}\n${this.texts().join('\n')}\n${logs}`)));
      }, deadlineMs);
      look();
    });
  }

  #try<T>(condition: () => T): T | null {
    try {
      return condition();
    } catch (error) {
      // The runner is in mid-commit.
      if (error instanceof Database.SqliteError && /^SQLITE_(BUSY|READONLY_ROLLBACK)/.test(error.code)) return null;
      throw error;
    }
  }

  /** Sends messages and waits until they are settled. Returns the texts that came back. */
  async exchange(...messages: NewInbound[]): Promise<string[]> {
    const before = this.texts().length;
    const ids = this.receive(...messages);
    await this.until(() => this.isSettled(...ids), `${ids.length} messages settled`);
    return this.texts().slice(before);
  }

  start(env: Record<string, string> = {}): Runner {
    const runner = new Runner(this.folders, env);
    this.#runners.push(runner);
    return runner;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#desk.close();
    for (const runner of this.#runners) await runner.kill();
    this.inbound.close();
    this.#outbound?.close();
    // A runner that was killed leaves it.
    rmSync(toolSocketPath(this.sessionId), { force: true });
    rmSync(this.root, { recursive: true, force: true });
  }
}

export class Runner {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr = '';

  constructor(folders: SessionFixture['folders'], env: Record<string, string>) {
    this.child = spawn(process.execPath, [RUNNER], {
      env: {
        PATH: process.env.PATH,
        [RUNNER_ENV.in]: folders.in,
        [RUNNER_ENV.out]: folders.out,
        [RUNNER_ENV.state]: folders.state,
        [RUNNER_ENV.agent]: folders.agent,
        ...env,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    this.exited = new Promise((resolve) => this.child.once('close', resolve));
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return await this.exited;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

export function sessionFile(provider: string, timezone = 'Europe/Berlin'): SessionFile {
  return {
    protocolVersion: PROTOCOL_VERSION,
    sessionId: makeId('session'),
    agentGroupId: makeId('agentGroup'),
    agentName: 'main',
    isAdmin: false,
    provider,
    model: null,
    service: '',
    api: null,
    effort: null,
    timezone,
    mcpServers: [],
    packages: { apt: [], npm: [] },
    limits: {
      maxTextBytes: MAX_TEXT_BYTES,
      maxFileBytes: MAX_FILE_BYTES,
      maxFilesPerMessage: MAX_FILES_PER_MESSAGE,
      maxBatch: MAX_BATCH,
    },
  };
}

export function parseContent(row: OutRow): {
  text: string;
  attachments: { name: string }[];
  messageId: string;
  [key: string]: unknown;
} {
  return JSON.parse(row.content);
}

function createDatabase(path: string, schema: readonly string[]): Database.Database {
  const db = new Database(path, { timeout: 5_000 });
  for (const pragma of WRITER_PRAGMAS) db.pragma(pragma);
  db.transaction(() => {
    for (const statement of schema) db.exec(statement);
  })();
  return db;
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
