/**
 * A Docker Engine of the test's own, beside the machine's: so that it can be stopped and started while nobody
 * else notices. Needs root, like any engine.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

/** From start to an answer, on a busy machine. */
const READY_MS = 60_000;

export class OwnEngine {
  /** Short, because a Unix socket's path may have 107 bytes and the engine adds its own. */
  readonly #folder = mkdtempSync('/tmp/pe-');
  #daemon: ChildProcess | null = null;

  get host(): string {
    return `unix://${join(this.#folder, 'd.sock')}`;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.#folder, 'log'), 'a');
    const folder = (name: string) => join(this.#folder, name);
    // In a network of its own: an engine without a bridge takes docker0 away, and that is the machine's.
    const daemon = spawn(
      'unshare',
      [
        ...['--net', 'dockerd'],
        ...[
          '--host',
          this.host,
          '--data-root',
          folder('data'),
          '--exec-root',
          folder('exec'),
          '--pidfile',
          folder('pid'),
        ],
        ...['--bridge=none', '--iptables=false', '--ip-forward=false', '--ip-masq=false'],
      ],
      { stdio: ['ignore', log, log] },
    );
    closeSync(log);
    this.#daemon = daemon;
    await until(
      'the engine answers',
      () => {
        if (daemon.exitCode !== null) throw new Error(`dockerd ended:\n${this.#tail()}`);
        return spawnSync('docker', ['--host', this.host, 'version'], { stdio: 'ignore' }).status === 0;
      },
      READY_MS,
    );
  }

  /** An orderly stop, as by the system: its containers end with it. */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null) return;
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await ended;
  }

  /** Copies an image from the machine's engine. */
  async load(image: string): Promise<void> {
    const save = spawn('docker', ['save', image], { stdio: ['ignore', 'pipe', 'ignore'] });
    const load = spawn('docker', ['--host', this.host, 'load'], { stdio: [save.stdout, 'ignore', 'pipe'] });
    const [[saved], [loaded]] = await Promise.all([once(save, 'exit'), once(load, 'exit')]);
    if (saved !== 0 || loaded !== 0) throw new Error(`the image was not copied: ${saved}, ${loaded}`);
  }

  docker(...words: string[]): string {
    return execFileSync('docker', ['--host', this.host, ...words], { encoding: 'utf8' });
  }

  async dispose(): Promise<void> {
    if (this.#daemon !== null) {
      const ids = this.docker('ps', '--all', '--quiet')
        .split('\n')
        .filter((id) => id !== '');
      if (ids.length > 0) this.docker('rm', '--force', ...ids);
    }
    await this.stop();
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.#folder}/`)).reverse()) {
      execFileSync('umount', [mount]);
    }
    execFileSync('rm', ['-rf', this.#folder]);
  }

  #tail(): string {
    return readFileSync(join(this.#folder, 'log'), 'utf8').split('\n').slice(-20).join('\n');
  }
}
