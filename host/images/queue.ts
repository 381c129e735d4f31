/**
 * Builds, one at a time. What is to be built, and what came of it, are rows; each has a log.
 *
 *   queued ──▶ building ──▶ built | failed          an open row is taken up by the next host
 *
 * I1. One build runs at a time, agents take turns.
 * I2. An image is built once, however many ask for it meanwhile: they share the build and its end.
 * I3. The end of a build and its entry in the ledger are one commit.
 */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentGroupId, ImageBuildId, InstallId } from '../../shared/ids.ts';
import { errorCode, Fault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { failpoint } from '../observe/failpoint.ts';
import { imagesLog } from '../observe/logger.ts';
import type { AgentStore } from '../store/agents.ts';
import type { ImageBuild, ImageBuildStore } from '../store/image-builds.ts';
import type { Ledger } from '../store/ledger.ts';
import { type BuildEnd, makeImage } from './build.ts';
import type { ImageEngine } from './engine.ts';
import { FAILURE_LINE_CHARS, FAILURE_LINES, KEEP_BUILDS } from './limits.ts';
import { BuildLog } from './log.ts';
import { alone, stopping, whenEngineAnswers } from './patience.ts';
import { planNext } from './plan.ts';
import type { EngineImage } from './recipe.ts';

export interface QueueParts {
  engine: ImageEngine;
  installId: InstallId;
  /** Folder of the logs. */
  logs: string;
  agents: Pick<AgentStore, 'get'>;
  builds: ImageBuildStore;
  ledger: Ledger;
  commit: <T>(work: () => T) => T;
  /** Removes images that are not needed any more; called between builds. None that an open row names. */
  clean: () => Promise<void>;
  signal: AbortSignal;
  now: () => number;
}

export type BuildResult =
  | { kind: 'built'; image: string }
  /** `tail` is the last lines of its log. */
  | { kind: 'failed'; tail: string };

/** What to build; `build` is an open row. */
export interface Wanted {
  build: ImageBuild;
  base: EngineImage;
  /** Files that the engine builds of, as things are when its turn comes. */
  planContext: () => Promise<Readonly<Record<string, string>>>;
}

interface Job {
  wanted: Wanted;
  image: string;
  agentGroupId: AgentGroupId;
  /** Rows that share it, the first one's included. */
  builds: ImageBuild[];
  settle: PromiseWithResolvers<BuildResult>;
}

export class BuildQueue {
  readonly #parts: QueueParts;
  readonly #jobs: Job[] = [];
  readonly #servedAt = new Map<string, number>();
  readonly #logs = new Map<ImageBuildId, BuildLog>();
  readonly #underWay = new UnderWay();
  #running: Promise<void> | null = null;
  #mustClear = false;
  #mustClean = false;
  #cleaning: Promise<void> | null = null;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Before the first build: an earlier host may have left containers and images behind. */
  takeUp(): void {
    this.#mustClear = true;
    this.#mustClean = true;
    this.#running ??= this.#work();
  }

  /** Resolves with its end. Rejects with Fault `host_stopping`; then the row stays open. */
  add(wanted: Wanted): Promise<BuildResult> {
    // Nobody works any more: a job that comes now would have no end.
    if (this.#parts.signal.aborted) return Promise.reject(stopping());
    const { build } = wanted;
    const { image, agentGroupId } = build;
    let job = this.#jobs.find((each) => each.image === image);
    if (job === undefined) {
      job = { wanted, image, agentGroupId, builds: [], settle: makeResolvers() };
      // Whoever asked hears of it; a job that nobody waits for any more is no bug.
      job.settle.promise.catch(() => undefined);
      this.#jobs.push(job);
    }
    job.builds.push(build);
    const log = this.#logs.get(job.builds[0]?.id ?? build.id);
    if (log !== undefined) {
      this.#logs.set(build.id, log);
      this.#parts.builds.begin(build.id, this.#parts.now());
    }
    this.#running ??= this.#work();
    return job.settle.promise;
  }

  /** Ends a row that needs no build. */
  end(build: ImageBuild, end: BuildEnd): BuildResult {
    return this.#finish([build], end, end.kind === 'failed' ? end.why : '');
  }

  /** The log of a build that runs; of others there is a file. */
  liveLog(id: ImageBuildId): BuildLog | null {
    return this.#logs.get(id) ?? null;
  }

  logPath(id: ImageBuildId): string {
    return join(this.#parts.logs, `${id}.log`);
  }

  /** Resolves when no cleaning is under way. */
  async cleaned(): Promise<void> {
    await this.#cleaning;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#running;
    await this.#underWay[Symbol.asyncDispose]();
  }

  async #work(): Promise<void> {
    const { now, signal, engine, clean } = this.#parts;
    while (!signal.aborted) {
      // Here, where no build runs: neither can take away what one is using.
      if (this.#mustClear) await alone(() => whenEngineAnswers(signal, () => engine.removeLeftContainers()));
      this.#mustClear = false;
      const waiting = this.#jobs.map((job) => ({ job, agentGroupId: job.agentGroupId }));
      const job = planNext(waiting, this.#servedAt)?.job;
      if (job === undefined && !this.#mustClean) break;
      if (job === undefined) {
        this.#mustClean = false;
        this.#cleaning = alone(clean);
        await this.#cleaning;
        continue;
      }
      this.#servedAt.set(job.agentGroupId, now());
      await this.#runJob(job);
      this.#mustClean = true;
    }
    for (const { settle } of this.#jobs.splice(0)) settle.reject(stopping());
    // Without a wait since the last look at the jobs: none can have come in between.
    this.#running = null;
  }

  async #runJob(job: Job): Promise<void> {
    const { builds, now } = this.#parts;
    const first = job.wanted.build;
    const log = new BuildLog(this.logPath(first.id));
    for (const { id } of job.builds) {
      this.#logs.set(id, log);
      builds.begin(id, now());
    }
    failpoint('images.building');
    imagesLog.info({ agentGroupId: job.agentGroupId, image: job.image, buildId: first.id }, 'an image is being built');
    const end = await this.#make(job, log);
    this.#jobs.splice(this.#jobs.indexOf(job), 1);
    if (end instanceof Fault) {
      await log.end();
      job.settle.reject(end);
      return;
    }
    if (end.kind === 'failed') log.note(end.why);
    failpoint('images.built');
    const result = this.#finish(job.builds, end, formatTail(log));
    // Whoever follows the log hears of its end when the rows tell the outcome.
    await log.end();
    await this.#shareLog(job);
    for (const { id } of job.builds) this.#logs.delete(id);
    job.settle.resolve(result);
  }

  /** How it ended; the Fault when the host stops, which leaves it open. */
  async #make(job: Job, log: BuildLog): Promise<BuildEnd | Fault> {
    const { engine, agents, signal, now } = this.#parts;
    const { build, base, planContext } = job.wanted;
    const { image } = build;
    // Its last agent was removed: for nobody.
    const isAgentThere = () => job.builds.some((each) => agents.get(each.agentGroupId) !== null);
    const order = { base, planContext, image, log, isAgentThere, signal, now };
    try {
      return await whenEngineAnswers(signal, () => makeImage(engine, order));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === 'host_stopping') return error;
      imagesLog.warn({ err: error, image }, 'a build was refused');
      return { kind: 'failed', why: `${error.message}: ${causeOf(error)}` };
    }
  }

  /** I3 */
  #finish(builds: readonly ImageBuild[], end: BuildEnd, tail: string): BuildResult {
    const { commit, builds: rows, ledger, now } = this.#parts;
    const at = now();
    commit(() => {
      for (const build of builds) {
        const outcome = end.kind === 'built' ? end : ({ kind: 'failed', failure: tail } as const);
        if (!rows.end(build.id, outcome, at)) continue;
        const { agentGroupId, approvalId, image, packages } = build;
        const why = end.kind === 'failed' ? { why: end.why } : {};
        const made = {
          image,
          apt: packages.apt.join(' '),
          npm: packages.npm.join(' '),
          generation: packages.generation,
        };
        ledger.append(
          {
            kind: `image.${end.kind}`,
            sessionId: null,
            messageId: agentGroupId,
            actor: null,
            detail: { buildId: build.id, approvalId, ...made, ...why },
          },
          at,
        );
      }
    });
    for (const { agentGroupId } of builds) void this.#underWay.add(this.#prune(agentGroupId));
    const image = builds[0]?.image ?? '';
    imagesLog.info({ image, end: end.kind }, 'a build ended');
    return end.kind === 'built' ? { kind: 'built', image } : { kind: 'failed', tail };
  }

  /** Each row has a log of its own. */
  async #shareLog({ wanted, builds }: Job): Promise<void> {
    for (const { id } of builds) {
      if (id === wanted.build.id) continue;
      await ignoreMissing(copyFile(this.logPath(wanted.build.id), this.logPath(id)));
    }
  }

  /** A log that the disk does not let go of stays. */
  async #prune(agentGroupId: AgentGroupId): Promise<void> {
    for (const id of this.#parts.builds.prune(agentGroupId, KEEP_BUILDS)) {
      try {
        await rm(this.logPath(id), { force: true });
      } catch (error) {
        if (errorCode(error) === '') throw error;
        imagesLog.warn({ err: error, buildId: id }, 'the log of an old build could not be removed');
      }
    }
  }
}

/** The last of them says why it ended. */
function formatTail(log: BuildLog): string {
  return log
    .last(FAILURE_LINES)
    .map((line) => (line.length > FAILURE_LINE_CHARS ? `${line.slice(0, FAILURE_LINE_CHARS)}…` : line))
    .join('\n');
}

function causeOf({ cause }: Fault): string {
  return cause instanceof Error ? cause.message : 'the log of the host says more';
}

async function ignoreMissing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Fault) => void;
}

function makeResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: Fault) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
