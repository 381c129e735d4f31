/**
 * Stands where the host's gateway stands, for tests of what is inside a container: the paths of `shared/gateway.ts`
 * lead to model servers, the placeholder goes, and the server's key comes. It allows everything.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PLACEHOLDER_KEY, REFUSAL_HEADER, type RefusalBody } from '../../../shared/gateway.ts';
import type { ModelServer } from './answers.ts';

export interface ModelGateway extends AsyncDisposable {
  readonly port: number;
  /** The message ids that calls were made for; null: for none. */
  readonly behalf: (string | null)[];
  /** Every call gets this instead of an answer; null: no more. */
  refuse(refusal: { status: number; body: RefusalBody } | null): void;
}

const PATH = /^(?:\/for\/([^/]+))?\/model\/([^/]+)(\/.*)$/;

/** By the names of services; `/model/<name>/x` leads to `/v1/x` of an OpenAI server, and to `/x` of Anthropic's. */
export async function startModelGateway(
  services: Readonly<Record<string, { server: ModelServer; api: 'openai' | 'anthropic' }>>,
): Promise<ModelGateway> {
  const behalf: (string | null)[] = [];
  let refusal: Parameters<ModelGateway['refuse']>[0] = null;
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    const [, messageId = null, name = '', rest = ''] = PATH.exec(incoming.url ?? '') ?? [];
    const service = services[name];
    behalf.push(messageId);
    if (refusal !== null) {
      const headers = { 'content-type': 'application/json', [REFUSAL_HEADER]: refusal.body.error.type };
      response.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body));
      return;
    }
    const { authorization, 'x-api-key': key, host: _host, ...headers } = incoming.headers;
    const isPlaceholder = authorization === `Bearer ${PLACEHOLDER_KEY}` || key === PLACEHOLDER_KEY;
    if (service === undefined || !isPlaceholder) {
      response.writeHead(500).end('a test asked for no service, or with a key of its own');
      return;
    }
    const { server, api } = service;
    const secret = api === 'openai' ? { authorization: `Bearer ${server.key}` } : { 'x-api-key': server.key };
    const url = `${server.url}${api === 'openai' ? '/v1' : ''}${rest}`;
    const outgoing = httpRequest(url, { method: incoming.method ?? 'GET', headers: { ...headers, ...secret } });
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      // A stream that breaks outside breaks inside.
      answer.once('error', () => response.destroy());
    });
    outgoing.once('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };
  const server = createServer(serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    behalf,
    refuse(next) {
      refusal = next;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
