/**
 * A quarantined session starts afresh: what its container wrote is set aside, for a person to look at, and
 * a new out/ takes its place. Nothing of the old one is opened. Only while no container runs.
 */
import { existsSync, renameSync } from 'node:fs';
import { makeId } from '../../shared/ids.ts';
import { sessionPaths } from '../../shared/session-files.ts';
import type { Session } from '../store/sessions.ts';
import { createSessionFolder, hostContainerUser } from './folder.ts';
import type { Inboxes } from './inbox.ts';
import type { DeliveryRow } from './inbox-tables.ts';

/** Open deliveries that are ended at once. */
const MAX_ENDED = 10_000;

/** Returns the deliveries that cannot be made any more, as they ended: their rows were set aside. */
export async function setOutboxAside(
  home: string,
  session: Session,
  inboxes: Inboxes,
  now: number,
): Promise<DeliveryRow[]> {
  const paths = sessionPaths(home, session.agentGroupId, session.id);
  // Gone already when an earlier release was cut off here.
  if (existsSync(paths.out)) renameSync(paths.out, `${paths.root}/out-set-aside-${now}`);
  createSessionFolder(paths, hostContainerUser(session));
  return inboxes.commit(session, (tables) => {
    const reason = 'its session was set aside';
    const lost = tables
      .listOpenDeliveries(MAX_ENDED)
      .map((row) => ({ ...row, state: 'failed' as const, reason, nextAttemptAt: null, updatedAt: now }));
    for (const row of lost) tables.putDelivery(row);
    // The new outbound.db is empty: this row's number lifts the container's next above every one it used before.
    tables.append([
      {
        id: makeId('message', now),
        kind: 'system',
        timestamp: now,
        processAfter: null,
        trigger: false,
        onWake: false,
        channelType: null,
        platformId: null,
        threadId: null,
        senderId: null,
        sourceSessionId: null,
        inReplyTo: null,
        hop: 0,
        traceId: makeId('trace', now),
        content: JSON.stringify({
          text: 'Your earlier outbox was set aside: what you had written and not yet sent is gone.',
          senderName: 'host',
          attachments: [],
          event: 'outbox_set_aside',
        }),
      },
    ]);
    return lost;
  });
}
