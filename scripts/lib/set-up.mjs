/** What every command that runs the whole system needs first, in order. */
import { buildOrFail } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensureEngine } from './engine.mjs';
import { ensureImage } from './image.mjs';
import { requireNode } from './node-version.mjs';

/** Steps that `setUp` takes of the total. */
export const SET_UP_STEPS = 5;

/**
 * Node, dependencies, build, Docker Engine, agent image. Throws StepFailure.
 * @param {import('./steps.mjs').Steps} steps
 * @param {{ web?: boolean }} [options]
 * @returns {Promise<{ image: string }>} the exact image this clone runs
 */
export async function setUp(steps, { web = true } = {}) {
  await setUpWithoutEngine(steps, { web });
  /** @type {import('./engine-client.mjs').EngineClient | undefined} */
  let client;
  await steps.run('Docker', async (progress) => {
    const engine = await ensureEngine(progress);
    client = engine.client;
    return engine.outcome;
  });
  let image = '';
  await steps.run('Agent image', async (progress) => {
    if (!client) throw new Error('the engine step ended without a client');
    const { tag, built } = await ensureImage(client, progress);
    image = tag;
    return built ? `built ${tag}` : tag;
  });
  return { image };
}

/**
 * Node, dependencies, build. Throws StepFailure.
 * @param {import('./steps.mjs').Steps} steps
 * @param {{ web?: boolean }} [options]
 */
export async function setUpWithoutEngine(steps, { web = true } = {}) {
  await steps.run('Node', requireNode);
  await steps.run('Dependencies', ensureDependencies);
  await steps.run('Build', (progress) =>
    buildOrFail({ web, onPart: progress.phase, onWait: (holder) => progress.phase(`waiting for ${holder}`) }),
  );
}
