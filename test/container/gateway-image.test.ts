/** The way out as programs in a real container have it: no network but the loopback port, with ordinary tools. */
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startContainer } from './session-container.ts';
import { SessionFixture } from './session-fixture.ts';

/** The host's end of the session's socket, which lets everything through to one server; and what it was asked. */
async function openGateway(session: SessionFixture): Promise<string[]> {
  const asked: string[] = [];
  const outside = await listen(
    createServer((request, response) => response.end(`outside answers ${request.url}`)),
    0,
  );
  const gateway = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('the gateway answers');
  });
  gateway.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    const upstream = connect((outside.address() as AddressInfo).port, '127.0.0.1');
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    socket.pipe(upstream).pipe(socket);
  });
  await listen(gateway, session.files.gateway);
  chmodSync(session.files.gateway, 0o666);
  return asked;
}

async function listen(server: Server, where: number | string): Promise<Server> {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => {
    if (typeof where === 'number') server.listen(where, '127.0.0.1', resolve);
    else server.listen(where, resolve);
  });
  return server;
}

test('programs reach outside through the proxy of their environment, base URLs lead to the gateway, and nothing else leads anywhere', async () => {
  await using session = new SessionFixture({ provider: 'demo' });
  const asked = await openGateway(session);
  using container = startContainer(session);
  const run = async (script: string) => (await session.exchange({ text: `run node -e '${script}'` })).join('\n');

  expect(await run('fetch("http://example.com/a").then((r) => r.text()).then(console.log)')).toContain(
    'outside answers /a',
  );
  expect(asked.splice(0)).toEqual(['CONNECT example.com:80']);
  const get = 'require("http").get("http://example.com/b", (r) => r.pipe(process.stdout))';
  expect(await run(get)).toContain('the gateway answers');
  expect(asked.splice(0)).toEqual(['GET http://example.com/b']);
  // A loopback address is asked for as it is: that is how base URLs work.
  const base = 'fetch("http://127.0.0.1:3128/service/github/user").then((r) => r.text()).then(console.log)';
  expect(await run(base)).toContain('the gateway answers');
  expect(asked.splice(0)).toEqual(['GET /service/github/user']);
  const alone = 'require("net").connect(53, "1.1.1.1").on("error", (e) => console.log(e.code))';
  expect(await run(alone)).toContain('ENETUNREACH');
  expect(await run('require("dns").lookup("example.com", (e) => console.log(e.code))')).toMatch(/EAI_AGAIN|ENOTFOUND/);
  expect(asked).toEqual([]);
  // The port is nobody's else: it is up before anything runs.
  expect(container.look('cat /proc/net/tcp')).toContain('0100007F:0C38');
});
