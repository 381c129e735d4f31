import { setTimeout as delay } from 'node:timers/promises';
import { FakeDriver, FakeEngine } from '../host/runtime/fake-driver.ts';
import { makeWorkspace } from '../host/runtime/workspace.ts';
import { describeDriver } from './driver.ts';

describeDriver('fake', async () => {
  const engine = new FakeEngine(Date.now, (ms) => delay(ms));
  const workspace = makeWorkspace();
  return {
    open: (installId) => new FakeDriver(engine, installId),
    spec: (installId, behaviour) => {
      const code = behaviour.kind === 'exit' ? String(behaviour.code) : '';
      return workspace.makeSpec(installId, 'fake-image', [behaviour.kind, code]);
    },
    ticks: (spec) => {
      const container = engine.ofSession(spec.sessionId);
      if (container?.state === 'running') container.ticks++;
      return container?.ticks ?? 0;
    },
    close: () => workspace.remove(),
  };
});
