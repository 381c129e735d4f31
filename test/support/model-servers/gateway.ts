/**
 * Stands where the host's gateway stands, for tests of what is inside a container: the paths of `shared/gateway.ts`
 * lead to model servers, the placeholder goes, and the server's key comes. It allows everything.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { PLACEHOLDER_KEY, REFUSAL_HEADER, type RefusalBody } from '../../../shared/gateway.ts';
import type { ModelServer } from './answers.ts';

export interface ModelGateway extends AsyncDisposable {
  /** On loopback; 0 where it listens at a socket. */
  readonly port: number;
  /** Of calls, as the container wrote them. */
  readonly paths: string[];
  /** The message ids that calls were made for; null: for none. */
  readonly behalf: (string | null)[];
  /** When set, every call gets this instead of an answer. */
  refusal: { status: number; body: RefusalBody } | null;
}

const PATH = /^(?:\/for\/([^/]+))?\/model\/([^/]+)(\/.*)$/;

/**
 * By the names of services; `/model/<name>/x` leads to `/v1/x` of an OpenAI server, and to `/x` of Anthropic's. It
 * listens at the socket of a session, or (null) at a port of loopback.
 */
export async function startModelGateway(
  services: Readonly<Record<string, { server: ModelServer; api: 'openai' | 'anthropic' }>>,
  socketPath: string | null = null,
): Promise<ModelGateway> {
  const seen = { paths: [] as string[], behalf: [] as (string | null)[], refusal: null as ModelGateway['refusal'] };
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    const [, messageId = null, name = '', rest = ''] = PATH.exec(incoming.url ?? '') ?? [];
    const service = services[name];
    seen.paths.push(incoming.url ?? '');
    seen.behalf.push(messageId);
    const { refusal } = seen;
    if (refusal !== null) {
      const headers = { 'content-type': 'application/json', [REFUSAL_HEADER]: refusal.body.error.type };
      response.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body));
      return;
    }
    const { authorization, 'x-api-key': key, host: _host, ...headers } = incoming.headers;
    const given = authorization ?? key;
    const hasOwn = given !== undefined && given !== `Bearer ${PLACEHOLDER_KEY}` && given !== PLACEHOLDER_KEY;
    if (service === undefined || hasOwn) {
      response.writeHead(500).end('a test asked for no service, or with a key of its own');
      return;
    }
    const { server, api } = service;
    const secret = api === 'openai' ? { authorization: `Bearer ${server.key}` } : { 'x-api-key': server.key };
    const url = `${server.url}${api === 'openai' ? '/v1' : ''}${rest}`;
    const outgoing = httpRequest(url, { method: incoming.method ?? 'GET', headers: { ...headers, ...secret } });
    outgoing.once('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      // A stream that breaks outside breaks inside.
      answer.once('error', () => response.destroy());
    });
    outgoing.once('error', () => response.destroy());
    response.once('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };
  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath === null ? { host: '127.0.0.1', port: 0 } : { path: socketPath }, resolve);
  });
  const address = server.address();
  return Object.assign(seen, {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
