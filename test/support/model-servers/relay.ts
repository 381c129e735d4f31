/**
 * The least that a host does for a model call: what comes for `/model/<name>/…` at a session's socket goes to a server
 * with its key. For tests of the container's side; what else the gateway is for is tested with the real one.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { REFUSAL_HEADER, type RefusalBody } from '../../../shared/gateway.ts';

export interface RelayTarget {
  /** Below which the call's path goes. */
  baseUrl: string;
  header: string;
  value: string;
}

export interface Relay extends AsyncDisposable {
  /** As the container wrote them. */
  readonly paths: string[];
  /** When set, every call is refused with it. */
  refusal: { status: number; body: RefusalBody } | null;
}

export async function openRelay(socketPath: string, targets: Readonly<Record<string, RelayTarget>>): Promise<Relay> {
  const relay = { paths: [] as string[], refusal: null as Relay['refusal'] };
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    relay.paths.push(incoming.url ?? '');
    const match = /^(?:\/for\/[^/]+)?\/model\/([^/]+)(\/.*)$/.exec(incoming.url ?? '');
    const target = targets[match?.[1] ?? ''];
    if (relay.refusal !== null || target === undefined) {
      const { status, body } = relay.refusal ?? UNKNOWN;
      response.writeHead(status, { 'content-type': 'application/json', [REFUSAL_HEADER]: body.error.type });
      response.end(JSON.stringify(body));
      return;
    }
    const { authorization: _bearer, 'x-api-key': _key, host: _host, ...headers } = incoming.headers;
    const outgoing = request(`${target.baseUrl}${match?.[2]}`, {
      method: incoming.method ?? 'GET',
      headers: { ...headers, [target.header]: target.value },
    });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      pipeline(answer, response, () => undefined);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  };
  const server = createServer(serve);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socketPath, resolve);
  });
  return Object.assign(relay, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

const UNKNOWN: { status: number; body: RefusalBody } = {
  status: 403,
  body: { type: 'error', error: { type: 'unknown_service', message: 'There is no such service.' }, next: null },
};
