/** What reaches sessions with a container at once; all others get theirs before they wake. */
import { existsSync } from 'node:fs';
import type { AgentGroupId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import type { Charts } from '../sessions/chart.ts';
import type { Ground } from './ground.ts';

export function reachLiveSessions({ paths, stores, later }: Ground, charts: Charts) {
  const { sessions } = stores;
  return {
    /** What the agent's containers are made of has changed. */
    ringAgent(agentGroupId: AgentGroupId): void {
      for (const id of later.life.liveIds()) {
        if (sessions.get(id)?.agentGroupId === agentGroupId) later.runtime.reconcile(id);
      }
    },
    /** Whom agents may write to has changed. */
    rewriteCharts(): void {
      for (const id of later.life.liveIds()) {
        const session = sessions.get(id);
        if (session === null) continue;
        const folder = sessionPaths(paths.home, session.agentGroupId, id);
        if (existsSync(folder.in)) charts.writeChart(session, folder);
      }
    },
  };
}
