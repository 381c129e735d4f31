/** What the gateway is asked for, in all the ways that a program could spell it. */
import { connect } from 'node:net';
import type { EscapeReport, EscapeTask } from './main.ts';
import { ask, exchange, gatewayPort, outcomes } from './wire.ts';

const METADATA = [
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '0xa9.0xfe.0xa9.0xfe',
  '169.254.169.254.',
  '[::ffff:169.254.169.254]',
  '[::ffff:a9fe:a9fe]',
  '[64:ff9b::a9fe:a9fe]',
  '[2002:a9fe:a9fe::]',
  '[fd00:ec2::254]',
  'metadata.google.internal',
  'metadata',
  '①⑥⑨.254.169.254',
];

/** Names that a rule allows, and that lead where nobody may go: the test's resolver says where. */
const LEADING = ['meta', 'mapped', 'nat64', 'six-to-four', 'aws-v6', 'zero', 'link-local', 'broadcast'];

export async function tryGateway(task: EscapeTask): Promise<EscapeReport> {
  return {
    ...(await spellMetadata()),
    ...(await knockAtTheHost(task)),
    ...(await leadAstray(task)),
    ...(await smuggle(task)),
    ...(await lieAboutHosts(task)),
    ...(await widenTunnels(task)),
    ...(await stretchRules(task)),
  };
}

async function spellMetadata(): Promise<EscapeReport> {
  const seen: EscapeReport = {};
  for (const host of METADATA) {
    seen[`metadata ${host}`] = [
      await ask(`GET http://${host}/latest/meta-data/ HTTP/1.1`, `Host: ${host}`),
      await ask(`CONNECT ${host}:80 HTTP/1.1`, `Host: ${host}:80`),
      await ask(`GET /https/${host}/latest/meta-data/ HTTP/1.1`, 'Host: 127.0.0.1'),
    ];
  }
  return seen;
}

async function knockAtTheHost({ innerPort, apiPort, hostAddresses }: EscapeTask): Promise<EscapeReport> {
  const seen: EscapeReport = {};
  for (const host of ['127.0.0.1', 'localhost', '0.0.0.0', '[::1]', '0', '127.1', '172.17.0.1', ...hostAddresses]) {
    for (const [name, port] of [
      ['inner', innerPort],
      ['api', apiPort],
    ] as const) {
      seen[`${name} at ${host}`] = [
        await ask(`GET http://${host}:${port}/ HTTP/1.1`, `Host: ${host}:${port}`),
        await ask(`CONNECT ${host}:${port} HTTP/1.1`, `Host: ${host}:${port}`),
      ];
    }
  }
  return seen;
}

async function leadAstray({ innerPort, openPort }: EscapeTask): Promise<EscapeReport> {
  const seen: EscapeReport = {};
  const get = (host: string) => ask(`GET http://${host}/ HTTP/1.1`, `Host: ${host}`);
  for (const name of LEADING) seen[`leads to ${name}`] = await get(`${name}.example.com`);
  seen['leads to loopback'] = await get(`loop.example.com:${innerPort}`);
  seen['leads to both'] = await get(`twin.example.com:${innerPort}`);
  // First outside, then inside: what was checked is what is connected to, and each request is checked.
  seen.rebinds = [await get(`rebind.example.com:${innerPort}`), await get(`rebind.example.com:${innerPort}`)];
  seen['a name without an address'] = await get(`nowhere.example.com:${openPort}`);
  seen['is redirected'] = await ask(
    `GET http://open.example.com:${openPort}/redirect HTTP/1.1`,
    `Host: open.example.com:${openPort}`,
  );
  seen['follows the redirect'] = await get(`inner.example.com:${innerPort}`);
  return seen;
}

