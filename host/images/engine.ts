/** What builds need of a Docker Engine. The only file here that knows dockerode. */
import { statfs } from 'node:fs/promises';
import { Readable } from 'node:stream';
import Docker from 'dockerode';
import { z } from 'zod';
import type { InstallId } from '../../shared/ids.ts';
import { errorCode, Fault } from '../config/errors.ts';
import {
  BUILD_CPU_PERCENT,
  BUILD_FILE_BYTES,
  BUILD_MEMORY_BYTES,
  BUILD_PROCESSES,
  CHECK_DEADLINE_MS,
  MAX_OUTPUT_BYTES,
} from './limits.ts';
import { type LayerImage, layerRepository } from './provider-layer.ts';
import { type EngineImage, IMAGE_LABELS, imageRepository } from './recipe.ts';
import { packFiles } from './tar.ts';

/** An engine that is silent for longer counts as away. Lower: a busy disk looks like an outage. */
const COMMAND_TIMEOUT_MS = 30_000;
/** Sessions' containers carry this label; the containers that builds make do not. */
const SESSION_LABEL = 'portolan.session';
const PROTOCOL_LABEL = 'portolan.protocol';
const CPU_PERIOD_US = 100_000;
const MIB = 1024 * 1024;
/** One event of the engine is a piece of output, of a few KiB. */
const MAX_EVENT_CHARS = MIB;

/** How a build ended that the engine ended. */
export type EngineBuild = { kind: 'made'; imageId: string } | { kind: 'failed'; why: string };

/** An image of this install. */
export interface OwnImage {
  id: string;
  /** Empty for what a failed build left. */
  names: string[];
}

/** Throws Fault `engine_away` (retryable) where nothing else is said. */
export class ImageEngine {
  readonly #installId: InstallId;
  /** For short commands: a time-out ends them. */
  readonly #docker: Docker;
  /** For builds and waiting: silence is normal. */
  readonly #patient: Docker;

  constructor(installId: InstallId, socketPath?: string) {
    this.#installId = installId;
    const where = socketPath === undefined ? {} : { socketPath };
    this.#docker = new Docker({ ...where, timeout: COMMAND_TIMEOUT_MS });
    this.#patient = new Docker(where);
  }

