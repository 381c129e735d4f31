/**
 * The handle of a conversation: the session of the SDK, and the entry of its transcript that was the last of the last
 * turn that ended well. What a turn wrote that was cut off, or failed, lies behind that entry and is not read again:
 * so the second try of a message does not find the first one's half.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Continuation {
  sessionId: string;
  /** Null: all of the transcript. */
  lastId: string | null;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const FORM = new RegExp(`^(${UUID})(?:/(${UUID}))?$`);

export function formatContinuation({ sessionId, lastId }: Continuation): string {
  return lastId === null ? sessionId : `${sessionId}/${lastId}`;
}

/** Null when it is not one. */
export function parseContinuation(text: string): Continuation | null {
  const match = FORM.exec(text);
  return match?.[1] === undefined ? null : { sessionId: match[1], lastId: match[2] ?? null };
}

/** Whether the SDK's folder has its transcript. */
export function hasTranscript(configFolder: string, { sessionId }: Continuation): boolean {
  const projects = join(configFolder, 'projects');
  return list(projects).some((name) => isFull(join(projects, name, `${sessionId}.jsonl`)));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isFull(path: string): boolean {
  try {
    return statSync(path).size > 0;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
