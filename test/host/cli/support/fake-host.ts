/**
 * A host's API in memory, over a real Unix socket: what the command line may rely on, and nothing else.
 * Every answer passes the schema of its route, so that this cannot drift from the real one unnoticed.
 */
import { rmSync } from 'node:fs';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import { onTestFinished } from 'vitest';
import type { HomePaths } from '../../../../host/config/home.ts';
import * as schemas from '../../../../host/console/api/schemas.ts';
import { makeId } from '../../../../shared/ids.ts';
import { PROTOCOL_VERSION } from '../../../../shared/protocol.ts';

type Agent = schemas.Agent;
type Session = schemas.Session;
type Message = schemas.Message;

interface Reader {
  after: number;
  wake: () => void;
  isClosed: boolean;
  cut: () => void;
}

export class FakeHost {
  readonly agents: Agent[] = [];
  readonly sessions: Session[] = [];
  readonly messages: Message[] = [];
  readonly files = new Map<string, Buffer>();
  readonly requests: string[] = [];
  dropped: schemas.Dropped[] = [];
  trace: Pick<schemas.Trace, 'stages' | 'replies'> = { stages: [], replies: [] };
  engine = { ok: true, detail: null as string | null };
  /** What happens when somebody posts; the agent of the test. */
  onPosted: (message: Message) => void = () => {};
  /** Answers the next post with this status after committing it, as a crash between both would. */
  failNextPostAfterCommit = false;
  readonly #paths: HomePaths;
  readonly #byClientId = new Map<string, Message>();
  readonly #readers = new Set<Reader>();
  #server: ServerType | null = null;
  #revision = 0;

  private constructor(paths: HomePaths) {
    this.#paths = paths;
    onTestFinished(() => this.stop());
  }

  static async start(paths: HomePaths): Promise<FakeHost> {
    const host = new FakeHost(paths);
    await host.listen();
    return host;
  }

