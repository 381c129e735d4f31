/**
 * The agents' folders under `<home>/groups`: made, put away, brought back.
 *
 *   groups/
 *     <folder>/                       one agent's
 *     .making/<agent id>/             half-made; renamed into its place when whole
 *     .archive/<folder>-<date>-<id>/  of an agent that was removed
 *
 * I1. Nothing is opened, made or moved through a link: each name is looked at with `lstat` below the folder
 *     that is held open, and a folder is renamed as a whole. What is in the way is left as it is, and named.
 * I2. Every step may be repeated after a crash in the middle of it.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { errorCode, Fault, toDiskFault } from '../config/errors.ts';
import { failpoint } from '../observe/failpoint.ts';
import { agentGid } from '../sessions/folder.ts';
import type { AgentGroup } from '../store/agents.ts';

const MAKING = '.making';
const ARCHIVE = '.archive';
const INSTRUCTIONS = 'AGENTS.md';
/** Set-gid, so that what one session's container makes belongs to the agent's group too. */
const FOLDER_MODE = 0o2770;
const FILE_MODE = 0o660;

type FolderState = 'there' | 'missing';

export class AgentFolders {
  readonly #groups: string;
  readonly #template: string;

  /** `groups` is `<home>/groups`; `template` is copied into each new folder. */
  constructor(groups: string, template: string) {
    this.#groups = groups;
    this.#template = template;
  }

  /**
   * The agent's folder, made or brought back when its open work says so or when it is not there; its path.
   * Throws Fault `folder_in_the_way`, `disk_full`.
   */
  ensure(agent: AgentGroup): string {
    this.#inGroups((root) => {
      if (stateOf(root, agent.folder) === 'there') return;
      const work = agent.openWork;
      if (work?.kind === 'restore' && this.#isArchived(root, work.archiveFolder)) {
        renameSync(join(root, ARCHIVE, work.archiveFolder), join(root, agent.folder));
        return;
      }
      this.#make(root, agent, work?.kind === 'make' ? work.instructions : null);
    });
    return join(this.#groups, agent.folder);
  }

  /** Whether there is a folder of this name, whoever made it: a new agent must not move into it. */
  has(folder: string): boolean {
    let isThere = false;
    this.#inGroups((root) => {
      isThere = lstatSync(join(root, folder), { throwIfNoEntry: false })?.isDirectory() ?? false;
    });
    return isThere;
  }

  /** Puts a removed agent's folder away; nothing when it has none, or has been put away. Throws Fault `folder_in_the_way`. */
  archive(folder: string, archiveFolder: string): void {
    this.#inGroups((root) => {
      if (stateOf(root, folder) === 'missing' || this.#isArchived(root, archiveFolder)) return;
      renameSync(join(root, folder), join(root, ARCHIVE, archiveFolder));
    });
  }

  #isArchived(root: string, archiveFolder: string): boolean {
    return stateOf(ensureFolder(root, ARCHIVE), archiveFolder) === 'there';
  }

  #make(root: string, agent: AgentGroup, instructions: string | null): void {
    const making = join(ensureFolder(root, MAKING), agent.id);
    // Left by a crash; removed without following what is in it.
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { mode: 0o700 });
    if (existsSync(this.#template)) cpSync(this.#template, making, { recursive: true });
    if (instructions !== null) writeFileSync(join(making, INSTRUCTIONS), `${instructions.trimEnd()}\n`);
    share(making, agent);
    failpoint('agents.folder-made');
    renameSync(making, join(root, agent.folder));
  }

  /** With groups/ held open: it stays the same folder whatever becomes of its name. */
  #inGroups(work: (root: string) => void): void {
    const fd = openSync(this.#groups, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      work(`/proc/self/fd/${fd}`);
    } catch (error) {
      throw translate(error);
    } finally {
      closeSync(fd);
    }
  }
}

/** The name of a removed agent's folder in the archive: its folder, the day (UTC), and the end of its id. */
export function nameArchive(agent: Pick<AgentGroup, 'id' | 'folder'>, now: number): string {
  return `${agent.folder}-${new Date(now).toISOString().slice(0, 10)}-${agent.id.slice(-8)}-${now.toString(36)}`;
}

/** Where a removed agent's folder lies, below the home. */
export function archivePath(archiveFolder: string): string {
  return join('groups', ARCHIVE, archiveFolder);
}

/** Throws Fault `folder_in_the_way` when the name is something other than a folder (I1). */
function stateOf(root: string, name: string): FolderState {
  try {
    if (lstatSync(join(root, name)).isDirectory()) return 'there';
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'missing';
    throw error;
  }
  throw inTheWay(name);
}

function ensureFolder(root: string, name: string): string {
  if (stateOf(root, name) === 'missing') mkdirSync(join(root, name), { mode: 0o700 });
  return join(root, name);
}

/** All sessions of an agent share its folder, through the group that their containers run as. */
function share(folder: string, agent: AgentGroup): void {
  for (const entry of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })]) {
    const path = join(folder, entry);
    const stats = lstatSync(path);
    if (stats.isSymbolicLink()) continue;
    if (process.getuid?.() === 0) chownSync(path, 0, agentGid(agent.id));
    chmodSync(path, stats.isDirectory() ? FOLDER_MODE : FILE_MODE);
  }
}

function inTheWay(name: string): Fault {
  return new Fault('folder_in_the_way', `groups/${name} is not a folder of this host: it was left as it is`, {
    hint: `look at groups/${name} in the host's home, and move it away`,
  });
}

function translate(error: unknown): unknown {
  const code = errorCode(error);
  // Something else appeared at the name meanwhile.
  if (code === 'EEXIST' || code === 'ENOTEMPTY' || code === 'ENOTDIR' || code === 'ELOOP') {
    return new Fault('folder_in_the_way', 'something is in the way in groups/, and was left as it is', {
      cause: error,
      hint: "look at groups/ in the host's home",
    });
  }
  return toDiskFault(error) ?? error;
}
