/** A place to build images for a test: real stores in a temp folder, the machine's engine, an install of its own. */
import { join } from 'node:path';
import Docker from 'dockerode';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { type EngineBuild, ImageEngine } from '../../../host/images/engine.ts';
import { ImageBuilds, type ImageParts } from '../../../host/images/images.ts';
import type { LayerImage, ProviderLayer } from '../../../host/images/provider-layer.ts';
import { type Command, type EngineImage, IMAGE_LABELS, type Layer } from '../../../host/images/recipe.ts';
import { type AgentGroup, AgentStore } from '../../../host/store/agents.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { ImageBuildStore } from '../../../host/store/image-builds.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { type AgentGroupId, type InstallId, makeId } from '../../../shared/ids.ts';
import type { Packages } from '../../../shared/packages.ts';
import { agentImage } from '../../support/image.ts';
import { makeTempHome } from '../../support/temp-home.ts';

export const BASE_IMAGE = agentImage();
export const docker = new Docker();

/** The real engine, watched: how often it built, and what that printed. */
class WatchedEngine extends ImageEngine {
  readonly #installId: InstallId;
  builds = 0;
  outputChars = 0;
  /** Awaited before an image is looked for. */
  beforeFind: (image: string) => Promise<void> = async () => {};

  constructor(installId: InstallId) {
    super(installId);
    this.#installId = installId;
  }

  /** The containers' images were listed, as a cleaning does. */
  onUsedListed: () => void = () => {};

  override async listUsed(): Promise<ReadonlySet<string>> {
    const used = await super.listUsed();
    this.onUsedListed();
    return used;
  }

  /** Those that this install made: the machine's others are in use by somebody. */
  override async listLayers(): Promise<LayerImage[]> {
    const own = { label: [`${IMAGE_LABELS.install}=${this.#installId}`, IMAGE_LABELS.layer] };
    const ids = new Set((await docker.listImages({ filters: own })).map(({ Id }) => Id));
    return (await super.listLayers()).filter(({ id }) => ids.has(id));
  }

  override async find(image: string): Promise<EngineImage | null> {
    await this.beforeFind(image);
    return super.find(image);
  }

  override async build(...[files, onOutput, signal]: Parameters<ImageEngine['build']>): Promise<EngineBuild> {
    this.builds++;
    const count = (text: string) => {
      this.outputChars += text.length;
      onOutput(text);
    };
    return super.build(files, count, signal);
  }
}

export class Workshop {
  readonly paths = makeTempHome();
  readonly db = openCentralDb(this.paths.centralDb, join(projectRoot(), 'migrations', 'central'));
  readonly agents = new AgentStore(this.db);
  readonly builds = new ImageBuildStore(this.db);
  readonly ledger = new Ledger(this.db);
  readonly installId = makeId('install');
  readonly engine = new WatchedEngine(this.installId);
  /** Agents of whom news was told. */
  readonly changed: AgentGroupId[] = [];
  readonly told: string[] = [];
  /** What builds are made of, by the first package's name; each writes a file where it says nothing else. */
  readonly layers = new Map<string, Layer>();
  /** What every agent's provider adds to the base. */
  layer: ProviderLayer | null = null;
  /** Added to the clock. */
  skippedMs = 0;
  images = this.makeImages();

  constructor() {
    onTestFinished(async () => {
      await this.images[Symbol.asyncDispose]();
      this.db.close();
      await this.engine.removeLeftContainers();
      for (const image of await this.engine.listOwn()) {
        for (const name of image.names.length === 0 ? [image.id] : image.names) await this.engine.remove(name);
      }
      for (const { names } of await this.engine.listLayers()) for (const name of names) await this.engine.remove(name);
    }, 60_000);
  }

  /** Another is the next host's. */
  makeImages(more: Partial<ImageParts> = {}): ImageBuilds {
    return new ImageBuilds({
      engine: this.engine,
      installId: this.installId,
      baseImage: BASE_IMAGE,
      layerOf: () => this.layer,
      logs: this.paths.buildLogs,
      agents: this.agents,
      builds: this.builds,
      ledger: this.ledger,
      commit: (work) => this.db.transaction(work)(),
      onChanged: (id) => void this.changed.push(id),
      tellAdmins: (_agent, text) => void this.told.push(text),
      now: () => Date.now() + this.skippedMs,
      planLayers: (packages) => this.#planLayers(packages),
      ...more,
    });
  }

  addAgent(name: string, packages: Packages = needs()): AgentGroup {
    const agent = this.agents.create({ name, folder: name, now: Date.now() });
    return this.give(agent, packages);
  }

  /** As a change of its config does. */
  give(agent: AgentGroup, packages: Packages): AgentGroup {
    this.db
      .prepare('UPDATE container_configs SET packages = ? WHERE agent_group_id = ?')
      .run(JSON.stringify(packages), agent.id);
    const changed = this.agents.get(agent.id);
    if (changed === null) throw new Error('the agent vanished');
    return changed;
  }

  /** Takes it out of sight, as a removal does. */
  remove({ id, revision, folder }: AgentGroup): void {
    if (!this.agents.archive(id, revision, { kind: 'remove', archiveFolder: folder }, Date.now())) {
      throw new Error('the agent was not removed');
    }
  }

  #planLayers({ apt }: Packages): Layer[] {
    const name = apt[0] ?? 'nothing';
    return [this.layers.get(name) ?? [asRoot('touch', `/opt/${name}`)]];
  }
}

/** Debian packages by name; none of them is looked for here. */
export function needs(...apt: string[]): Packages {
  return { apt, npm: [], generation: 0 };
}

export function asRoot(...run: string[]): Command {
  return { run, as: 'root' };
}

export function asAgent(...run: string[]): Command {
  return { run, as: 'agent' };
}

/** Containers of this install, whatever their state. */
export async function listContainers(installId: string): Promise<Docker.ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label: [`portolan.image.install=${installId}`] } });
}