async function smuggle({ openPort, innerPort }: EscapeTask): Promise<EscapeReport> {
  const open = `open.example.com:${openPort}`;
  const inner = `inner.example.com:${innerPort}`;
  const hidden = `GET http://${inner}/smuggled HTTP/1.1\r\nHost: ${inner}\r\n\r\n`;
  const send = async (...lines: string[]) => outcomes(await exchange(gatewayPort(), lines.join('\r\n')));
  return {
    'cl.te': await send(
      `POST http://${open}/ HTTP/1.1`,
      `Host: ${open}`,
      `Content-Length: ${5 + hidden.length}`,
      'Transfer-Encoding: chunked\r\n',
      `0\r\n\r\n${hidden}`,
    ),
    'te.te': await send(
      `POST http://${open}/ HTTP/1.1`,
      `Host: ${open}`,
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: identity\r\n',
      `0\r\n\r\n${hidden}`,
    ),
    'two lengths': await send(
      `POST http://${open}/ HTTP/1.1`,
      `Host: ${open}`,
      'Content-Length: 0',
      `Content-Length: ${hidden.length}\r\n`,
      hidden,
    ),
    'bare line feeds': await send(`GET http://${open}/ HTTP/1.1\nHost: ${open}\n\n${hidden}`),
    'a line break in the path': await send(`GET http://${open}/\rX HTTP/1.1`, `Host: ${open}\r\n\r\n`),
    'a folded header': await send(`GET http://${open}/ HTTP/1.1`, `Host: ${open}`, `X: a\r\n Host: ${inner}\r\n\r\n`),
    pipelined: await send(
      `GET http://${open}/first HTTP/1.1`,
      `Host: ${open}\r\n`,
      `GET http://${inner}/second HTTP/1.1`,
      `Host: ${inner}`,
      'Connection: close\r\n\r\n',
    ),
    'behind a body': await send(
      `POST http://${open}/ HTTP/1.1`,
      `Host: ${open}`,
      'Content-Length: 4\r\n',
      `body${hidden}`,
    ),
    upgrade: await send(`GET http://${open}/ HTTP/1.1`, `Host: ${open}`, 'Connection: Upgrade', 'Upgrade: tcp\r\n\r\n'),
    trace: await send(`TRACE http://${open}/ HTTP/1.1`, `Host: ${open}`, 'Connection: close\r\n\r\n'),
  };
}

async function lieAboutHosts({ openPort, innerPort }: EscapeTask): Promise<EscapeReport> {
  const open = `open.example.com:${openPort}`;
  const inner = `inner.example.com:${innerPort}`;
  return {
    'another host header': await ask(`GET http://${open}/ HTTP/1.1`, `Host: ${inner}`),
    'two host headers': await ask(`GET http://${open}/ HTTP/1.1`, `Host: ${open}`, `Host: ${inner}`),
    'a host header at the base url': await ask(`GET /https/${open}/ HTTP/1.1`, `Host: ${inner}`),
    'a user name': await ask(`GET http://open.example.com@${inner}/ HTTP/1.1`, `Host: ${inner}`),
    'a user name and a port': await ask(`GET http://${open}@${inner}/ HTTP/1.1`, `Host: ${open}`),
    'a fragment': await ask(`GET http://${inner}#@${open}/ HTTP/1.1`, `Host: ${open}`),
    'a backslash': await ask(`GET http://${inner}\\@${open}/ HTTP/1.1`, `Host: ${open}`),
    'an encoded host': await ask(`GET http://open.example.com%2f@${inner}/ HTTP/1.1`, `Host: ${inner}`),
    'an encoded dot': await ask(`GET http://inner%2eexample.com:${innerPort}/ HTTP/1.1`, `Host: ${inner}`),
    'a tab': await ask(`GET http://${open}\t@${inner}/ HTTP/1.1`, `Host: ${open}`),
    'another scheme': await ask(`GET ftp://${open}/ HTTP/1.1`, `Host: ${open}`),
    'a file': await ask('GET file:///etc/passwd HTTP/1.1', 'Host: 127.0.0.1'),
    'no host at all': await ask('GET / HTTP/1.1', `Host: ${inner}`),
    'a trailing dot': await ask(`GET http://inner.example.com.:${innerPort}/ HTTP/1.1`, `Host: ${inner}`),
    'a longer name': await ask(
      `GET http://xopen.example.com:${openPort}/ HTTP/1.1`,
      `Host: xopen.example.com:${openPort}`,
    ),
    'forwarded headers': await ask(
      `GET http://${open}/forwarded HTTP/1.1`,
      `Host: ${open}`,
      `X-Forwarded-Host: ${inner}`,
      'Proxy-Authorization: Basic c2VjcmV0',
      'Authorization: Bearer of-the-agent',
      'Cookie: a=of-the-agent',
      'X-Api-Key: of-the-agent',
    ),
  };
}

