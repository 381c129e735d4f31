/**
 * The host's HTTP API as the page calls it: one function per thing done, typed by the app that serves it.
 * Throws ApiFault, HostAwayFault.
 */
import { hc } from 'hono/client';
import type { z } from 'zod';
import type { messageBody } from '../../api/inputs.ts';
import type { signInRoutes } from '../../api/resources/host.ts';
import { accept, answer, api, BASE, MANY, onTopOf } from './call.ts';
import { ApiFault } from './fault.ts';
import type {
  Agent,
  Destination,
  Dropped,
  Me,
  Message,
  Page,
  Refusal,
  Session,
  Task,
  TaskAct,
  Trace,
} from './types.ts';
import { isMessage } from './types.ts';
import { postForm } from './upload.ts';

export const EVENTS_URL = `${BASE}/events`;
export const MESSAGES_PER_PAGE = 50;

const door = hc<ReturnType<typeof signInRoutes>>(BASE);

export async function logIn(token: string): Promise<void> {
  await answer(door.login.$post({ json: { token } }));
}

export async function logOut(): Promise<void> {
  await accept(api.logout.$post());
}

export function fetchMe(): Promise<Me> {
  return answer(api.me.$get());
}

export function fetchAgents(): Promise<Page<Agent>> {
  return answer(api.agents.$get({ query: MANY }));
}

export function fetchAgent(id: string): Promise<Agent> {
  return answer(api.agents[':id'].$get({ param: { id } }));
}

export function fetchDestinations(agentId: string): Promise<Page<Destination>> {
  return answer(api.agents[':id'].destinations.$get({ param: { id: agentId }, query: MANY }));
}

export function fetchSessions(cursor: string | null): Promise<Page<Session>> {
  return answer(api.sessions.$get({ query: cursor === null ? {} : { cursor } }));
}

export function fetchSession(id: string): Promise<Session> {
  return answer(api.sessions[':id'].$get({ param: { id } }));
}

export function createSession(agentId: string): Promise<Session> {
  return answer(api.sessions.$post({ json: { agentId } }));
}

/** Tries of one change while other things about the session change too. Higher: a busy one is hammered. */
const MAX_RENAME_TRIES = 4;

/**
 * Gives a session another title, unless somebody else did since `session` was read: then it throws
 * ApiFault 412. A session's revision also rises with its other changes; those do not stand in the way.
 */
export async function renameSession(session: Session, title: string): Promise<Session> {
  let current = session;
  for (let tries = 1; ; tries++) {
    try {
      const header = onTopOf(current);
      return await answer(api.sessions[':id'].$patch({ param: { id: session.id }, header, json: { title } }));
    } catch (error) {
      if (!(error instanceof ApiFault) || error.status !== 412 || tries === MAX_RENAME_TRIES) throw error;
      current = await fetchSession(session.id);
      if (current.title !== session.title) throw error;
    }
  }
}

export function stopSession(id: string): Promise<Session> {
  return answer(api.sessions[':id'].stop.$post({ param: { id } }));
}

export function releaseSession(id: string): Promise<Session> {
  return answer(api.sessions[':id'].release.$post({ param: { id } }));
}

/** Newest first. */
export function fetchRefusals(cursor: string | null): Promise<Page<Refusal>> {
  return answer(api.refusals.$get({ query: cursor === null ? {} : { cursor } }));
}

export function fetchDropped(cursor: string | null): Promise<Page<Dropped>> {
  return answer(api.dropped.$get({ query: cursor === null ? {} : { cursor } }));
}

/** Active and paused ones, the next to fire first. */
export function fetchTasks(session: string): Promise<Page<Task>> {
  return answer(api.tasks.$get({ query: { session, state: 'open', ...MANY } }));
}

/** On top of what was seen: throws ApiFault 412 when the task changed meanwhile. */
export function changeTask(task: Task, act: TaskAct): Promise<Task> {
  const given = { param: { id: task.id }, header: onTopOf(task) };
  switch (act) {
    case 'pause':
      return answer(api.tasks[':id'].pause.$post(given));
    case 'resume':
      return answer(api.tasks[':id'].resume.$post(given));
    case 'cancel':
      return answer(api.tasks[':id'].cancel.$post(given));
  }
}

/** Oldest first; the newest page when `before` is null. */
export function fetchMessages(sessionId: string, before: number | null): Promise<Page<Message>> {
  const from = before === null ? {} : { before: String(before) };
  const query = { limit: String(MESSAGES_PER_PAGE), ...from };
  return answer(api.sessions[':id'].messages.$get({ param: { id: sessionId }, query }));
}

export interface OutgoingMessage {
  clientId: string;
  sessionId: string;
  text: string;
  files: readonly File[];
}

/** The same clientId again answers the same message: safe to repeat. */
export async function postMessage(
  message: OutgoingMessage,
  onProgress: (sentBytes: number, totalBytes: number) => void,
): Promise<Message> {
  const { clientId, sessionId, text, files } = message;
  const messages = api.sessions[':id'].messages;
  const param = { id: sessionId };
  if (files.length === 0) {
    const body: NewMessage = { text, clientId };
    return answer(messages.$post({ param }, { init: jsonInit(body) }));
  }
  const form = new FormData();
  form.append('clientId', clientId);
  form.append('text', text);
  for (const file of files) form.append('file', file, file.name);
  const committed: unknown = JSON.parse(await postForm(BASE + messages.$path({ param }), form, onProgress));
  if (!isMessage(committed)) throw new Error('the host answered a sent message with something else');
  return committed;
}

export async function markRead(sessionId: string, position: number): Promise<void> {
  await accept(api.sessions[':id'].read.$put({ param: { id: sessionId }, json: { position } }));
}

export function resendMessage(id: string): Promise<Message> {
  return answer(api.messages[':id'].resend.$post({ param: { id } }));
}

/** What a person chose of a question's options. */
export function answerMessage(id: string, choice: string): Promise<Message> {
  return answer(api.messages[':id'].answer.$post({ param: { id }, json: { choice } }));
}

export function dropMessage(id: string): Promise<Message> {
  return answer(api.messages[':id'].drop.$post({ param: { id } }));
}

export function fetchTrace(id: string): Promise<Trace> {
  return answer(api.messages[':id'].trace.$get({ param: { id } }));
}

/** This route takes a form as well, so the client's types do not know its JSON. */
type NewMessage = z.input<typeof messageBody>;

function jsonInit(body: NewMessage): RequestInit {
  return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}
