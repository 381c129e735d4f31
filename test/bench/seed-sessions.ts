/** Many sessions that have had a short talk: through the stores, and with folders like those the host makes. */
import { chownSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { prepareHome, projectRoot } from '../../host/config/home.ts';
import { createSessionFolder, hostContainerUser } from '../../host/sessions/folder.ts';
import { AgentStore } from '../../host/store/agents.ts';
import { ChatStore } from '../../host/store/chats.ts';
import { openCentralDb } from '../../host/store/database.ts';
import { type Session, SessionStore } from '../../host/store/sessions.ts';
import { Transcript } from '../../host/store/transcript.ts';
import { WiringStore } from '../../host/store/wirings.ts';
import { type AgentGroupId, makeId } from '../../shared/ids.ts';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';

const SESSIONS_PER_AGENT = 500;
const TELL_EVERY = 2_500;

export function seedSessions(home: string, count: number, tell: (made: number) => void): void {
  const paths = prepareHome(home);
  const db = openCentralDb(paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  const transcript = new Transcript(db);
  const stores = {
    agents: new AgentStore(db),
    chats: new ChatStore(db),
    wirings: new WiringStore(db),
    sessions: new SessionStore(db),
    transcript,
  };
  let model: SessionPaths | null = null;
  try {
    for (let made = 0; made < count; made += SESSIONS_PER_AGENT) {
      const agent = stores.agents.create({ name: `agent-${made}`, folder: `agent-${made}`, now: Date.now() });
      const sessions = db.transaction(() =>
        Array.from({ length: Math.min(SESSIONS_PER_AGENT, count - made) }, (_, at) =>
          seedSession(stores, agent.id, made + at),
        ),
      )();
      transcript.flush();
      for (const session of sessions) model = makeFolder(home, session, model);
      const total = made + sessions.length;
      if (total % TELL_EVERY === 0) tell(total);
    }
  } finally {
    db.close();
  }
}

interface Stores {
  chats: ChatStore;
  wirings: WiringStore;
  sessions: SessionStore;
  transcript: Transcript;
}

function seedSession({ chats, wirings, sessions, transcript }: Stores, agentId: AgentGroupId, number: number): Session {
  const now = Date.now() - number * 1_000;
  const name = `chat ${number}`;
  const chat = chats.ensure({ channelType: 'web', platformId: `seeded-${number}`, name, now });
  wirings.create(chat.id, agentId, ALWAYS_LISTENS, now);
  const session = sessions.create({ agentGroupId: agentId, messagingGroupId: chat.id, threadId: null }, name, now);
  for (const direction of ['in', 'out'] as const) {
    transcript.put({
      id: makeId('message', now),
      sessionId: session.id,
      messagingGroupId: chat.id,
      threadId: null,
      direction,
      kind: 'chat',
      authorId: direction === 'in' ? 'web:owner' : agentId,
      authorName: '',
      destination: null,
      text: 'One of two messages of a short talk.',
      attachments: [],
      inReplyTo: null,
      state: direction === 'in' ? 'answered' : 'delivered',
      stateReason: null,
      clientId: null,
      traceId: makeId('trace', now),
      stamps: {},
      createdAt: now,
    });
  }
  return session;
}

/** The first folder is made as the host makes it; the others are copies with the owners that the host would give. */
function makeFolder(home: string, session: Session, model: SessionPaths | null): SessionPaths {
  const paths = sessionPaths(home, session.agentGroupId, session.id);
  const user = hostContainerUser(session);
  if (model === null) {
    createSessionFolder(paths, user);
    return paths;
  }
  cpSync(model.root, paths.root, { recursive: true });
  for (const path of [paths.state, paths.out, paths.outboundDb, paths.outFiles, paths.heartbeat]) {
    chownSync(path, user.uid, user.gid);
  }
  return model;
}

const ALWAYS_LISTENS = {
  engageMode: 'always',
  engagePattern: null,
  senderScope: 'known',
  ignoredMessagePolicy: 'drop',
  sessionMode: 'shared',
  priority: 0,
} as const;
