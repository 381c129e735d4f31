/** What the tools of this provider are: they run in the container, with the rights of the agent. */
import type { z } from 'zod';
import type { MediaFolder } from '../media.ts';
import type { Media } from '../records.ts';
import type { Shell } from './shell.ts';

export interface OwnToolPlace {
  /** What relative paths stand on. */
  agentFolder: string;
  media: MediaFolder;
  shell: Shell;
  /** Aborted when the turn is over. */
  signal: AbortSignal;
}

export interface OwnResult {
  isOk: boolean;
  /** For the model. */
  text: string;
  media?: Media[];
}

export interface OwnTool<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly description: string;
  readonly input: Schema;
  /** How long it may take, in milliseconds. */
  timeoutMs(input: z.output<Schema>): number;
  /** A mistake of the model is a result. Throws what no model can mend. */
  run(input: z.output<Schema>, place: OwnToolPlace): OwnResult | Promise<OwnResult>;
}

export function fine(text: string, media: Media[] = []): OwnResult {
  return { isOk: true, text, media };
}

export function mistake(text: string): OwnResult {
  return { isOk: false, text };
}

/** Why the system refused, in words; null for an error that is not its. */
export function describeSystemError(error: unknown, path: string): string | null {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return null;
  const why = REASONS[error.code];
  return why === undefined ? null : `${path}: ${why}.`;
}

const REASONS: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of this path is no folder',
  EISDIR: 'this is a folder; list it with list_files',
  EACCES: 'this may not be read or written here',
  EPERM: 'this may not be changed here',
  EROFS: 'this part of the container is read-only; write under /workspace/agent or /tmp',
  ENOSPC: 'there is no room left on the disk',
  EFBIG: 'the file would be too large',
  EDQUOT: 'there is no room left for this user',
  ELOOP: 'links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  ENXIO: 'this is no regular file',
  EINVAL: 'this is no path that the system takes',
  ETXTBSY: 'the program runs at the moment',
  ERR_INVALID_ARG_VALUE: 'this is no path that the system takes',
};
