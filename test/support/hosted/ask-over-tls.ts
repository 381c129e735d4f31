/** Asks servers on loopback over the gateway's TLS: a name, certificates to believe or nothing, and their ports. */
import { GATEWAY_LIMITS } from '../../../host/egress/limits.ts';
import type { Passage } from '../../../host/egress/plan.ts';
import { makeTrust } from '../../../host/egress/trust.ts';
import { Upstreams } from '../../../host/egress/upstreams.ts';

const [name = '', ca = '', ...ports] = process.argv.slice(2);
const upstreams = new Upstreams(GATEWAY_LIMITS, makeTrust(ca === '' ? undefined : ca));

/** Its status, or why there is none. */
function ask(port: number): Promise<unknown> {
  const upstream: Passage['upstream'] = { scheme: 'https', host: { kind: 'name', text: name }, port, path: '/' };
  const passage: Passage = { kind: 'go', upstream, rule: '', allowPrivate: true, service: null };
  return new Promise((resolve) => {
    const options = { method: 'GET', headers: { host: name }, addresses: ['127.0.0.1'], isFresh: true };
    const request = upstreams.request(passage, options);
    request.on('response', (answer) => resolve(answer.resume().statusCode));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    request.end();
  });
}

console.log(JSON.stringify(await Promise.all(ports.map(Number).map(ask))));
