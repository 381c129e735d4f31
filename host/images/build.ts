/** Makes one image, from its recipe to its name, or says why not. Decides nothing that `plan.ts` and `recipe.ts` do. */
import { RUNNER_EXIT } from '../../shared/protocol.ts';
import { Fault } from '../config/errors.ts';
import type { ImageEngine } from './engine.ts';
import { MAX_ADDED_BYTES, WATCH_MS } from './limits.ts';
import type { BuildLog } from './log.ts';
import { findShortage, planEnd } from './plan.ts';
import { type EngineImage, findImageFlaw } from './recipe.ts';

export interface BuildOrder {
  base: EngineImage;
  /** What the engine builds of, by name: the Dockerfile and what it copies. Asked for right before. */
  planContext: () => Promise<Readonly<Record<string, string>>>;
  image: string;
  log: BuildLog;
  /** Asked again and again: a build for nobody is ended. */
  isAgentThere: () => boolean;
  /** The host is stopping. */
  signal: AbortSignal;
  now: () => number;
}

export type BuildEnd = { kind: 'built' } | { kind: 'failed'; why: string };

/**
 * An image that is not whole never gets the name: it is named after everything that is checked about it.
 * Throws Fault `engine_away`, `engine_refused`, and the signal's reason when that aborts.
 */
export async function makeImage(engine: ImageEngine, order: BuildOrder): Promise<BuildEnd> {
  const { base, image, log, signal } = order;
  const shortage = findShortage(await engine.freeBytes());
  if (shortage !== null) return { kind: 'failed', why: shortage };
  const made = await buildWatched(engine, order);
  if (made.kind === 'failed') return made;
  const found = await engine.find(made.imageId);
  const flaw = found === null ? 'The image is not there.' : findImageFlaw(base, found, MAX_ADDED_BYTES);
  if (flaw !== null) return { kind: 'failed', why: flaw };
  log.note('+ starting the runner of the new image');
  const exitCode = await engine.tryRun(made.imageId);
  signal.throwIfAborted();
  if (exitCode !== RUNNER_EXIT.badContract) {
    return { kind: 'failed', why: `The runner does not start in it: ${exitCode ?? 'it did not end in time'}.` };
  }
  await engine.name(made.imageId, image);
  return { kind: 'built' };
}

async function buildWatched(engine: ImageEngine, order: BuildOrder) {
  const { log, now, isAgentThere } = order;
  const watch = new AbortController();
  const startedAt = now();
  let heardAt = startedAt;
  let why: string | null = null;
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    // Asked before the engine is: its answer may come when the build, and the host, have ended.
    const isThere = isAgentThere();
    why ??= planEnd({ startedAt, heardAt, freeBytes: await measure(engine), isAgentThere: isThere }, now());
    isLooking = false;
    if (why !== null) watch.abort();
  };
  const timer = setInterval(() => void look(), WATCH_MS);
  const hear = (text: string) => {
    heardAt = now();
    log.write(text);
  };
  try {
    return await engine.build(await order.planContext(), hear, AbortSignal.any([watch.signal, order.signal]));
  } catch (error) {
    order.signal.throwIfAborted();
    if (why === null) throw error;
    return { kind: 'failed' as const, why };
  } finally {
    clearInterval(timer);
    // What was ended here may still run for a moment there.
    if (why !== null) await engine.removeLeftContainers();
  }
}

/** An engine that is away: the build learns that by itself. */
async function measure(engine: ImageEngine): Promise<number | null> {
  try {
    return await engine.freeBytes();
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}