  /** By name or id; null when it is not there. */
  async find(image: string): Promise<EngineImage | null> {
    try {
      const { Id, Size, Config } = await lookTwice(() => this.#docker.getImage(image).inspect());
      return {
        id: Id,
        sizeBytes: Size,
        user: Config.User,
        entrypoint: toWords(Config.Entrypoint),
        command: toWords(Config.Cmd),
        workingDir: Config.WorkingDir,
        protocol: Config.Labels?.[PROTOCOL_LABEL] ?? null,
      };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw toFault(error);
    }
  }

  /** Free bytes where the engine keeps images; null when that is on another machine. */
  async freeBytes(): Promise<number | null> {
    try {
      const { DockerRootDir } = z.object({ DockerRootDir: z.string() }).parse(await this.#docker.info());
      const { bavail, bsize } = await statfs(DockerRootDir);
      return bavail * bsize;
    } catch (error) {
      if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(errorCode(error))) return null;
      throw toFault(error);
    }
  }

  /**
   * Builds an image without a name from the files of a context, `Dockerfile` among them. `onOutput` gets what its
   * programs print. Ends early, by throwing, when `signal` aborts; the engine then ends what runs.
   */
  async build(
    files: Readonly<Record<string, string>>,
    onOutput: (text: string) => void,
    signal: AbortSignal,
  ): Promise<EngineBuild> {
    const options = {
      rm: true,
      forcerm: true,
      networkmode: 'bridge',
      memory: BUILD_MEMORY_BYTES,
      memswap: BUILD_MEMORY_BYTES,
      cpuperiod: CPU_PERIOD_US,
      cpuquota: (CPU_PERIOD_US * BUILD_CPU_PERCENT) / 100,
      ulimits: JSON.stringify([
        { Name: 'nproc', Soft: BUILD_PROCESSES, Hard: BUILD_PROCESSES },
        { Name: 'fsize', Soft: BUILD_FILE_BYTES, Hard: BUILD_FILE_BYTES },
        { Name: 'core', Soft: 0, Hard: 0 },
      ]),
      abortSignal: signal,
    };
    try {
      const context = Readable.from([packFiles(files)]);
      return await readBuild(await this.#patient.buildImage(context, options), onOutput);
    } catch (error) {
      signal.throwIfAborted();
      if (statusOf(error) >= 400) return { kind: 'failed', why: describe(error) };
      throw toFault(error);
    }
  }

  /**
   * Starts the image's own program without a session, a network or any right; returns its exit code, null when it
   * has not ended in time.
   */
  async tryRun(imageId: string): Promise<number | null> {
    try {
      const container = await this.#docker.createContainer({
        Image: imageId,
        Labels: { [IMAGE_LABELS.install]: this.#installId },
        HostConfig: {
          NetworkMode: 'none',
          ReadonlyRootfs: true,
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges:true'],
          Memory: 256 * MIB,
          MemorySwap: 256 * MIB,
          PidsLimit: 64,
          LogConfig: { Type: 'none', Config: {} },
        },
      });
      try {
        await container.start();
        return await this.#waitForEnd(container.id);
      } finally {
        await this.#removeContainer(container.id);
      }
    } catch (error) {
      throw toFault(error);
    }
  }

  async name(imageId: string, name: string): Promise<void> {
    const [repo = '', tag = ''] = name.split(':');
    try {
      await this.#docker.getImage(imageId).tag({ repo, tag });
    } catch (error) {
      throw toFault(error);
    }
  }

  /** Images of this install: those with a name, and what failed builds left. */
  async listOwn(): Promise<OwnImage[]> {
    const filters = { label: [`${IMAGE_LABELS.install}=${this.#installId}`] };
    try {
      const images = await lookTwice(() => this.#docker.listImages({ filters }));
      const repository = `${imageRepository(this.#installId)}:`;
      return images.flatMap(({ Id, RepoTags }) => {
        const names = (RepoTags ?? []).filter((name) => name !== '<none>:<none>');
        // A name that a person gave it is that person's.
        return names.every((name) => name.startsWith(repository)) ? [{ id: Id, names }] : [];
      });
    } catch (error) {
      throw toFault(error);
    }
  }

  /** Images of providers' layers, whichever install of this machine built them; newest first. */
  async listLayers(): Promise<LayerImage[]> {
    try {
      const filters = { label: [IMAGE_LABELS.layer] };
      const images = await lookTwice(() => this.#docker.listImages({ filters }));
      return images
        .filter(({ RepoTags, Labels }) => {
          const repository = layerRepository(Labels?.[IMAGE_LABELS.layer] ?? '');
          return RepoTags?.some((name) => name.startsWith(repository)) === true;
        })
        .toSorted((one, other) => other.Created - one.Created)
        .map(({ Id, RepoTags, Labels }) => {
          return { id: Id, names: RepoTags ?? [], key: Labels?.[IMAGE_LABELS.layerKey] ?? null };
        });
    } catch (error) {
      throw toFault(error);
    }
  }

  /** Ids of images that a container of any state uses, whosever it is. */
  async listUsed(): Promise<ReadonlySet<string>> {
    try {
      return new Set((await this.#docker.listContainers({ all: true })).map(({ ImageID }) => ImageID));
    } catch (error) {
      throw toFault(error);
    }
  }

  /** By name or id, with the layers that nothing else uses. False when something uses it still. */
  async remove(image: string): Promise<boolean> {
    try {
      await this.#docker.getImage(image).remove();
      return true;
    } catch (error) {
      if (statusOf(error) === 409) return false;
      if (statusOf(error) === 404) return true;
      throw toFault(error);
    }
  }

  /** Ends and removes the containers that builds of an earlier host left. */
  async removeLeftContainers(): Promise<void> {
    try {
      const filters = { label: [`${IMAGE_LABELS.install}=${this.#installId}`] };
      const found = await this.#docker.listContainers({ all: true, filters });
      const left = found.filter(({ Labels }) => Labels[SESSION_LABEL] === undefined);
      for (const { Id } of left) await this.#removeContainer(Id);
    } catch (error) {
      throw toFault(error);
    }
  }

  async #waitForEnd(id: string): Promise<number | null> {
    const deadline = AbortSignal.timeout(CHECK_DEADLINE_MS);
    try {
      const ended: unknown = await this.#patient
        .getContainer(id)
        .wait({ condition: 'not-running', abortSignal: deadline });
      return z.object({ StatusCode: z.number() }).parse(ended).StatusCode;
    } catch (error) {
      if (deadline.aborted) return null;
      throw error;
    }
  }

  async #removeContainer(id: string): Promise<void> {
    try {
      await this.#docker.getContainer(id).remove({ force: true, v: true });
    } catch (error) {
      // 404: gone. 409: the engine is removing it.
      if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
    }
  }
}

const eventSchema = z.object({
  stream: z.string().optional(),
  error: z.string().optional(),
  errorDetail: z.object({ code: z.number().optional(), message: z.string().optional() }).optional(),
  aux: z.object({ ID: z.string().optional() }).optional(),
});

/** The engine's own words beside the programs' output: they repeat the recipe. */
const ENGINE_WORDS = /^(?:Step \d+\/\d+ : | ---> |Removing intermediate container |Successfully built )/;

/** Reads the answer to its end. More output than MAX_OUTPUT_BYTES is a failure of its own. */
async function readBuild(answer: NodeJS.ReadableStream, onOutput: (text: string) => void): Promise<EngineBuild> {
  const decoder = new TextDecoder();
  let rest = '';
  let outputBytes = 0;
  let imageId: string | null = null;
  let isInEngineLine = false;
  for await (const chunk of answer) {
    outputBytes += chunk.length;
    // Leaving the loop closes the connection, and so ends the build.
    if (outputBytes > MAX_OUTPUT_BYTES) return { kind: 'failed', why: 'It prints without end.' };
    const lines = (rest + decoder.decode(toBytes(chunk), { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_EVENT_CHARS) return { kind: 'failed', why: 'The engine answers without end.' };
    for (const line of lines) {
      if (line.trim() === '') continue;
      const event = eventSchema.safeParse(JSON.parse(line)).data ?? {};
      if (event.error !== undefined) return { kind: 'failed', why: describeEnd(event) };
      if (event.stream !== undefined) {
        const isEngines: boolean = ENGINE_WORDS.test(event.stream) || (isInEngineLine && event.stream === '\n');
        if (!isEngines) onOutput(event.stream);
        isInEngineLine = isEngines && !event.stream.endsWith('\n');
      }
      imageId = event.aux?.ID ?? imageId;
    }
  }
  if (imageId === null) throw new Fault('engine_away', 'the Docker Engine broke off a build', { retryable: true });
  return { kind: 'made', imageId };
}

/** A program that failed has said so itself; the engine repeats the whole recipe. */
function describeEnd({ error, errorDetail }: z.infer<typeof eventSchema>): string {
  const code = errorDetail?.code;
  if (code === undefined || code === 0) return errorDetail?.message ?? error ?? 'The engine does not say why.';
  if (code === 137) return `A program was killed: a build has ${BUILD_MEMORY_BYTES / MIB} MiB of memory.`;
  return `The build ended with ${code}.`;
}

/** An engine answers 500 when an image goes away while it looks at it: the second look finds it gone. */
async function lookTwice<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (statusOf(error) !== 500) throw error;
    return await look();
  }
}

function toBytes(chunk: Buffer | string): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

function toWords(value: string | string[] | null | undefined): string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** No engine behind the socket, or none that may be used. */
const AWAY = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EACCES', 'EPERM', 'ENOTFOUND']);

/** Anything that is neither an answer of the engine nor the lack of one is a bug and comes back as it is. */
function toFault(error: unknown): unknown {
  if (error instanceof Fault) return error;
  if (statusOf(error) > 0) {
    return new Fault('engine_refused', 'the Docker Engine refused a step of a build', {
      cause: error,
      retryable: true,
    });
  }
  if (!AWAY.has(errorCode(error))) return error;
  return new Fault('engine_away', 'the Docker Engine does not answer', {
    cause: error,
    retryable: true,
    hint: 'start it: sudo systemctl start docker (or sudo dockerd)',
  });
}
