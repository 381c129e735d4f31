/** The session folders, and what watches over them all: the time of what is due, and room on the disk. */
import { join } from 'node:path';
import { Feed } from '../console/api/feed.ts';
import { FreeDisk } from '../sessions/disk.ts';
import { DueTimer } from '../sessions/due-timer.ts';
import { Inboxes } from '../sessions/inbox.ts';
import { OutboxReader } from '../sessions/outbox-reader.ts';
import type { Ground } from './ground.ts';

export type WithSessions = ReturnType<typeof buildSessions>;

export function buildSessions({ closers, paths, root, stores, later, now }: Ground) {
  const reader = closers.use(new OutboxReader(join(root, 'dist', 'reader.mjs')));
  const inboxes = closers.use(new Inboxes(paths.home, (id) => later.runtime.requestStop(id, 'holds-lock')));
  const due = closers.use(new DueTimer(stores.sessions, (id) => later.life.workChanged(id), now));
  const feed = new Feed(stores);
  const disk = new FreeDisk(paths.home);
  return { reader, inboxes, due, feed, disk };
}
