/** Calls that test an agent's model, beside the containers of its sessions. */
import { join } from 'node:path';
import { deriveId } from '../../shared/ids.ts';
import { Gateway } from '../egress/gateway.ts';
import { runtimeLog } from '../observe/logger.ts';
import { DockerDriver } from '../runtime/drivers/docker.ts';
import { ProcessDriver } from '../runtime/drivers/process.ts';
import { Prober } from '../runtime/probe/prober.ts';
import type { Ground } from './ground.ts';
import type { WithRuntime } from './runtime.ts';

/** In the agent image. */
const IMAGE_RUNNER = ['node', '/app/runner.mjs'];

export type WithProber = WithRuntime & ReturnType<typeof buildProber>;

export function buildProber({ closers, policy, paths, root, services, installId, now }: Ground, built: WithRuntime) {
  const { credentials, gatewayParts, images } = built;
  // Of its own: the runtime neither counts nor removes its containers.
  const probeInstall = deriveId('install', installId, 'probes');
  const runnerPath = join(root, 'dist', 'runner.mjs');
  const isDocker = policy.driver === 'docker';
  const driver = closers.use(
    isDocker
      ? new DockerDriver({ installId: probeInstall, log: runtimeLog })
      : new ProcessDriver({ installId: probeInstall, home: paths.probes, runnerPath }),
  );
  const prober = closers.use(
    new Prober({
      ...{ places: join(paths.probes, 'calls'), installId: probeInstall, driver, services, credentials, now },
      runner: isDocker ? IMAGE_RUNNER : [process.execPath, runnerPath],
      confirmImage: (agent) => images.confirm(agent),
      gatewayFor: (agent) =>
        new Gateway({
          ...gatewayParts,
          rules: { listFor: () => [] },
          agents: { get: (id) => (id === agent.id ? agent : null) },
        }),
    }),
  );
  return { prober };
}
