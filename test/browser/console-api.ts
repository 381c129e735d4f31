/** The host's API as the machine's own programs use it, beside what a browser does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { BuiltHost } from './built-host.ts';

/** The answer's body; fails when the host refused. */
export async function askHost(host: BuiltHost, path: string, method: string, body?: object, ifMatch?: number) {
  const headers = new Headers({ authorization: `Bearer ${readFileSync(join(host.home, 'api-token'), 'utf8').trim()}` });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (ifMatch !== undefined) headers.set('if-match', `"${ifMatch}"`);
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(`${host.origin}/api/v1${path}`, init);
  expect([path, response.ok]).toEqual([path, true]);
  const answer: unknown = await response.json();
  return answer;
}
