/** An agent's config and builds, in words. Pure. */
import type { AccessRule, AgentConfig, AgentProvider, Build } from '../client/types.ts';
import { assertNever } from '../state/assert.ts';
import { formatDuration } from '../style/time.ts';

export interface Look {
  label: string;
  tone: 'good' | 'busy' | 'bad' | 'quiet';
}

/** In the words of the command line. */
export function describeImage({ state }: AgentConfig['image']): Look {
  switch (state) {
    case 'ready':
      return { label: state, tone: 'good' };
    case 'waiting':
      return { label: state, tone: 'busy' };
    case 'failed':
      return { label: state, tone: 'bad' };
    default:
      return assertNever(state);
  }
}

export function describeBuild({ state }: Pick<Build, 'state'>): Look {
  switch (state) {
    case 'queued':
      return { label: 'waits for its turn', tone: 'busy' };
    case 'building':
      return { label: 'building', tone: 'busy' };
    case 'built':
      return { label: 'built', tone: 'good' };
    case 'failed':
      return { label: 'failed', tone: 'bad' };
    default:
      return assertNever(state);
  }
}

/** How long it took, null while it has not ended. */
export function describeBuildTime({ startedAt, endedAt }: Build): string | null {
  return startedAt === null || endedAt === null ? null : `took ${formatDuration(endedAt - startedAt)}`;
}

/** What stands beside a server: how it came up, as its containers last said. */
export function describeServer(
  report: AgentConfig['mcpReports'][number] | undefined,
): Look & { problem: string | null } {
  if (report === undefined) return { label: 'not started yet', tone: 'quiet', problem: null };
  if (report.problem !== null) return { label: 'did not come up', tone: 'bad', problem: report.problem };
  const tools = report.tools === 1 ? '1 tool' : `${report.tools} tools`;
  return { label: `up, ${tools}`, tone: 'good', problem: null };
}

export function describePackages({ apt, npm }: { apt: readonly string[]; npm: readonly string[] }): string | null {
  const parts = [apt.length > 0 && `apt: ${apt.join(', ')}`, npm.length > 0 && `npm: ${npm.join(', ')}`];
  return parts.filter(Boolean).join(' · ') || null;
}

export function describeResources({ memoryMb, cpus, pids }: AgentConfig['resources']): string {
  return [
    memoryMb === null ? 'default memory' : `${memoryMb} MB of memory`,
    cpus === null ? 'default processors' : `${cpus} processors`,
    pids === null ? 'default processes' : `${pids} processes`,
  ].join(' · ');
}

export function describeEffort(effort: AgentProvider['effort']): string {
  return effort ?? 'as the model does by itself';
}

export function describeKey({ state }: AgentProvider['key']): Look {
  switch (state) {
    case 'given':
      return { label: 'added by the gateway', tone: 'good' };
    case 'not_taken':
      return { label: 'none is sent to this service', tone: 'quiet' };
    case 'not_needed':
      return { label: 'none is needed', tone: 'quiet' };
    case 'missing':
      return { label: 'missing', tone: 'bad' };
    case 'no_service':
      return { label: 'there is no such service', tone: 'bad' };
    default:
      return assertNever(state);
  }
}

/** What of a place a rule allows. */
export function describeLimits({ methods, path }: Pick<AccessRule, 'methods' | 'path'>): string {
  const which = methods === null ? 'all methods' : methods.join(', ');
  return path === null ? which : `${which} · paths below ${path}`;
}
