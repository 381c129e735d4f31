/** The host's HTTP API as the page calls it: one function per thing done. Throws ApiFault, HostAwayFault. */
import { ApiFault, overNetwork, parseErrorBody } from './fault.ts';
import type { Agent, Destination, Me, Message, Page, Session, Trace } from './types.ts';
import { postForm } from './upload.ts';

export const EVENTS_URL = '/api/v1/events';

const BASE = '/api/v1';

export async function logIn(token: string): Promise<void> {
  await call('POST', '/login', { token });
}

export async function logOut(): Promise<void> {
  await call('POST', '/logout');
}

export function fetchMe(): Promise<Me> {
  return call('GET', '/me');
}

export function fetchAgents(): Promise<Page<Agent>> {
  return call('GET', '/agents?limit=200');
}

export function fetchAgent(id: string): Promise<Agent> {
  return call('GET', `/agents/${id}`);
}

export function fetchDestinations(agentId: string): Promise<Page<Destination>> {
  return call('GET', `/agents/${agentId}/destinations?limit=200`);
}

export function fetchSessions(cursor: string | null): Promise<Page<Session>> {
  return call('GET', `/sessions?limit=50${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
}

export function fetchSession(id: string): Promise<Session> {
  return call('GET', `/sessions/${id}`);
}

export function createSession(agentId: string): Promise<Session> {
  return call('POST', '/sessions', { agentId });
}

export function renameSession(session: Session, title: string): Promise<Session> {
  return call('PATCH', `/sessions/${session.id}`, { title }, { 'if-match': `"${session.revision}"` });
}

export function stopSession(id: string): Promise<Session> {
  return call('POST', `/sessions/${id}/stop`);
}

export function releaseSession(id: string): Promise<Session> {
  return call('POST', `/sessions/${id}/release`);
}

export const MESSAGES_PER_PAGE = 50;

/** Oldest first; the newest page when `before` is null. */
export function fetchMessages(sessionId: string, before: number | null): Promise<Page<Message>> {
  const from = before === null ? '' : `&before=${before}`;
  return call('GET', `/sessions/${sessionId}/messages?limit=${MESSAGES_PER_PAGE}${from}`);
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
  if (files.length === 0) return call('POST', `/sessions/${sessionId}/messages`, { text, clientId });
  const form = new FormData();
  form.append('clientId', clientId);
  form.append('text', text);
  for (const file of files) form.append('file', file, file.name);
  return JSON.parse(await postForm(`${BASE}/sessions/${sessionId}/messages`, form, onProgress));
}

export async function markRead(sessionId: string, position: number): Promise<void> {
  await call('PUT', `/sessions/${sessionId}/read`, { position });
}

export function resendMessage(id: string): Promise<Message> {
  return call('POST', `/messages/${id}/resend`);
}

export function dropMessage(id: string): Promise<Message> {
  return call('POST', `/messages/${id}/drop`);
}

export function fetchTrace(id: string): Promise<Trace> {
  return call('GET', `/messages/${id}/trace`);
}

async function call<T>(method: string, path: string, body?: unknown, extra: Record<string, string> = {}): Promise<T> {
  const init: RequestInit = { method, headers: { accept: 'application/json', ...extra } };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, 'content-type': 'application/json' };
  }
  const response = await overNetwork(fetch(BASE + path, init));
  const text = await overNetwork(response.text());
  if (!response.ok) throw new ApiFault(response.status, parseErrorBody(response.status, text));
  return text === '' ? undefined : JSON.parse(text);
}
