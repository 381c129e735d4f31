/** Tells the host how the agent's MCP servers came up, so that admins see it: from the runner itself, in answer to nobody. */
import { makeId } from '../../shared/ids.ts';
import { describeError, log } from './log.ts';
import type { Draft } from './message.ts';
import { isPassing } from './outbox.ts';
import type { ServerReport } from './server-tools.ts';
import type { TurnParts } from './turn.ts';

/** Commits the report that is due, if any. What cannot be written now is due again in the next turn. */
export function reportServers({ servers, outbox }: Pick<TurnParts, 'servers' | 'outbox'>): void {
  const report = servers.planReport();
  if (report === null) return;
  try {
    outbox.insert(draftReport(report), makeId('message'));
    servers.noteReported(report);
  } catch (error) {
    if (!isPassing(error)) throw error;
    log.warn('cannot report MCP servers now', { error: describeError(error) });
  }
}

function draftReport(report: ServerReport): Draft {
  return {
    destination: null,
    channelType: null,
    platformId: null,
    threadId: null,
    inReplyTo: null,
    traceId: null,
    body: { kind: 'request', content: report },
  };
}
