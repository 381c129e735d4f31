/** A session that is ready for a row: it exists, its folder too, and it is noted as open. */
import { sessionPaths } from '../../shared/session-files.ts';
import { failpoint } from '../observe/failpoint.ts';
import type { Session, SessionKey, SessionStore } from '../store/sessions.ts';
import { createSessionFolder, hostContainerUser } from './folder.ts';

/**
 * Finds or makes the session of this key. Open before the work exists, so that a crash in between finds it;
 * may be repeated after one.
 */
export function ensureSession(
  parts: { home: string; sessions: SessionStore },
  key: SessionKey,
  title: string,
  now: number,
): Session {
  let session = parts.sessions.find(key);
  if (session === null) {
    session = parts.sessions.create(key, title, now);
    failpoint('session.made');
  }
  openSession(parts, session, now);
  return session;
}

/** The same for one that exists. */
export function openSession(parts: { home: string; sessions: SessionStore }, session: Session, now: number): void {
  if (session.isOpen) return;
  createSessionFolder(sessionPaths(parts.home, session.agentGroupId, session.id), hostContainerUser(session));
  parts.sessions.markOpen(session.id, now);
}
