/** The containers, and where what happens to them meets the rest of a session. */
import { join } from 'node:path';
import type { InstallId } from '../../shared/ids.ts';
import { VaultWait } from '../agents/provider/vault-wait.ts';
import { assertNever } from '../config/errors.ts';
import type { Policy } from '../config/policy.ts';
import { runtimeLog } from '../observe/logger.ts';
import { DockerDriver } from '../runtime/drivers/docker.ts';
import type { ContainerDriver } from '../runtime/drivers/driver.ts';
import { ProcessDriver } from '../runtime/drivers/process.ts';
import { makeMemoryGauge } from '../runtime/memory.ts';
import { DEFAULT_POLICY } from '../runtime/policy.ts';
import { Runtime } from '../runtime/runtime.ts';
import { SessionView } from '../runtime/session-view.ts';
import { systemClock } from '../runtime/wakeups.ts';
import { SessionLife } from '../session-life.ts';
import type { WithDelivery } from './delivery.ts';
import type { Ground } from './ground.ts';

export type WithRuntime = WithDelivery & ReturnType<typeof buildRuntime>;

export function buildRuntime(ground: Ground, built: WithDelivery) {
  const { closers, policy, paths, root, vault, installId, later } = ground;
  const driver = closers.use(makeDriver(policy, installId, paths.home, join(root, 'dist', 'runner.mjs')));
  const runtime = closers.use(
    new Runtime({
      driver,
      sessions: viewSessions(ground, built),
      policy: { ...DEFAULT_POLICY, pauseAfterMs: policy.pauseAfterMs, stopAfterMs: policy.stopAfterMs },
      maxRunning: policy.maxRunning,
      clock: systemClock,
      log: runtimeLog,
      onState: (id, state) => {
        later.life.stateChanged(id, state);
        later.removals.ring();
      },
      memoryPressure: makeMemoryGauge(systemClock),
    }),
  );
  const life = closers.use(joinSessionLife(ground, built, runtime));
  vault.onChanged(() => {
    for (const id of life.liveIds()) runtime.reconcile(id);
  });
  return { driver, runtime, life };
}

/** What the runtime sees of a session. */
function viewSessions(ground: Ground, built: WithDelivery): SessionView {
  const { paths, stores, vault, installId, later, now } = ground;
  const { agents, sessions, transcript, secretUses } = stores;
  const { reader, inboxes, due, charts, activity, images, folders, mounts, taskFiles, endFiring, tellFailed } = built;
  return new SessionView({
    home: paths.home,
    installId,
    images: new VaultWait({ images, vault, secretUses }),
    prepareFolder: (agent) => folders.ensure(agent),
    prepareMounts: (agent) => mounts.prepare(agent),
    sessions,
    agents,
    transcript,
    inboxes,
    reader,
    charts,
    due,
    tellChat: tellFailed,
    endFiring,
    onClaimsEnded: (ref, open, effects) => activity.follow(ref, open, effects),
    openWay: (id) => later.life.openWay(id),
    writeTasks: (session, folder) => taskFiles.write(session, folder),
    quarantine: (id, reason) => later.life.quarantine(id, reason),
    now,
  });
}

function joinSessionLife(
  { paths, stores, metrics, now }: Ground,
  { inboxes, due, feed, activity, delivery, doorbells, gateway }: WithDelivery,
  runtime: Runtime,
): SessionLife {
  const { agents, chats, sessions, transcript, ledger, commit } = stores;
  return new SessionLife({
    home: paths.home,
    sessions,
    agents,
    chats,
    transcript,
    ledger,
    commit,
    inboxes,
    doorbells,
    due,
    delivery,
    gateway,
    activity,
    feed,
    metrics,
    wake: (id) => runtime.wake(id),
    reconcile: (id) => runtime.reconcile(id),
    now,
  });
}

function makeDriver(policy: Policy, installId: InstallId, home: string, runnerPath: string): ContainerDriver {
  switch (policy.driver) {
    case 'docker':
      return new DockerDriver({ installId, log: runtimeLog });
    case 'process':
      return new ProcessDriver({ installId, home, runnerPath });
    default:
      return assertNever(policy.driver);
  }
}
