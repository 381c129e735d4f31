import { useQuery, useQueryClient } from '@tanstack/react-query';
import { fetchBuilds } from '../client/admin-api.ts';
import { BuildLog } from './build-log.tsx';
import { LogDetails } from './log-details.tsx';

/** Between looks for a build that is not there yet. Higher: its log begins late. Lower: needless calls. */
const LOOK_MS = 1_500;

interface ApprovalBuildProps {
  agentId: string;
  approvalId: string;
  isUnderWay: boolean;
}

/** The build that an approval led to: its log, unfolded while it runs. Nothing when there was none. */
export function ApprovalBuild({ agentId, approvalId, isUnderWay }: ApprovalBuildProps) {
  const queries = useQueryClient();
  const builds = useQuery({
    queryKey: ['agents', agentId, 'builds', 'first'],
    queryFn: () => fetchBuilds(agentId, null),
    refetchInterval: isUnderWay ? LOOK_MS : false,
  });
  const build = builds.data?.items.find((one) => one.approvalId === approvalId);
  if (build === undefined) return null;
  const refetch = () => queries.invalidateQueries({ queryKey: ['agents', agentId] });
  if (isUnderWay) return <BuildLog buildId={build.id} onEnd={refetch} />;
  return (
    <LogDetails>
      <BuildLog buildId={build.id} onEnd={refetch} />
    </LogDetails>
  );
}
