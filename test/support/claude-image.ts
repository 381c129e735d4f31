/**
 * The image of agents on `claude`, made of the agent image of these sources by the host's own parts. Needs the npm
 * registry once for each SDK, and fails without it: a suite that skips proves nothing.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../host/config/home.ts';
import { makeImage } from '../../host/images/build.ts';
import { ImageEngine } from '../../host/images/engine.ts';
import { BuildLog } from '../../host/images/log.ts';
import { findSource, layerImageName, providerLayers } from '../../host/images/provider-layer.ts';
import { formatLayerDockerfile } from '../../host/images/recipe.ts';
import { withLock } from '../../scripts/lib/lock.mjs';
import { makeId } from '../../shared/ids.ts';
import { CLAUDE_FOLDER } from '../../shared/providers.ts';
import { agentImage } from './image.ts';

/**
 * Its tag. About 20 s when it is not there yet. Its program of 370 MB is read once: from a slow disk the first start
 * takes a minute and more, which would count as the time of whichever test comes first.
 */
export async function claudeImage(): Promise<string> {
  const image = await findOrMake();
  const read = `find ${CLAUDE_FOLDER} -type f -exec cat {} + > /dev/null`;
  await promisify(execFile)('docker', ['run', '--rm', '--network', 'none', '--entrypoint', 'sh', image, '-c', read]);
  return image;
}

async function findOrMake(): Promise<string> {
  const installId = makeId('install');
  const engine = new ImageEngine(installId);
  const base = await engine.find(agentImage());
  const layer = providerLayers(projectRoot())('claude');
  if (base === null || layer === null) throw new Error('there is no agent image: `npm run up` builds it');
  const image = layerImageName(base.id, layer);
  return withLock({ scope: 'machine', name: 'claude-image' }, async () => {
    if ((await engine.find(image)) !== null) return image;
    const log = new BuildLog(join(tmpdir(), `portolan-claude-image-${process.pid}.log`));
    const source = findSource(await engine.listLayers(), layer);
    const Dockerfile = formatLayerDockerfile({ base, installId, layer, source, isSource: true });
    const end = await makeImage(engine, {
      ...{ base, image, log, isAgentThere: () => true, now: Date.now, signal: new AbortController().signal },
      planContext: async () => ({ Dockerfile, ...layer.files }),
    });
    if (end.kind === 'failed') throw new Error(`the image of claude: ${end.why}\n${log.last(20).join('\n')}`);
    await log.end();
    return image;
  });
}
