/** `portolan sessions`: conversations, newest activity first. */
import type { Agent, Session, SessionState } from '../client/types.ts';
import { isSessionState, SESSION_STATES } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findAgent } from '../find.ts';
import type { Paint, Style } from '../output/style.ts';
import { formatAge } from '../output/units.ts';
import { idColumn, type ListOptions, printPage } from './page.ts';

export interface SessionFilter extends ListOptions {
  agent?: string;
  state?: string;
}

export async function listSessions(context: Context, options: SessionFilter): Promise<void> {
  const state = options.state === undefined ? undefined : parseState(options.state);
  const agent: Agent | undefined =
    options.agent === undefined ? undefined : await findAgent(context.api, options.agent);
  const page = await context.api.listSessions({ agent: agent?.id, state }, options.limit);
  const now = context.terminal.now();
  printPage(
    context,
    page,
    [
      idColumn(page.items),
      {
        title: 'STATE',
        value: (session) => describeState(session, now),
        paint: (session) => paintState(context.style, session.state),
      },
      { title: 'AGENT', value: (session) => session.agentName, minColumns: 6 },
      { title: 'CHANNEL', value: (session) => session.channelType ?? 'all chats' },
      { title: 'ACTIVE', value: (session) => formatAge(session.lastActiveAt, now) },
      { title: 'UNREAD', value: (session) => (session.unread === 0 ? '' : String(session.unread)), align: 'right' },
      { title: 'ABOUT', value: describeSession, minColumns: 16 },
    ],
    state === undefined && agent === undefined
      ? `No sessions yet. Start one: ${context.typeable('portolan chat')}`
      : `No session fits. All of them: ${context.typeable('portolan sessions')}`,
  );
}

/** `waiting, again in 4s` */
function describeState({ state, triesAgainAt }: Session, now: number): string {
  return triesAgainAt === null ? state : `${state}, again ${formatAge(Math.max(triesAgainAt, now), now)}`;
}

function describeSession(session: Session): string {
  if (session.stateReason !== null) return session.stateReason;
  return session.title || stripMarks(session.lastMessage?.text ?? '');
}

/** Markdown's own signs, which mean nothing in a table. */
function stripMarks(text: string): string {
  return text.replace(/\*\*|__|`+|^ {0,3}(?:#{1,6}|>)\s+/gm, '');
}

function parseState(text: string): SessionState {
  if (isSessionState(text)) return text;
  throw new CliError(EXIT.usage, 'bad_state', `There is no session state "${text}".`, {
    expected: `one of ${SESSION_STATES.join(', ')}`,
  });
}

/** Green works, yellow waits, red needs a person. */
export function paintState(style: Style, state: SessionState): Paint {
  switch (state) {
    case 'running':
    case 'starting':
      return style.green;
    case 'waiting':
    case 'stopping':
      return style.yellow;
    case 'paused':
      return style.cyan;
    case 'failed':
    case 'quarantined':
      return style.red;
    case 'idle':
      return style.dim;
  }
}
