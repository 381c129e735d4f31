/**
 * The only way out of a container: `in/gateway.sock`, a Unix socket whose other end is the host's gateway.
 * Who asks is known by the socket alone, so there is nothing to steal (I7).
 *
 *   program ─▶ 127.0.0.1:GATEWAY_PORT ─bytes as they are─▶ in/gateway.sock ─▶ host/egress ─▶ outside
 *                 (the runner)
 *
 * Plain HTTP/1.1. Five forms of request, each refused unless the host's own tables allow it:
 *
 *   CONNECT host:port                        a tunnel, where a rule allows the whole host
 *   GET http://host/path                     plain HTTP through a proxy
 *   /https/<host>[:<port>]/<path>            the gateway speaks TLS; so a rule may look at method and path
 *   /service/<name>/<path>                   a service: the gateway adds its credential
 *   /model/<name>/<path>                     a service with a model API: counted, and held to budgets
 *
 * A path may begin with `/for/<message id>`: on whose behalf it is. The host believes it only within the session.
 */

/** In the container. The runner of a `process` driver takes any free port. */
export const GATEWAY_PORT = 3128;

/** What programs are given where a key must be: the gateway takes every credential off, and adds the real one. */
export const PLACEHOLDER_KEY = 'added-by-the-gateway';

/** On every answer that the gateway gives itself instead of a server outside: a `GatewayRefusal`. */
export const REFUSAL_HEADER = 'x-portolan-refusal';

/** Why the gateway did not let something through. `next` in its body says what to do. */
export const GATEWAY_REFUSALS = [
  /** No rule allows this host, port, method or path. */
  'not_allowed',
  /** The name leads to a private, loopback, link-local, metadata or reserved address. */
  'private_address',
  /** The name has no address. */
  'no_address',
  /** No such service, or none that this agent was given. */
  'unknown_service',
  /** The service has no secret for this agent, or the vault is locked. */
  'no_secret',
  /** A budget is spent. */
  'over_budget',
  /** A budget in money holds, and the model has no price. */
  'no_price',
  /** More at a time, or more in a minute, than a session may. */
  'too_many',
  /** The request is none that the gateway understands. */
  'bad_request',
  /** The server outside did not answer. */
  'unreachable',
] as const;
export type GatewayRefusal = (typeof GATEWAY_REFUSALS)[number];

/** The body of a refusal. `error` has the shape of which model SDKs show people the message, and nothing else of it. */
export interface RefusalBody {
  type: 'error';
  /** The message ends with what to do next: `splitMessage` takes that off again. */
  error: { type: GatewayRefusal; message: string };
  /** What to type or call next; null when nothing helps. */
  next: string | null;
}

export function makeRefusalBody(type: GatewayRefusal, message: string, next: string | null): RefusalBody {
  return { type: 'error', error: { type, message: message + tailOf(next) }, next };
}

/** The message alone, for whoever shows `next` in a place of its own. */
export function splitMessage({ error: { message }, next }: Pick<RefusalBody, 'next'> & { error: { message: string } }) {
  const tail = tailOf(next);
  return tail !== '' && message.endsWith(tail) ? message.slice(0, -tail.length) : message;
}

function tailOf(next: string | null): string {
  return next === null ? '' : ` → ${next}`;
}

/** The base URL of a service as a program in the container sees it; `messageId` says on whose behalf it calls. */
export function gatewayUrl(port: number, kind: 'model' | 'service', name: string, messageId: string | null): string {
  const prefix = messageId === null ? '' : `/for/${messageId}`;
  return `http://127.0.0.1:${port}${prefix}/${kind}/${name}`;
}
