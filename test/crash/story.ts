/**
 * One home and the lives of the hosts on it: people write, hosts die, platforms repeat what was not
 * acknowledged, and at the end a host is left in peace until everything has come to its end.
 */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { homePaths } from '../../host/config/home.ts';
import { Hosted } from '../support/hosted/hosted.ts';
import { Platform } from '../support/hosted/platform.ts';
import {
  CHANNEL_OF,
  type ChatSetUp,
  type EndPlan,
  type HostedOptions,
  type Report,
} from '../support/hosted/protocol.ts';
import { findRunners, killRunners } from '../support/hosted/runners.ts';
import { until } from '../support/until.ts';
import type { Random } from './random.ts';

/** One message that somebody wrote on a platform. */
export interface Written {
  clientId: string;
  text: string;
  chat: ChatSetUp;
  /** The host has said ok; before that the platform tries again. */
  isAccepted: boolean;
  isUnderWay: boolean;
  messageId: string | null;
}

export interface StoryOptions {
  driver: 'process' | 'docker';
  image: string;
  chats: ChatSetUp[];
  acquaintances?: HostedOptions['acquaintances'];
  provider?: string;
  pauseAfterMs: number;
  stopAfterMs: number;
  env?: NodeJS.ProcessEnv;
}

export interface LifeOptions {
  /** Null: killed from outside. */
  end: EndPlan | null;
  /** New messages of this life. */
  messages: number;
  /** Wait before anybody writes: containers pause meanwhile. */
  idleFirstMs: number;
  /** And after everything is answered, for what the host still does then. */
  lingerMs: number;
  /** Killed from outside this long after people wrote. */
  killAfterMs?: number;
  /** Called once the messages are on their way. */
  meanwhile?: () => Promise<void> | void;
}

/**
 * A life that no boundary ends goes on until its messages are answered, or as long as five of its own starts, and
 * this at least: where starting takes long, so does coming to a boundary, and a host killed from outside before it
 * got there proves little.
 */
const LIFE_MS = 1_500;
const STARTS_PER_LIFE = 5;
/** A host in peace moves something in this time: the longest back-off of one try is 40 s, and none should be needed. */
const STILL_MS = 60_000;
/** And is done in this time, however slow the machine. */
const PEACE_MS = 4 * STILL_MS;

