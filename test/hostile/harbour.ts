/**
 * One host with honest agents and attackers side by side, all in real containers: what an attacker does, and
 * how long the honest ones take meanwhile.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SessionPaths, sessionPaths } from '../../shared/session-files.ts';
import { Hosted } from '../support/hosted/hosted.ts';
import { Platform, type Posted } from '../support/hosted/platform.ts';
import { CHANNEL_OF, type Report, type ReportedSession } from '../support/hosted/protocol.ts';
import { until } from '../support/until.ts';
import { type AttackerImage, buildAttackerImage } from './image.ts';

const HONEST = ['honest-one', 'honest-two'];
const CHANNEL = CHANNEL_OF.native;
/** Fewer say little. */
const MIN_PINGS = 10;
/** An honest answer that takes longer is lost. */
const PING_DEADLINE_MS = 30_000;

export class Harbour {
  readonly platform: Platform;
  /** A file of the host's that no container may read or harm; its content is in no other place. */
  readonly precious: string;
  readonly secret: string;
  readonly home: string;
  readonly hosted: Hosted;
  readonly #folder: string;
  readonly #image: AttackerImage;
  readonly #waiting = new Map<string, (posted: Posted) => void>();
  #pings = 0;

  private constructor(folder: string, image: AttackerImage, attackers: Hosted, platform: Platform, secret: string) {
    this.#folder = folder;
    this.#image = image;
    this.hosted = attackers;
    this.platform = platform;
    this.secret = secret;
    this.home = join(folder, 'home');
    this.precious = join(this.home, 'precious.txt');
    platform.onPost = (posted) => this.#waiting.get(posted.text)?.(posted);
  }

  static async open(attackers: readonly string[]): Promise<Harbour> {
    const base = process.env.PORTOLAN_IMAGE;
    if (base === undefined) throw new Error('the set-up of the tests names the agent image');
    const image = await buildAttackerImage(base);
    const folder = mkdtempSync(join(tmpdir(), 'portolan-hostile-'));
    const home = join(folder, 'home');
    const platform = new Platform();
    const secret = `secret-${Math.random().toString(36).slice(2)}`;
    const agents = [
      ...HONEST.map((name) => ({ name, provider: 'echo' })),
      ...attackers.map((name) => ({ name, provider: 'echo', image: image.tag })),
    ];
    const hosted = await Hosted.start(
      {
        ...{ home, driver: 'docker', image: base, agents, end: null, maxRunning: 12 },
        ...{ pauseAfterMs: 10 * 60_000, stopAfterMs: 20 * 60_000 },
        chats: agents.map(({ name }) => ({ agent: name, idempotency: 'native', platformId: name })),
      },
      platform,
      { PORTOLAN_TEST_SECRET: secret },
    );
    const harbour = new Harbour(folder, image, hosted, platform, secret);
    if ((await hosted.ready) !== 'ready') throw new Error(`the host did not start:\n${hosted.output}`);
    writeFileSync(harbour.precious, secret, { mode: 0o644 });
    return harbour;
  }

  /** Milliseconds from a message to its answer, for honest agents by turns, one after the other for so long. */
  async ping(forMs: number): Promise<number[]> {
    const took: number[] = [];
    const end = performance.now() + forMs;
    while (took.length < MIN_PINGS || performance.now() < end) {
      const text = `ping ${++this.#pings}`;
      const startedAt = performance.now();
      const posted = this.#nextPost(text);
      const answer = await this.hosted.receive(CHANNEL, HONEST[took.length % HONEST.length] ?? '', text, null);
      if (answer.kind !== 'accepted') throw new Error(`an honest message was not taken: ${JSON.stringify(answer)}`);
      took.push((await posted).at - startedAt);
    }
    return took;
  }

