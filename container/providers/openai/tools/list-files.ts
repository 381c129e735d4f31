/** The tool `list_files`: what is in a folder, by a pattern if one is given. */
import { opendir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { MAX_LISTED, MAX_WALKED } from '../limits.ts';
import { compileGlob } from './glob.ts';
import { describeSystemError, fine, mistake, type OwnTool } from './own-tool.ts';

const input = z.strictObject({
  path: z.string().min(1).optional().describe('the folder; your own when absent'),
  pattern: z
    .string()
    .min(1)
    .max(500)
    .optional()
    .describe('as `**/*.md`; with one, folders within are looked at, too. Without, the folder alone'),
});

const LIST_TIMEOUT_MS = 60_000;
/** Looked into only when asked for by name: they hold thousands of files that nobody means. */
const HEAVY = new Set(['.git', 'node_modules', '__pycache__', '.venv']);

export const listFiles: OwnTool<typeof input> = {
  name: 'list_files',
  description: `Lists files and folders, ${MAX_LISTED} at most; folders end in a slash. With a pattern, it searches by name.`,
  input,
  timeoutMs: () => LIST_TIMEOUT_MS,
  async run({ path = '.', pattern }, { agentFolder, signal }) {
    const root = resolve(agentFolder, path);
    const glob = pattern === undefined ? null : compileGlob(pattern);
    if (glob !== null && glob.kind === 'bad') return mistake(`pattern: ${glob.why}`);
    const isWanted = (name: string) => glob === null || glob.matches(name);
    const walk = new Walk(root, glob !== null, (name) => pattern?.includes(name) ?? false);
    const found: string[] = [];
    for await (const name of walk.names(signal)) {
      if (!isWanted(name.replace(/\/$/, ''))) continue;
      found.push(name);
      if (found.length > MAX_LISTED) break;
    }
    if (found.length === 0)
      return fine(pattern === undefined ? `${path} is empty.` : `Nothing in ${path} is called ${pattern}.`);
    const shown = found.slice(0, MAX_LISTED).sort();
    const notes = [
      ...(found.length > MAX_LISTED ? [`(more than ${MAX_LISTED}: narrow the pattern)`] : []),
      ...(walk.isCut ? [`(only the first ${MAX_WALKED} entries were looked at)`] : []),
      ...walk.problems,
    ];
    return fine([...shown, ...notes].join('\n'));
  },
};

/** Breadth first, without following links. */
class Walk {
  readonly #root: string;
  readonly #isDeep: boolean;
  readonly #isNamed: (folder: string) => boolean;
  readonly problems: string[] = [];
  isCut = false;

  constructor(root: string, isDeep: boolean, isNamed: (folder: string) => boolean) {
    this.#root = root;
    this.#isDeep = isDeep;
    this.#isNamed = isNamed;
  }

  /** Relative to the root. Throws when the root itself cannot be read. */
  async *names(signal: AbortSignal): AsyncGenerator<string> {
    const folders = [this.#root];
    let walked = 0;
    for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
      try {
        for await (const entry of await opendir(folder)) {
          if (signal.aborted) return;
          if (++walked > MAX_WALKED) {
            this.isCut = true;
            return;
          }
          const full = join(folder, entry.name);
          const isFolder = entry.isDirectory();
          yield relative(this.#root, full) + (isFolder ? '/' : '');
          const isLooked = !HEAVY.has(entry.name) || this.#isNamed(entry.name);
          if (isFolder && this.#isDeep && isLooked) folders.push(full);
        }
      } catch (error) {
        if (folder === this.#root) throw error;
        const problem = describeSystemError(error, relative(this.#root, folder));
        if (problem === null) throw error;
        if (this.problems.length < 3) this.problems.push(`(${problem})`);
      }
    }
  }
}