async function widenTunnels({ tunnelPort, openPort, innerPort }: EscapeTask): Promise<EscapeReport> {
  const open = (place: string, more = '') =>
    exchange(gatewayPort(), `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n${more}`, 1_000);
  const hello = `hello to inner.example.com`;
  const heard = await sayInTunnel(`tunnel.example.com:${tunnelPort}`, hello);
  return {
    'an allowed tunnel': outcomes(heard),
    // Not prevented: what is said inside. It reaches the server that the rule names, and no other.
    'another name inside it': heard.endsWith(`tunnel: ${hello}`) ? 'told to the tunnel’s server' : heard.slice(-60),
    'bytes before the tunnel is open': outcomes(await open(`tunnel.example.com:${tunnelPort}`, hello)),
    'another port': outcomes(await open(`tunnel.example.com:${innerPort}`)),
    'no port': outcomes(await open('tunnel.example.com')),
    'port 0': outcomes(await open('tunnel.example.com:0')),
    'a port that wraps': outcomes(await open(`tunnel.example.com:${65_536 + tunnelPort}`)),
    'a tunnel to a limited place': outcomes(await open(`limited.example.com:${openPort}`)),
    'a tunnel with another host header': outcomes(
      await exchange(
        gatewayPort(),
        `CONNECT tunnel.example.com:${tunnelPort} HTTP/1.1\r\nHost: inner.example.com:${innerPort}\r\n\r\n`,
        1_000,
      ),
    ),
    'a tunnel to the gateway itself': outcomes(await open('127.0.0.1:3128')),
  };
}

/** All that came back to a tunnel in which this was said once it was open. */
function sayInTunnel(place: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    let hasSaid = false;
    const socket = connect(
      gatewayPort(),
      () => void socket.write(`CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n\r\n`),
    );
    const done = () => {
      socket.destroy();
      resolve(heard);
    };
    socket.setTimeout(1_000, done);
    socket.on('error', done);
    socket.on('end', done);
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      if (hasSaid || !heard.includes('\r\n\r\n')) return;
      hasSaid = true;
      socket.write(text);
    });
  });
}

async function stretchRules({ openPort }: EscapeTask): Promise<EscapeReport> {
  const place = `limited.example.com:${openPort}`;
  const get = (path: string, method = 'GET') => ask(`${method} http://${place}${path} HTTP/1.1`, `Host: ${place}`);
  const service = (path: string) => ask(`GET /service/${path} HTTP/1.1`, 'Host: 127.0.0.1');
  return {
    'below the path': await get('/v1/items'),
    'beside the path': await get('/v10'),
    'above the path': await get('/v1/../admin'),
    'above, encoded': await get('/v1/%2e%2e/admin'),
    'above, encoded twice': await get('/v1/%252e%252e/admin'),
    'above, with a backslash': await get('/v1/..\\admin'),
    'above, with parameters': await get('/v1/..;/admin'),
    'another method': await get('/v1/items', 'POST'),
    'a method in lower case': await get('/v1/items', 'get'),
    'a service that was not given': await service('github/user'),
    'above a service': await service('reflector/../admin'),
    'a model of another agent': await ask(
      'POST /model/anthropic/v1/messages HTTP/1.1',
      'Host: 127.0.0.1',
      'Content-Length: 0',
    ),
    'a service as a model': await ask('GET /model/reflector/x HTTP/1.1', 'Host: 127.0.0.1'),
    'below a wildcard': await ask(
      `GET http://deep.wild.example.com:${openPort}/ HTTP/1.1`,
      `Host: deep.wild.example.com:${openPort}`,
    ),
    'the wildcard itself': await ask(
      `GET http://wild.example.com:${openPort}/ HTTP/1.1`,
      `Host: wild.example.com:${openPort}`,
    ),
    'beside the wildcard': await ask(
      `GET http://evilwild.example.com:${openPort}/ HTTP/1.1`,
      `Host: evilwild.example.com:${openPort}`,
    ),
  };
}
