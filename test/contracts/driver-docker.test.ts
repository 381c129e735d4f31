import { DockerDriver } from '../../host/runtime/drivers/docker.ts';
import { makeSilentLog } from '../host/runtime/silent-log.ts';
import { ensureTestImage } from '../host/runtime/test-image.ts';
import { makeWorkspace, nodeProgram, readTicks } from '../host/runtime/workspace.ts';
import { describeDriver } from './driver.ts';

describeDriver('docker', async () => {
  const image = ensureTestImage();
  const workspace = makeWorkspace();
  return {
    open: (installId) => new DockerDriver({ installId, log: makeSilentLog() }),
    spec: (installId, behaviour) => workspace.makeSpec(installId, image, ['node', '-e', nodeProgram(behaviour)]),
    ticks: readTicks,
    close: () => workspace.remove(),
  };
});