  async listen(): Promise<void> {
    const server = createAdaptorServer({ fetch: this.#app().fetch });
    rmSync(this.#paths.socket, { force: true });
    await new Promise<void>((resolve) => server.listen(this.#paths.socket, resolve));
    this.#server = server;
  }

  /** Ends every connection, as a crash does; memory stays, as a database would. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    for (const reader of this.#readers) reader.cut();
    if ('closeAllConnections' in server) server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Cuts the event streams; the host goes on. */
  cutStreams(): void {
    for (const reader of this.#readers) reader.cut();
  }

  get readers(): number {
    return this.#readers.size;
  }

  addAgent(name: string): Agent {
    const agent: Agent = {
      id: makeId('agentGroup'),
      name,
      folder: name,
      isAdmin: false,
      provider: 'demo',
      model: null,
      service: null,
      effort: null,
      timezone: 'Europe/Berlin',
      revision: 1,
      createdAt: Date.now(),
      removedAt: null,
    };
    this.agents.push(agent);
    return agent;
  }

  vault: schemas.VaultStatus = { state: 'open', keyId: '0123456789abcdef', source: 'file', why: null, next: null };
  gateway = { sockets: 0, missing: 0, connections: 0, open: 0, unrecorded: 0 };
  queue = { waiting: 0, deliveries: 0, overdue: 0 };

  addSession(agent: Agent, change: Partial<Session> = {}): Session {
    const session: Session = {
      id: makeId('session'),
      agentId: agent.id,
      agentName: agent.name,
      provider: 'demo',
      model: null,
      chatId: makeId('messagingGroup'),
      channelType: 'terminal',
      title: null,
      threadId: null,
      state: 'idle',
      stateReason: null,
      triesAgainAt: null,
      typing: false,
      unread: 0,
      lastMessage: null,
      writable: true,
      lastActiveAt: Date.now(),
      createdAt: Date.now(),
      revision: 1,
      ...change,
    };
    this.sessions.push(session);
    return session;
  }

  addMessage(session: Session, change: Partial<Message>): Message {
    const isOut = change.direction === 'out';
    const message: Message = {
      id: makeId('message'),
      position: this.messages.length + 1,
      revision: ++this.#revision,
      sessionId: session.id,
      chatId: session.chatId,
      threadId: null,
      direction: 'in',
      kind: 'chat',
      author: { id: null, name: isOut ? session.agentName : 'Owner' },
      destination: isOut ? 'here' : null,
      text: '',
      attachments: [],
      inReplyTo: null,
      state: isOut ? 'delivered' : 'queued',
      stateReason: null,
      clientId: null,
      reactions: [],
      traceId: makeId('trace'),
      createdAt: Date.now(),
      editedAt: null,
      question: null,
      usage: null,
      ...change,
    };
    this.messages.push(message);
    this.#wakeReaders();
    return message;
  }

  /** What became of a message: a new revision, told to who listens. */
  change(message: Message, change: Partial<Message>): void {
    const found = this.messages.find((known) => known.id === message.id);
    if (found === undefined) throw new Error(`no message ${message.id}`);
    Object.assign(found, change, { revision: ++this.#revision });
    this.#wakeReaders();
  }

  /** The whole of a turn: read, one reply, answered. */
  reply(to: Message, text: string, change: Partial<Message> = {}): Message {
    const session = this.sessions.find((known) => known.id === to.sessionId);
    if (session === undefined) throw new Error(`no session ${to.sessionId}`);
    this.change(to, { state: 'read' });
    const reply = this.addMessage(session, { direction: 'out', text, inReplyTo: to.id, ...change });
    this.change(to, { state: 'answered' });
    return reply;
  }

  #wakeReaders(): void {
    for (const reader of this.#readers) reader.wake();
  }

  #app(): Hono {
    const app = new Hono();
    const api = new Hono();
    const problem = (code: string, message: string, next?: string): schemas.ErrorBody =>
      schemas.errorSchema.parse({ error: { code, message, expected: 'something that exists', next } });
    const page = <T>(items: T[], cursor: string | undefined, limit: string | undefined) => {
      const from = Number(cursor ?? 0);
      const to = from + Number(limit ?? 50);
      return { items: items.slice(from, to), nextCursor: to < items.length ? String(to) : null };
    };
    api.use(async (context, next) => {
      this.requests.push(`${context.req.method} ${context.req.path}`);
      await next();
    });
    api.get('/status', (context) =>
      context.json(
        schemas.statusSchema.parse({
          version: '0.1.0',
          protocolVersion: PROTOCOL_VERSION,
          installId: makeId('install'),
          pid: process.pid,
          home: this.#paths.home,
          startedAt: Date.now() - 90_000,
          driver: 'docker',
          engine: this.engine,
          sessions: { running: 2, paused: 0, idle: 3, failed: 1, quarantined: 0 },
          queue: this.queue,
          memoryBytes: 80 * 1024 * 1024,
          gateway: this.gateway,
          vault: this.vault,
        }),
      ),
    );
    api.get('/agents', (context) => {
      const { cursor, limit } = context.req.query();
      return context.json(schemas.pageOf(schemas.agentSchema).parse(page(this.agents, cursor, limit)));
    });
    api.get('/refusals', (context) => context.json({ items: [], nextCursor: null }));
    api.get('/dropped', (context) => context.json({ items: this.dropped, nextCursor: null }));
    api.get('/sessions', (context) => {
      const { cursor, limit, agent, state } = context.req.query();
      const items = this.sessions.filter(
        (session) =>
          (agent === undefined || session.agentId === agent) && (state === undefined || session.state === state),
      );
      return context.json(schemas.pageOf(schemas.sessionSchema).parse(page(items, cursor, limit)));
    });
    api.post('/sessions', async (context) => {
      const { agentId, channel } = await context.req.json();
      const agent = this.agents.find(({ id }) => id === agentId);
      if (agent === undefined || channel !== 'terminal')
        return context.json(problem('bad_input', 'No such agent.'), 400);
      const known = this.sessions.find((session) => session.agentId === agentId && session.channelType === 'terminal');
      return context.json(
        schemas.sessionSchema.parse(known ?? this.addSession(agent)),
        known === undefined ? 201 : 200,
      );
    });
    api.get('/sessions/:id', (context) => {
      const session = this.sessions.find(({ id }) => id === context.req.param('id'));
      return session === undefined
        ? context.json(problem('not_found', 'There is no such session.', 'portolan sessions'), 404)
        : context.json(schemas.sessionSchema.parse(session));
    });
    api.post('/sessions/:id/release', (context) => {
      const session = this.sessions.find(({ id }) => id === context.req.param('id'));
      if (session?.state !== 'quarantined') return context.json(problem('not_held', 'The session is not held.'), 409);
      session.state = 'idle';
      return context.json(schemas.sessionSchema.parse(session));
    });
    api.put('/sessions/:id/read', (context) => context.body(null, 204));
    api.get('/sessions/:id/messages', (context) => {
      const { after, limit = '50' } = context.req.query();
      const all = this.messages.filter((message) => message.sessionId === context.req.param('id'));
      const items =
        after === undefined
          ? all.slice(-Number(limit))
          : all.filter((message) => message.position > Number(after)).slice(0, Number(limit));
      return context.json(schemas.pageOf(schemas.messageSchema).parse({ items, nextCursor: null }));
    });
    api.post('/sessions/:id/messages', async (context) => {
      const session = this.sessions.find(({ id }) => id === context.req.param('id'));
      if (session === undefined) return context.json(problem('not_found', 'There is no such session.'), 404);
      const isForm = context.req.header('content-type')?.startsWith('multipart/') === true;
      const form = isForm ? await context.req.formData() : null;
      const { text, clientId } = form === null ? await context.req.json() : Object.fromEntries(form.entries());
      const before = this.#byClientId.get(clientId);
      if (before !== undefined) return context.json(schemas.messageSchema.parse(before), 200);
      const files = form === null ? [] : form.getAll('file').filter((entry) => entry instanceof File);
      const message = this.addMessage(session, {
        text,
        attachments: files.map((file) => ({
          name: file.name,
          sizeBytes: file.size,
          contentType: file.type,
          url: '/',
          isKept: true,
        })),
      });
      for (const file of files) this.files.set(`${message.id}/${file.name}`, Buffer.from(await file.arrayBuffer()));
      this.#byClientId.set(clientId, message);
      const answer = schemas.messageSchema.parse(message);
      this.onPosted(message);
      if (this.failNextPostAfterCommit) {
        this.failNextPostAfterCommit = false;
        await this.stop();
      }
      return context.json(answer, 201);
    });
    api.get('/messages/:id', (context) => {
      const message = this.messages.find(({ id }) => id === context.req.param('id'));
      return message === undefined
        ? context.json(problem('not_found', 'There is no such message.'), 404)
        : context.json(schemas.messageSchema.parse(message));
    });
    api.get('/messages/:id/trace', (context) => {
      const message = this.messages.find(({ id }) => id === context.req.param('id'));
      if (message === undefined) return context.json(problem('not_found', 'There is no such message.'), 404);
      const { id, traceId } = message;
      return context.json(schemas.traceSchema.parse({ id, traceId, ...this.trace }));
    });
    api.get('/messages/:id/files/:name', (context) => {
      const content = this.files.get(`${context.req.param('id')}/${context.req.param('name')}`);
      if (content === undefined) return context.json(problem('not_found', 'There is no such file.'), 404);
      return context.body(new Uint8Array(content));
    });
    api.post('/sign-in-links', (context) =>
      context.json(
        schemas.signInLinkSchema.parse({ url: 'http://127.0.0.1:4180/#token=abc', expiresAt: Date.now() + 600_000 }),
        201,
      ),
    );
    api.post('/shutdown', (context) => {
      setImmediate(() => void this.stop());
      return context.json({ stopping: true }, 202);
    });
    api.get('/events', (context) => {
      const sessionId = context.req.query('session');
      const resumed = context.req.header('last-event-id');
      return streamSSE(context, async (stream) => {
        const reader: Reader = {
          after: resumed === undefined ? this.#revision : Number(resumed),
          wake: () => {},
          isClosed: false,
          cut: () => {
            reader.isClosed = true;
            reader.wake();
          },
        };
        this.#readers.add(reader);
        stream.onAbort(reader.cut);
        if (resumed === undefined) {
          await stream.writeSSE({
            event: 'ready',
            data: JSON.stringify({ revision: reader.after }),
            id: String(reader.after),
          });
        }
        while (!reader.isClosed) {
          const news = this.messages
            .filter(({ revision }) => revision > reader.after)
            .sort((a, b) => a.revision - b.revision)
            .filter((message) => sessionId === undefined || message.sessionId === sessionId);
          for (const message of news) {
            reader.after = message.revision;
            const data = JSON.stringify(schemas.messageSchema.parse(message));
            await stream.writeSSE({ event: 'message', data, id: String(message.revision) });
          }
          if (news.length > 0) continue;
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
            if (reader.isClosed) resolve();
          });
        }
        this.#readers.delete(reader);
      });
    });
    app.route('/api/v1', api);
    return app;
  }
}
