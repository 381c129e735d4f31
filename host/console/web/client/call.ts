/** How the page calls the host's API: typed by the app that serves it. Throws ApiFault, HostAwayFault. */
import { hc } from 'hono/client';
import type { AppType } from '../../api/app.ts';
import { ApiFault, overNetwork, parseErrorBody } from './fault.ts';

export const BASE = '/api/v1';
export const api = hc<AppType>(BASE);
/** The most that one page of a list holds. */
export const MANY = { limit: '200' };

interface Answer {
  ok: boolean;
  status: number;
  text(): Promise<string>;
}

/** Waits for an answer that is no error. */
export async function accept<A extends Answer>(asked: Promise<A>): Promise<A> {
  const response = await overNetwork(asked);
  if (response.ok) return response;
  throw new ApiFault(response.status, parseErrorBody(response.status, await overNetwork(response.text())));
}

/** The same, with its body. */
export async function answer<T>(asked: Promise<Answer & { json(): Promise<T> }>): Promise<T> {
  const response = await accept(asked);
  return overNetwork(response.json());
}

/** A change on top of what was seen: the host refuses it (412) when that changed meanwhile. */
export function onTopOf({ revision }: { revision: number }): { 'if-match': string } {
  return { 'if-match': `"${revision}"` };
}
