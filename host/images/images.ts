/**
 * Agents' own images: which one an agent runs on, and how that comes to be.
 *
 *   imageFor ──ready──▶ the runtime starts containers
 *      │ waiting                              ensure ◀── an approval is carried out
 *      └─look─▶ there | missing ──▶ queue ◀─────┘
 *
 * I1. Asking costs no look at the engine and no statement: `imageFor` stands on the way of every start.
 * I2. What is under way is a row: the next host takes it up where this one died, under the same name.
 * I3. Only images with this install's label are removed: never one that a container uses, nor the newest of a
 *     living agent.
 */
import {
  type AgentGroupId,
  type ApprovalId,
  deriveId,
  type ImageBuildId,
  type InstallId,
  makeId,
} from '../../shared/ids.ts';
import { NO_PACKAGES, type Packages } from '../../shared/packages.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol.ts';
import { Fault } from '../config/errors.ts';
import { UnderWay } from '../config/under-way.ts';
import { imagesLog } from '../observe/logger.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { ImageBuild } from '../store/image-builds.ts';
import type { ImageEngine } from './engine.ts';
import { KEEP_BUILDS } from './limits.ts';
import { type BuildLog, noteCutOff } from './log.ts';
import { alone, whenEngineAnswers } from './patience.ts';
import { describeImage, type ImageFact, type ImageState, mustLook, planLayerRemovals, planRemovals } from './plan.ts';
import { findSource, hasLayer, layerImageName, type ProviderLayer } from './provider-layer.ts';
import { BuildQueue, type BuildResult, type QueueParts } from './queue.ts';
import {
  type EngineImage,
  formatDockerfile,
  formatLayerDockerfile,
  hasPackages,
  imageName,
  type Layer,
  planLayers,
} from './recipe.ts';

export interface ImageParts extends Omit<QueueParts, 'engine' | 'agents' | 'signal' | 'clean'> {
  /** Null where containers are plain processes: there are no images then. */
  engine: ImageEngine | null;
  installId: InstallId;
  /** What agents without packages run on, and all others stand on. */
  baseImage: string;
  /** What an agent's provider adds to the base. */
  layerOf: (provider: string) => ProviderLayer | null;
  agents: Pick<AgentStore, 'get'>;
  /** What `imageFor` says of this agent may have changed. */
  onChanged: (agentGroupId: AgentGroupId) => void;
  /** Something that the agent's admins should know. */
  tellAdmins: (agent: AgentGroup, text: string) => void;
  /** The layers of an image; others in tests of builds that misbehave. */
  planLayers?: (packages: Packages) => readonly Layer[];
}

type Possible = { kind: 'possible'; lines: string[] } | { kind: 'impossible'; why: string };

const NO_IMAGES = 'This host runs agents as plain processes, which have no images: packages need Docker.';
const MAKE_BASE = 'Type `npm run up`, which builds it.';

export class ImageBuilds implements AsyncDisposable {
  readonly #parts: ImageParts;
  readonly #engine: ImageEngine | null;
  readonly #queue: BuildQueue | null;
  readonly #stop = new AbortController();
  readonly #underWay = new UnderWay();
  /** By name. */
  readonly #bases = new Map<string, EngineImage>();
  readonly #facts = new Map<string, ImageFact>();
  /** Images whose failure admins were told of. */
  readonly #told = new Set<string>();

