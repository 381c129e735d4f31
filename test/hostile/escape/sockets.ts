/** Ways out that need no gateway. */

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { EscapeReport, EscapeTask } from './main.ts';
import { codeOf, tryConnect } from './wire.ts';

export async function trySockets({ innerPort, apiPort, hostAddresses }: EscapeTask): Promise<EscapeReport> {
  const hosts = Object.fromEntries(
    await Promise.all(
      hostAddresses.map(async (host) => [`tcp host ${host}`, await tryConnect({ host, port: innerPort })] as const),
    ),
  );
  return {
    interfaces: Object.keys(networkInterfaces()),
    routes: readFileSync('/proc/net/route', 'utf8').trim().split('\n').slice(1),
    ...hosts,
    'tcp public': await tryConnect({ host: '1.1.1.1', port: 443 }),
    'tcp public v6': await tryConnect({ host: '2606:4700:4700::1111', port: 443 }),
    'tcp metadata': await tryConnect({ host: '169.254.169.254', port: 80 }),
    'tcp metadata v6': await tryConnect({ host: 'fd00:ec2::254', port: 80 }),
    'tcp bridge': await tryConnect({ host: '172.17.0.1', port: innerPort }),
    'tcp own loopback': await tryConnect({ host: '127.0.0.1', port: innerPort }),
    'tcp api': await tryConnect({ host: '127.0.0.1', port: apiPort }),
    'tcp dns': await tryConnect({ host: '8.8.8.8', port: 53 }),
    'udp dns': await trySend('8.8.8.8', 53),
    'udp metadata': await trySend('169.254.169.254', 53),
    'udp broadcast': await trySend('255.255.255.255', 67),
    'udp multicast': await trySend('224.0.0.251', 5353),
    getaddrinfo: await tryName(() => lookup('open.example.com')),
    'resolver of its own': await tryName(() => resolverAt('8.8.8.8').resolve4('open.example.com')),
    'resolver of docker': await tryName(() => resolverAt('127.0.0.11').resolve4('open.example.com')),
    'raw sockets': tryRawSocket(),
    'new network': spawnSync('unshare', ['--net', 'true']).status === 0 ? 'worked' : 'no',
  };
}

function trySend(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (word: string) => {
      socket.close();
      resolve(word);
    };
    socket.once('error', (error) => done(codeOf(error)));
    socket.send('who is there', port, host, (error) => done(error === null ? 'sent' : codeOf(error)));
  });
}

function resolverAt(server: string): Resolver {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([server]);
  return resolver;
}

async function tryName(resolve: () => Promise<unknown>): Promise<string> {
  try {
    return `resolved: ${JSON.stringify(await resolve())}`;
  } catch (error) {
    return codeOf(error);
  }
}

/** ICMP needs one; perl can, which Node's own modules cannot. A raw one, then what ping uses: the error's number, or `sent`. */
function tryRawSocket(): string {
  const script = `use Socket;
    print socket(my $raw, PF_INET, SOCK_RAW, 1) ? "open" : 0 + $!, " ";
    my $echo = pack("CCnnn", 8, 0, 0, 1, 1);
    if (!socket(my $ping, PF_INET, SOCK_DGRAM, 1)) { print 0 + $! }
    else { print send($ping, $echo, 0, sockaddr_in(0, inet_aton("8.8.8.8"))) ? "sent" : 0 + $! }`;
  const tried = spawnSync('/usr/bin/perl', ['-e', script], { encoding: 'utf8' });
  return tried.error === undefined ? tried.stdout : codeOf(tried.error);
}