export class Story {
  readonly home: string;
  readonly platform = new Platform();
  readonly written: Written[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'portolan-crash-'));
  readonly #random: Random;
  readonly #options: StoryOptions;
  #current: Hosted | null = null;
  kills = 0;
  /** Hosts that ended in order because they were asked to. */
  stops = 0;
  /** Where hosts ended, in order. */
  readonly deaths: string[] = [];

  constructor(random: Random, options: StoryOptions) {
    this.#random = random;
    this.#options = options;
    this.home = join(this.#folder, 'home');
  }

  /** Starts a host on the home; null when it ended before it was ready. */
  async start(end: EndPlan | null): Promise<Hosted | null> {
    const { driver, image, chats, acquaintances, provider, pauseAfterMs, stopAfterMs, env } = this.#options;
    const agents = [...new Set(chats.map(({ agent }) => agent))].map((name) => ({
      name,
      provider: provider ?? 'echo',
    }));
    const options: HostedOptions = {
      ...{ home: this.home, driver, image, chats, agents, pauseAfterMs, stopAfterMs, end, maxRunning: 16 },
      ...(acquaintances === undefined ? {} : { acquaintances }),
    };
    const hosted = await Hosted.start(options, this.platform, env);
    this.#current = hosted;
    return (await hosted.ready) === 'ready' ? hosted : null;
  }

  /** One host from start to end. */
  async live(life: LifeOptions): Promise<void> {
    const logged = this.#logBytes();
    const hosted = await this.start(life.end);
    if (hosted !== null) await this.#talk(hosted, life);
    const signal = life.end?.signal ?? 'SIGKILL';
    if (signal === 'SIGKILL') await this.#bury();
    else await this.#stop(signal, logged);
    this.#current = null;
  }

  /** Until the host ends by itself, is asked to, or nothing more is expected of it. */
  async #talk(hosted: Hosted, life: LifeOptions): Promise<void> {
    if (life.idleFirstMs > 0) await Promise.race([hosted.ended, sleep(life.idleFirstMs)]);
    const { chats } = this.#options;
    for (let n = 0; n < life.messages; n++) this.write(this.#random.pick(chats));
    this.deliver(hosted);
    await life.meanwhile?.();
    let deadline = performance.now() + (life.killAfterMs ?? Math.max(LIFE_MS, STARTS_PER_LIFE * hosted.startMs));
    let isAnswered = false;
    while (!hosted.hasEnded && !hosted.isStopping && performance.now() < deadline) {
      if (!isAnswered && this.isAnswered()) {
        isAnswered = true;
        deadline = Math.min(deadline, performance.now() + life.lingerMs);
      }
      await Promise.race([hosted.ended, sleep(5)]);
      this.deliver(hosted);
    }
  }

  /** Somebody writes; `deliver` hands it to a host. */
  write(chat: ChatSetUp): Written {
    const number = this.written.length + 1;
    const written: Written = {
      ...{ clientId: `c${number}`, text: `message ${number}`, chat },
      ...{ isAccepted: false, isUnderWay: false, messageId: null },
    };
    this.written.push(written);
    return written;
  }

  /** The platform's side: what no host acknowledged is told again, with the same id. */
  deliver(hosted: Hosted): void {
    for (const written of this.written) {
      if (written.isAccepted || written.isUnderWay) continue;
      written.isUnderWay = true;
      const { chat, text, clientId } = written;
      void hosted.receive(CHANNEL_OF[chat.idempotency], chat.platformId, text, clientId).then((answer) => {
        written.isUnderWay = false;
        if (answer.kind !== 'accepted') return;
        if (answer.outcome.kind !== 'routed') throw new Error(`dropped: ${answer.outcome.reason}`);
        written.isAccepted = true;
        const messageId = answer.outcome.messages[0]?.messageId ?? null;
        if (written.messageId !== null && written.messageId !== messageId)
          throw new Error('another id for one message');
        written.messageId = messageId;
      });
    }
  }

  /** Whether everything that was written has been answered on its platform. */
  isAnswered(): boolean {
    const posted = new Set(this.platform.posted.map(({ text }) => text));
    return this.written.every(({ isAccepted, text }) => isAccepted && posted.has(text));
  }

  /** A host that nobody kills. */
  async startLast(): Promise<Hosted> {
    const hosted = await this.start(null);
    if (hosted === null) throw new Error(`a host in peace died:\n${this.#current?.output}`);
    return hosted;
  }

  /** In peace, until nothing that people see is under way. */
  async untilQuiet(hosted: Hosted): Promise<Report> {
    let last: Report | null = null;
    let seen = '';
    let movedAt = performance.now();
    try {
      return await until(
        'everything comes to its end',
        async () => {
          if (hosted.hasEnded) throw new Error(`a host in peace died:\n${hosted.output}`);
          this.deliver(hosted);
          if (this.written.some(({ isAccepted }) => !isAccepted)) return null;
          last = await hosted.report();
          const isOpen = last?.messages.some(({ state }) => ['queued', 'read', 'sending'].includes(state)) ?? true;
          const states = last?.messages.map(({ id, state, stateReason }) => [id, state, stateReason]);
          const now = JSON.stringify([states, last?.sessions]);
          if (now !== seen) [seen, movedAt] = [now, performance.now()];
          if (performance.now() - movedAt > STILL_MS) throw new Error(`nothing has moved for ${STILL_MS} ms`);
          const known = new Set(last?.messages.map(({ id }) => id as string));
          return isOpen || this.written.some(({ messageId }) => !known.has(messageId ?? '')) ? null : last;
        },
        PEACE_MS,
      );
    } catch (error) {
      const open = (last as Report | null)?.messages.filter(({ state }) =>
        ['queued', 'read', 'sending'].includes(state),
      );
      const missing = this.written.filter(({ isAccepted }) => !isAccepted);
      throw new Error(
        `not quiet: ${JSON.stringify({ open, missing, sessions: (last as Report | null)?.sessions }, null, 1)}`,
        { cause: error },
      );
    }
  }

  /** Until every session shows this state, or as many as are asked for: some may leave it before others come to it. */
  async untilShown(hosted: Hosted, wanted: string, howMany: 'every' | 'some'): Promise<void> {
    await until(
      `${howMany} session is ${wanted}`,
      async () => (await hosted.report())?.sessions.filter(({ agent }) => agent !== 'main')[howMany](isWanted),
      30_000,
    );
    function isWanted({ state }: { state: string }): boolean {
      return state === wanted;
    }
  }

  async #bury(): Promise<void> {
    const hosted = this.#current;
    if (hosted === null) return;
    const wasRunning = !hosted.hasEnded;
    await hosted.kill();
    const { code } = await hosted.ended;
    if (code !== null) throw new Error(`a host ended by itself with code ${code}:\n${hosted.output}`);
    this.kills++;
    this.deaths.push(wasRunning ? 'killed from outside' : (hosted.output.split('\n').at(-1) ?? ''));
  }

  /** People go on writing while the host stops. Throws when it does not do so in order and in silence. */
  async #stop(signal: 'SIGTERM' | 'SIGINT', logged: number): Promise<void> {
    const hosted = this.#current;
    if (hosted === null) return;
    await Promise.all([hosted.stop(signal), this.#deliverUntilGone(hosted)]);
    const where = /^SIG.* at .*$/m.exec(hosted.output)?.[0] ?? `${signal} from outside`;
    if (hosted.errors !== '') throw new Error(`a host that stopped after ${where} printed:\n${hosted.errors}`);
    const complaints = this.#errorsLogged(logged);
    if (complaints.length > 0) throw new Error(`a host that stopped after ${where} logged:\n${complaints.join('\n')}`);
    if (signal === 'SIGINT') await until('the runners of a stopped host are gone', () => this.#hasNoRunners());
    this.stops++;
    this.deaths.push(where);
  }

  async #deliverUntilGone(hosted: Hosted): Promise<void> {
    while (!hosted.hasEnded) {
      this.deliver(hosted);
      await Promise.race([hosted.ended, sleep(5)]);
    }
  }

  #hasNoRunners(): boolean {
    return findRunners(this.home).length === 0;
  }

  get #logFile(): string {
    return homePaths(this.home).logFile;
  }

  #logBytes(): number {
    return statSync(this.#logFile, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Lines of level error and above, from a place in the log on. */
  #errorsLogged(from: number): string[] {
    const lines = readFileSync(this.#logFile).subarray(from).toString('utf8').trim().split('\n');
    return lines.filter((line) => lineSchema.parse(JSON.parse(line)).level >= LEVEL_ERROR);
  }

  /** Ends what runs and removes the folder. */
  async dispose(): Promise<void> {
    await this.#current?.kill();
    killRunners(findRunners(this.home));
    await until('the runners are gone', () => this.#hasNoRunners());
    if (process.env.PORTOLAN_CRASH_KEEP === '1') return console.log(`crash: kept ${this.home}`);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Of pino. */
const LEVEL_ERROR = 50;
const lineSchema = z.object({ level: z.number() });

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
