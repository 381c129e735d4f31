/** The folder of one call: as a session's, but for its databases. Gone with the call, or with the next host's start. */
import { chmodSync, chownSync, closeSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ProbeAnswer, probeAnswerSchema } from '../../../shared/probe.ts';
import type { SessionFile } from '../../../shared/protocol.ts';
import { FILE_NAMES, MODES, type WorkspacePaths } from '../../../shared/session-files.ts';
import { replaceFile } from '../../sessions/atomic-file.ts';
import type { ContainerUser } from '../../sessions/folder.ts';
import { openInside } from '../../sessions/safe-open.ts';
import { MAX_PROBE_BYTES } from './limits.ts';

/** What it says, in `out/`. */
export const WORD_FILE = 'probe.json';

export interface ProbePlace extends Disposable {
  folders: WorkspacePaths;
  /** Where its gateway listens. */
  socket: string;
  /** Null: it said nothing that can be read. */
  readWord(): ProbeAnswer | null;
}

/** `home`: the folder of all of them. */
export function makeProbePlace(home: string, file: SessionFile, user: ContainerUser): ProbePlace {
  const root = join(home, file.sessionId);
  const folders = {
    in: join(root, 'in'),
    out: join(root, 'out'),
    state: join(root, 'state'),
    agent: join(root, 'agent'),
  };
  mkdirSync(root, { recursive: true, mode: MODES.sessionRoot });
  makeFolder(folders.in, MODES.in);
  for (const folder of [folders.out, folders.state, folders.agent]) {
    makeFolder(folder, MODES.out);
    chownSync(folder, user.uid, user.gid);
  }
  replaceFile(join(folders.in, FILE_NAMES.session), `${JSON.stringify(file, null, 2)}\n`, MODES.inFile);
  return {
    folders,
    socket: join(folders.in, FILE_NAMES.gateway),
    readWord: () => readWord(folders.out),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** What hosts that died left; true when there was something. */
export function clearProbePlaces(home: string): boolean {
  mkdirSync(home, { recursive: true, mode: MODES.sessionRoot });
  const left = readdirSync(home);
  for (const name of left) rmSync(join(home, name), { recursive: true, force: true });
  return left.length > 0;
}

function makeFolder(path: string, mode: number): void {
  mkdirSync(path, { mode });
  chmodSync(path, mode);
}

/** The container wrote it: opened without following anything, and parsed before it is looked at. */
function readWord(out: string): ProbeAnswer | null {
  const opened = openInside(out, [WORD_FILE], MAX_PROBE_BYTES);
  if (opened.kind === 'refused') return null;
  try {
    const parsed = probeAnswerSchema.safeParse(JSON.parse(lastLine(readFileSync(opened.fd, 'utf8'))));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  } finally {
    closeSync(opened.fd);
  }
}

/** Programs of the image may have greeted before. */
function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}