  #nextPost(text: string): Promise<Posted> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to "${text}"`)), PING_DEADLINE_MS);
      this.#waiting.set(text, (posted) => {
        clearTimeout(timer);
        this.#waiting.delete(text);
        resolve(posted);
      });
    });
  }

  /** Starts the attacker's container, which waits for its task. */
  async wake(name: string): Promise<void> {
    const { messageId } = await this.#tell(name, {});
    await until(`${name} is awake`, async () => (await this.hosted.stateOf(messageId)) === 'answered', 30_000);
  }

  /** Has the attacker begin. */
  async unleash(name: string, args: Record<string, string>): Promise<void> {
    await this.#tell(name, args);
  }

  async #tell(name: string, args: Record<string, string>): Promise<{ messageId: string }> {
    const answer = await this.hosted.receive(CHANNEL, name, JSON.stringify(args), null);
    const routed = answer.kind === 'accepted' && answer.outcome.kind === 'routed' ? answer.outcome.messages[0] : null;
    if (routed == null) throw new Error(`the attacker was not told: ${JSON.stringify(answer)}`);
    return routed;
  }

  async report(): Promise<Report> {
    const report = await this.hosted.report();
    if (report === null) throw new Error(`the host is gone:\n${this.hosted.output}`);
    return report;
  }

  async session(name: string): Promise<ReportedSession> {
    // Asked many times: without the messages, of which there are thousands.
    const session = (await this.hosted.sessions())?.find(({ agent }) => agent === name);
    if (session === undefined) throw new Error(`no session of ${name}`);
    return session;
  }

  /** Why rows of its agent were refused, as the ledger has it. */
  async refusals(name: string): Promise<string[]> {
    const { id } = await this.session(name);
    return (await this.report()).refusals.flatMap(({ sessionId, reason }) => (sessionId === id ? [reason] : []));
  }

  /** A session's folder, as the host sees it. */
  async folder(name: string): Promise<SessionPaths> {
    const { id, agentId } = await this.session(name);
    return sessionPaths(this.home, agentId, id);
  }

  /** What the attacker said in its own chat, once it matches. */
  untilSaid(name: string, wanted: RegExp, deadlineMs = 30_000): Promise<string> {
    const find = () => this.platform.inChat(CHANNEL, name).find(({ text }) => wanted.test(text))?.text;
    return until(`${name} says ${wanted}`, find, deadlineMs);
  }

  /** Ends the attacker for good; resolves when its container is gone. */
  async putAway(name: string): Promise<void> {
    const { id } = await this.session(name);
    await this.hosted.quarantine(id, 'the test is done with it');
    await until('its container is gone', () => this.#containers(id).length === 0);
  }

  /** Runs a command of docker on the attacker's container. */
  async docker(name: string, command: 'top' | 'logs'): Promise<string> {
    const { id } = await this.session(name);
    const [container] = this.#containers(id);
    if (container === undefined) throw new Error(`${name} has no container`);
    return execFileSync('docker', [command, container], { encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
  }

  #containers(sessionId: string): string[] {
    const filter = `label=portolan.session=${sessionId}`;
    const out = execFileSync('docker', ['ps', '--all', '--quiet', '--filter', filter], { encoding: 'utf8' });
    return out.split('\n').filter((line) => line !== '');
  }

  /** What must hold after each attack, whatever it was. Every breach, in words. */
  async findBreaches(name: string, pid: number): Promise<string[]> {
    const vitals = await this.hosted.vitals();
    if (vitals === null) throw new Error(`the host is gone:\n${this.hosted.output}`);
    const breaches: string[] = [];
    if (vitals.pid !== pid) breaches.push('the host is another process');
    if (readFileSync(this.precious, 'utf8') !== this.secret) breaches.push('the host’s file was changed');
    for (const posted of this.platform.posted) {
      const shown = `${posted.text} ${posted.files.map(({ head }) => head).join(' ')}`;
      if (shown.includes(this.secret)) breaches.push(`a secret was posted in ${posted.platformId}`);
      if (posted.platformId !== name || posted.text.startsWith('ping')) continue;
      for (const { name: file } of posted.files) {
        if (/[/\\\p{Cc}\p{Cf}]/u.test(file)) breaches.push(`an unsafe file name was posted: ${JSON.stringify(file)}`);
      }
    }
    const strangers = this.platform.posted.filter(
      ({ platformId, text }) => HONEST.includes(platformId) && !text.startsWith('ping'),
    );
    for (const { platformId, text } of strangers) breaches.push(`posted in the chat of ${platformId}: ${text}`);
    if (vitals.ledgerBreak !== null) breaches.push('the ledger’s chain is broken');
    return breaches;
  }

  async close(): Promise<void> {
    await this.hosted.stop();
    const report = execFileSync('docker', ['ps', '--all', '--format', '{{.ID}} {{.Mounts}}', '--no-trunc'], {
      encoding: 'utf8',
    });
    const own = report.split('\n').flatMap((line) => (line.includes(this.#folder) ? [line.split(' ')[0] ?? ''] : []));
    if (own.length > 0) execFileSync('docker', ['rm', '--force', ...own], { stdio: 'ignore' });
    // Node's own removal ends at folders nested beyond the longest path.
    execFileSync('rm', ['-rf', this.#folder]);
    this.#image[Symbol.dispose]();
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
