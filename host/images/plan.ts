/** What builds decide: whose turn it is, when one that runs is ended, which images may go. Pure. */
import {
  BUILD_DEADLINE_MS,
  BUILD_SILENCE_MS,
  FAILURE_HOLDS_MS,
  KEEP_IMAGES,
  KEEP_LAYERS,
  MIN_FREE_TO_BEGIN_BYTES,
  MIN_FREE_TO_GO_ON_BYTES,
} from './limits.ts';

/**
 * The job whose agent was served longest ago, or never; of those the one that waits longest. So an agent with many
 * requests delays an agent with one by one build. Null: none waits.
 */
export function planNext<Job extends { agentGroupId: string }>(
  waiting: readonly Job[],
  servedAt: ReadonlyMap<string, number>,
): Job | null {
  let next: Job | null = null;
  const served = (job: Job) => servedAt.get(job.agentGroupId) ?? Number.NEGATIVE_INFINITY;
  for (const job of waiting) if (next === null || served(job) < served(next)) next = job;
  return next;
}

export interface BuildFacts {
  startedAt: number;
  /** When it last printed something. */
  heardAt: number;
  /** Null where it cannot be measured: on another machine. */
  freeBytes: number | null;
  isAgentThere: boolean;
}

/** Why a build that runs is to be ended now, as a sentence; null: it goes on. */
export function planEnd({ startedAt, heardAt, freeBytes, isAgentThere }: BuildFacts, now: number): string | null {
  if (!isAgentThere) return 'The agent was removed.';
  if (now - startedAt >= BUILD_DEADLINE_MS) return `It took longer than ${inMinutes(BUILD_DEADLINE_MS)}.`;
  if (now - heardAt >= BUILD_SILENCE_MS) return `It printed nothing for ${inMinutes(BUILD_SILENCE_MS)}.`;
  if (freeBytes !== null && freeBytes < MIN_FREE_TO_GO_ON_BYTES) return 'It was about to fill the disk.';
  return null;
}

/** Why no build may begin, as a sentence. */
export function findShortage(freeBytes: number | null): string | null {
  if (freeBytes === null || freeBytes >= MIN_FREE_TO_BEGIN_BYTES) return null;
  const inMib = (bytes: number) => `${Math.floor(bytes / 1024 / 1024)} MiB`;
  return `The disk has ${inMib(freeBytes)} free, and a build needs ${inMib(MIN_FREE_TO_BEGIN_BYTES)}. Free some, then try again.`;
}

function inMinutes(ms: number): string {
  return `${ms / 60_000} minutes`;
}

export interface KeptImages {
  /** The image that each living agent is to run on. */
  wanted: ReadonlySet<string>;
  /** Of each living agent, what was built for it, newest first. */
  built: readonly (readonly string[])[];
  /** Ids of images that containers use. */
  used: ReadonlySet<string>;
}

/** Own images that may go, by name, or by id without one: not wanted, not used, and not among an agent's newest. */
export function planRemovals(own: readonly { id: string; names: readonly string[] }[], kept: KeptImages): string[] {
  const keep = new Set([...kept.wanted, ...kept.built.flatMap((images) => images.slice(0, KEEP_IMAGES))]);
  return own.flatMap(({ id, names }) => {
    if (kept.used.has(id) || names.some((name) => keep.has(name))) return [];
    return names.length === 0 ? [id] : names;
  });
}

/**
 * Images of providers' layers that may go, by name. They are the whole machine's, so that all but the newest few go,
 * whoever made them; one that is missed is built again. `layers`: newest first.
 */
export function planLayerRemovals(
  layers: readonly { id: string; names: readonly string[] }[],
  { wanted, used }: Pick<KeptImages, 'wanted' | 'used'>,
): string[] {
  return layers.slice(KEEP_LAYERS).flatMap(({ id, names }) => {
    return used.has(id) || names.some((name) => wanted.has(name)) ? [] : names;
  });
}

/** What is known of an image that an agent is to run on. */
export type ImageFact =
  | { kind: 'there' }
  /** `instead`: an older one that serves until then; known since a build failed. */
  | { kind: 'looking' | 'building'; instead: string | null }
  | { kind: 'failed'; at: number; why: string; instead: string | null };

/** Where an agent's next container comes from. Reasons are sentences for people. */
export type ImageState =
  | { kind: 'ready'; image: string }
  | { kind: 'waiting'; reason: string }
  | { kind: 'failed'; reason: string };

/** Whether to look for the image, and build it if need be. */
export function mustLook(fact: ImageFact | undefined, now: number): boolean {
  return fact === undefined || (fact.kind === 'failed' && now - fact.at >= FAILURE_HOLDS_MS);
}

/** `hint` is what to type when it failed. */
export function describeImage(image: string, fact: ImageFact | undefined, hint: string): ImageState {
  if (fact === undefined) return { kind: 'waiting', reason: 'Its image is being looked for.' };
  if (fact.kind === 'there') return { kind: 'ready', image };
  if (fact.instead !== null) return { kind: 'ready', image: fact.instead };
  switch (fact.kind) {
    case 'building':
      return { kind: 'waiting', reason: 'Its image is being built.' };
    case 'failed':
      return { kind: 'failed', reason: `Its image could not be built: ${fact.why} ${hint}` };
    case 'looking':
      return { kind: 'waiting', reason: 'Its image is being looked for.' };
  }
}
