/** Agents: what their containers are made of, which folders they see, and who makes new ones. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AgentGroupId } from '../../shared/ids.ts';
import { AgentConfigs } from '../agents/config/configs.ts';
import { makeSelfChanges } from '../agents/config/self.ts';
import { AgentFolders } from '../agents/folders.ts';
import { DAY_MS } from '../agents/limits.ts';
import { AgentMaker } from '../agents/maker.ts';
import { Mounts } from '../agents/mounts/mounts.ts';
import { ImageEngine } from '../images/engine.ts';
import { ImageBuilds } from '../images/images.ts';
import { providerLayers } from '../images/provider-layer.ts';
import { makeAdminTeller } from '../tell-admins.ts';
import type { WithEgress } from './egress.ts';
import type { Ground } from './ground.ts';

export type WithAgents = WithEgress & ReturnType<typeof buildAgents>;

export function buildAgents(
  { closers, policy, paths, root, stores, later, installId, now }: Ground,
  { inboxes, channels, live, tellChat, approvals, gateway }: WithEgress,
) {
  const { agents, destinations, sessions, ledger, commit } = stores;
  /** Its containers are replaced when idle; a model that it may use no more is out of reach at once. */
  const onConfigChanged = (id: AgentGroupId) => {
    live.ringAgent(id);
    gateway.accessChanged(id);
  };
  const configs = new AgentConfigs({ ...stores, onConfigChanged, now });
  const tellAdmins = makeAdminTeller({ ...stores, isConnected: (type) => channels.has(type), tell: tellChat, now });
  const images = closers.use(
    new ImageBuilds({
      ...{ agents, ledger, builds: stores.imageBuilds, commit },
      engine: policy.driver === 'docker' ? new ImageEngine(installId) : null,
      installId,
      baseImage: policy.image,
      layerOf: providerLayers(root),
      logs: paths.buildLogs,
      onChanged: live.ringAgent,
      // Once a day as long as it lasts.
      tellAdmins: (agent, text) =>
        tellAdmins(agent, `image ${agent.config.revision} ${Math.floor(now() / DAY_MS)}`, text),
      now,
    }),
  );
  const self = makeSelfChanges({
    ...stores,
    ...{ configs, images, tellAdmins, reports: stores.mcpReports },
    isConfined: policy.driver === 'docker',
    requestApproval: (request) => approvals.requestApproval(request),
    countSessions: (id) => sessions.listForAgent(id).length,
    onConfigChanged,
    onWorkChanged: (id) => later.life.workChanged(id),
    reconcile: (id) => later.runtime.reconcile(id),
  });
  const mounts = new Mounts({
    ...{ agents, home: paths.home, project: root, allowlistPath: policy.mounts, userHome: homedir() },
    canMount: policy.driver === 'docker',
    hostUid: process.getuid?.() ?? 0,
  });
  const folders = new AgentFolders(paths.groups, join(root, 'groups', 'template'));
  const maker = closers.use(
    new AgentMaker({
      agents,
      destinations,
      sessions,
      ledger,
      inboxes,
      folders,
      commitTogether: commit,
      onDestinationsChanged: live.rewriteCharts,
      onWorkChanged: (id) => later.life.workChanged(id),
      now,
    }),
  );
  return { configs, images, self, mounts, folders, maker };
}