  constructor(parts: ImageParts) {
    this.#parts = parts;
    this.#engine = parts.engine;
    const { engine } = parts;
    this.#queue =
      engine === null
        ? null
        : new BuildQueue({ ...parts, engine, signal: this.#stop.signal, clean: () => this.#clean(engine) });
  }

  /** Takes up what an earlier host left (I2), and clears away what it left behind. Nobody waits for that. */
  start(): void {
    const { builds, agents } = this.#parts;
    const open = builds.listOpen();
    // An install that never built anything asks the engine nothing.
    if (open.length === 0 && builds.listAgents().length === 0) return;
    const queue = this.#queue;
    if (queue === null) {
      for (const build of open) builds.end(build.id, { kind: 'failed', failure: NO_IMAGES }, this.#parts.now());
      return;
    }
    queue.takeUp();
    for (const build of open) {
      if (build.state === 'building') noteCutOff(queue.logPath(build.id));
      const agent = agents.get(build.agentGroupId);
      if (agent === null) queue.end(build, { kind: 'failed', why: 'The agent was removed.' });
      else void this.#underWay.add(alone(async () => void (await this.#build(agent, build))));
    }
  }

  /** What the agent's next container is made of (I1). Looks for what is not known; `onChanged` tells the end of that. */
  imageFor(agent: AgentGroup): ImageState {
    const base = this.#baseOf(agent);
    if (!this.#isOwn(agent)) return { kind: 'ready', image: base };
    const known = this.#bases.get(base);
    const image = known === undefined ? base : this.#nameFor(agent, known, agent.config.packages);
    if (mustLook(this.#facts.get(image), this.#parts.now())) {
      this.#facts.set(image, { kind: 'looking', instead: this.#insteadOf(image) });
      const work = () => (known === undefined ? this.#lookForBase(agent, base) : this.#lookFor(agent, image));
      void this.#underWay.add(this.#look(agent, image, work));
    }
    return describeImage(image, this.#facts.get(image), known === undefined ? MAKE_BASE : hintFor(agent));
  }

  /** The same, right before a start: an image that somebody removed is found missing, and built again. */
  async confirm(agent: AgentGroup): Promise<ImageState> {
    const state = this.imageFor(agent);
    if (this.#engine === null || state.kind !== 'ready' || !this.#isOwn(agent)) return state;
    try {
      if ((await this.#engine.find(state.image)) !== null) return state;
    } catch (error) {
      // The start meets that, too, and knows what to do about an engine that is away.
      if (error instanceof Fault) return state;
      throw error;
    }
    for (const [image, fact] of this.#facts) {
      const instead = fact.kind === 'there' ? null : fact.instead;
      if (image === state.image || instead === state.image) this.#facts.delete(image);
    }
    return this.imageFor(agent);
  }

  /**
   * Sees to it that the image exists. One approval has one build, however often it is carried out. Waits while the
   * engine is away. Throws Fault `host_stopping`, `engine_refused` (both retryable); the next host takes it up (I2).
   */
  ensure(
    agent: AgentGroup,
    packages: Packages,
    { approvalId }: { approvalId: ApprovalId | null },
  ): Promise<BuildResult> {
    return this.#underWay.add(this.#ensure(agent, packages, approvalId));
  }

  async #ensure(agent: AgentGroup, packages: Packages, approvalId: ApprovalId | null): Promise<BuildResult> {
    if (this.#engine === null) return { kind: 'failed', tail: NO_IMAGES };
    if (!hasPackages(packages) && this.#layerOf(agent) === null) {
      return { kind: 'built', image: this.#baseOf(agent) };
    }
    const found = await this.#findBase(agent);
    if (found === null) return { kind: 'failed', tail: `${this.#baseOf(agent)} is missing. ${MAKE_BASE}` };
    return this.#build(agent, this.#record(agent, packages, this.#nameFor(agent, found, packages), approvalId));
  }

  /** What a build with these packages comes to, for who decides about it. */
  describe(agent: AgentGroup, { apt, npm }: Pick<Packages, 'apt' | 'npm'>): Possible {
    const layer = this.#layerOf(agent);
    const base = `${this.#baseOf(agent)}${layer === null ? '' : ` with ${layer.name}`}`;
    if (this.#engine === null) return { kind: 'impossible', why: NO_IMAGES };
    if (!hasPackages({ apt, npm })) return { kind: 'possible', lines: [`runs on ${base} as it is`] };
    const scripts = [
      ...(apt.length > 0 ? ['Debian packages run their scripts as root'] : []),
      ...(npm.length > 0 ? ['npm packages run theirs without root'] : []),
    ];
    return { kind: 'possible', lines: [`image rebuild on ${base}; during it, with network, ${scripts.join(', ')}`] };
  }

  /** Forgets that the agent's image could not be built: it is tried again now. */
  retry(agent: AgentGroup): ImageState {
    for (const [image, fact] of this.#facts) if (fact.kind === 'failed') this.#facts.delete(image);
    this.#told.clear();
    this.#parts.onChanged(agent.id);
    return this.imageFor(agent);
  }

  get(id: ImageBuildId): ImageBuild | null {
    return this.#parts.builds.get(id);
  }

  /** Newest first, strictly before the one with this id. */
  list(agentGroupId: AgentGroupId, limit: number, before: ImageBuildId | null): ImageBuild[] {
    return this.#parts.builds.listOfAgent(agentGroupId, limit, before);
  }

  /** The log of a build that runs, and the file of one that ended. */
  logOf(id: ImageBuildId): { live: BuildLog | null; path: string } | null {
    return this.#queue === null ? null : { live: this.#queue.liveLog(id), path: this.#queue.logPath(id) };
  }

  /** Ends the build under way; the next host takes it up. Resolves when nothing writes any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#underWay[Symbol.asyncDispose]();
    await this.#queue?.idle();
  }

  #baseOf(agent: AgentGroup): string {
    return agent.config.image ?? this.#parts.baseImage;
  }

  #layerOf(agent: AgentGroup): ProviderLayer | null {
    return this.#parts.layerOf(agent.config.provider);
  }

  /** Whether the agent runs on an image that was made here, and not on the base as it is. */
  #isOwn(agent: AgentGroup): boolean {
    return this.#engine !== null && (hasPackages(agent.config.packages) || this.#layerOf(agent) !== null);
  }

  /** Of an image that is made here. */
  #nameFor(agent: AgentGroup, base: EngineImage, packages: Packages): string {
    const layer = this.#layerOf(agent);
    if (layer !== null && !hasPackages(packages)) return layerImageName(base.id, layer);
    return imageName(this.#parts.installId, base.id, packages, layer);
  }

  /** With Docker there are both. */
  #tools(): { engine: ImageEngine; queue: BuildQueue } {
    if (this.#engine === null || this.#queue === null) throw new Error('plain processes have no images');
    return { engine: this.#engine, queue: this.#queue };
  }

  async #findBase(agent: AgentGroup): Promise<EngineImage | null> {
    const base = this.#baseOf(agent);
    const { engine } = this.#tools();
    const found = this.#bases.get(base) ?? (await whenEngineAnswers(this.#stop.signal, () => engine.find(base)));
    if (found !== null) this.#bases.set(base, found);
    return found;
  }

  async #lookForBase(agent: AgentGroup, base: string): Promise<void> {
    const found = await this.#findBase(agent);
    const { now, onChanged } = this.#parts;
    if (found !== null) this.#facts.delete(base);
    else this.#facts.set(base, { kind: 'failed', at: now(), why: `${base} is missing.`, instead: null });
    onChanged(agent.id);
  }

  /** A step that the engine refuses is a failure of this image, and no other's. */
  async #look(agent: AgentGroup, image: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === 'host_stopping') return;
      imagesLog.warn({ err: error, image }, 'the engine refused a step');
      this.#note(agent, image, { kind: 'failed', at: this.#parts.now(), why: `${error.message}.`, instead: null });
    }
  }

  /** Looks whether it is there; builds it when it is not. */
  async #lookFor(agent: AgentGroup, image: string): Promise<void> {
    const { engine } = this.#tools();
    const { packages } = agent.config;
    if ((await whenEngineAnswers(this.#stop.signal, () => engine.find(image))) !== null) {
      this.#note(agent, image, { kind: 'there' });
      return;
    }
    this.#note(agent, image, { kind: 'building', instead: this.#insteadOf(image) });
    const result = await this.#build(agent, this.#record(agent, packages, image, null));
    if (result.kind === 'failed') await this.#fallBack(agent, image, result.tail);
  }

  #insteadOf(image: string): string | null {
    const fact = this.#facts.get(image);
    return fact === undefined || fact.kind === 'there' ? null : fact.instead;
  }

  #note(agent: AgentGroup, image: string, fact: ImageFact): void {
    this.#facts.set(image, fact);
    this.#parts.onChanged(agent.id);
  }

  /** Until it can be built, an older image of the same packages serves, if it speaks this host's protocol. */
  async #fallBack(agent: AgentGroup, image: string, tail: string): Promise<void> {
    const { engine } = this.#tools();
    const { builds, now, tellAdmins } = this.#parts;
    const names = ({ apt, npm }: Packages) => JSON.stringify([apt.toSorted(), npm.toSorted()]);
    let instead: string | null = null;
    for (const build of builds.listOfAgent(agent.id, KEEP_BUILDS)) {
      if (build.state !== 'built' || names(build.packages) !== names(agent.config.packages)) continue;
      if (!hasLayer(build.image, this.#layerOf(agent))) continue;
      const found = await whenEngineAnswers(this.#stop.signal, () => engine.find(build.image));
      if (found?.protocol !== String(PROTOCOL_VERSION)) continue;
      instead = build.image;
      break;
    }
    this.#note(agent, image, { kind: 'failed', at: now(), why: tail.split('\n').at(-1) ?? '', instead });
    // Once: it is tried again and again while work waits.
    if (this.#told.has(image)) return;
    this.#told.add(image);
    const consequence = instead === null ? 'It cannot run until that succeeds.' : 'It goes on with its older image.';
    tellAdmins(
      agent,
      `The image of ${agent.name} could not be built again. ${consequence} ${hintFor(agent)}\n\n${tail}`,
    );
  }

  /** The row of a build; of one approval and image there is one. */
  #record(agent: AgentGroup, packages: Packages, image: string, approvalId: ApprovalId | null): ImageBuild {
    const { builds, now } = this.#parts;
    const createdAt = now();
    const id = approvalId === null ? makeId('imageBuild', createdAt) : deriveId('imageBuild', approvalId, image);
    builds.insert({ id, agentGroupId: agent.id, approvalId, image, packages, createdAt });
    const build = builds.get(id);
    if (build === null) throw new Error('the build vanished');
    return build;
  }

  /** Builds what the row says, unless that has been done. */
  async #build(agent: AgentGroup, build: ImageBuild): Promise<BuildResult> {
    const { engine, queue } = this.#tools();
    const { image, packages } = build;
    if (build.state === 'failed') return { kind: 'failed', tail: build.failure ?? '' };
    const base = await this.#findBase(agent);
    if (base === null || this.#nameFor(agent, base, packages) !== image) {
      return queue.end(build, { kind: 'failed', why: 'What it was to stand on is not there any more.' });
    }
    const standing = await this.#ensureLayer(agent, base, packages);
    if ('kind' in standing) return queue.end(build, { kind: 'failed', why: standing.tail });
    // Its row keeps the image from the next cleaning; one that is under way may take it.
    await queue.cleaned();
    const isThere = (await whenEngineAnswers(this.#stop.signal, () => engine.find(image))) !== null;
    const planContext = () => this.#planContext(agent, standing, build);
    const result = isThere
      ? queue.end(build, { kind: 'built' })
      : await queue.add({ build, base: standing, planContext });
    if (result.kind === 'built') this.#note(agent, image, { kind: 'there' });
    return result;
  }

  /** What an agent's packages stand on: the base, or what its provider made of that, built before them if need be. */
  async #ensureLayer(
    agent: AgentGroup,
    base: EngineImage,
    packages: Packages,
  ): Promise<EngineImage | Extract<BuildResult, { kind: 'failed' }>> {
    const layer = this.#layerOf(agent);
    if (layer === null || !hasPackages(packages)) return base;
    const { engine } = this.#tools();
    const image = layerImageName(base.id, layer);
    const find = () => whenEngineAnswers(this.#stop.signal, () => engine.find(image));
    const found = await find();
    if (found !== null) return found;
    const result = await this.#build(agent, this.#record(agent, NO_PACKAGES, image, null));
    if (result.kind === 'failed') return result;
    return (await find()) ?? { kind: 'failed', tail: `${image} vanished while it was to be built upon.` };
  }

  async #planContext(
    agent: AgentGroup,
    base: EngineImage,
    { image, packages }: ImageBuild,
  ): Promise<Record<string, string>> {
    const { installId, planLayers: plan = planLayers } = this.#parts;
    const layer = this.#layerOf(agent);
    if (layer !== null && !hasPackages(packages)) {
      const source = await this.#findSource(agent, image, layer);
      const isSource = this.#baseOf(agent) === this.#parts.baseImage;
      return { Dockerfile: formatLayerDockerfile({ base, installId, layer, source, isSource }), ...layer.files };
    }
    const parts = { base, installId, agentGroupId: agent.id, generation: packages.generation, layers: plan(packages) };
    return { Dockerfile: formatDockerfile(parts) };
  }

  /** What a layer is copied from; null where it is to be installed: there is none, or a try has failed before. */
  async #findSource(agent: AgentGroup, image: string, layer: ProviderLayer): Promise<string | null> {
    const tries = this.#parts.builds.listOfAgent(agent.id, KEEP_BUILDS);
    if (tries.some((build) => build.image === image && build.state === 'failed')) return null;
    return findSource(await this.#tools().engine.listLayers(), layer);
  }

  /** I3 */
  async #clean(engine: ImageEngine): Promise<void> {
    const { builds, agents } = this.#parts;
    const listLiving = () => builds.listAgents().flatMap((id) => agents.get(id) ?? []);
    for (const agent of listLiving()) await this.#findBase(agent);
    const [own, layers, used] = [await engine.listOwn(), await engine.listLayers(), await engine.listUsed()];
    // All that is looked up here is of one moment, after the lists: what is asked for later waits for this to end.
    const living = listLiving();
    const wanted = new Set(builds.listOpen().map(({ image }) => image));
    // What this host runs on may have been built by another install, which has the row of it.
    const there = [...this.#facts].flatMap(([image, fact]) => (fact.kind === 'there' ? [image] : []));
    const below = new Set(there);
    for (const agent of living) {
      const base = this.#bases.get(this.#baseOf(agent));
      if (base === undefined) continue;
      wanted.add(this.#nameFor(agent, base, agent.config.packages));
      below.add(this.#nameFor(agent, base, NO_PACKAGES));
    }
    const built = living.map(({ id }) => builds.listImages(id));
    const removals = [
      ...planRemovals(own, { wanted, built, used }),
      ...planLayerRemovals(layers, { wanted: new Set([...wanted, ...below]), used }),
    ];
    for (const image of removals) await engine.remove(image);
  }
}

function hintFor({ name }: AgentGroup): string {
  const word = /^[\w-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
  return `See \`npx portolan builds ${word}\`, then try again with \`npx portolan builds retry ${word}\`.`;
}
