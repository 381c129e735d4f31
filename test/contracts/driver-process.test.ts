import { ProcessDriver } from '../../host/runtime/drivers/process.ts';
import { makeWorkspace, nodeProgram, readTicks } from '../host/runtime/workspace.ts';
import { describeDriver } from './driver.ts';

describeDriver('process', async () => {
  const workspace = makeWorkspace();
  return {
    open: (installId) => new ProcessDriver({ installId, home: workspace.folder, runnerPath: '/nowhere' }),
    spec: (installId, behaviour) =>
      workspace.makeSpec(installId, 'none', [process.execPath, '-e', nodeProgram(behaviour)]),
    ticks: readTicks,
    close: () => workspace.remove(),
  };
});
