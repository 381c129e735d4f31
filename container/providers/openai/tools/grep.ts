/** The tool `grep`: a pattern in files, by the program of that name, which takes linear time whatever the pattern. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { SEARCH_TIMEOUT_MS, TOOL_SLACK_MS } from '../limits.ts';
import { boundText } from './bounds.ts';
import { fine, mistake, type OwnTool } from './own-tool.ts';

const input = z.strictObject({
  pattern: z.string().min(1).max(2_000).describe('an extended regular expression'),
  path: z.string().min(1).optional().describe('file or folder; your own folder when absent'),
  files: z.string().min(1).max(200).optional().describe('only files of such names, as `*.ts`'),
  ignore_case: z.boolean().optional(),
  context: z.number().int().min(0).max(20).optional().describe('lines before and after each'),
});

/** Of each file. Higher: one file fills the answer. */
const MAX_MATCHES_PER_FILE = 100;
const MAX_LINE_CHARS = 400;

export const grep: OwnTool<typeof input> = {
  name: 'grep',
  description:
    'Searches files for a regular expression; returns the lines with file and number. .git and node_modules are left out.',
  input,
  timeoutMs: () => SEARCH_TIMEOUT_MS + TOOL_SLACK_MS,
  async run({ pattern, path = '.', files, ignore_case = false, context = 0 }, { agentFolder, shell, signal }) {
    const options = [
      ...['-rnIE', '-s', `--max-count=${MAX_MATCHES_PER_FILE}`, '--exclude-dir=.git', '--exclude-dir=node_modules'],
      ...(ignore_case ? ['-i'] : []),
      ...(context > 0 ? [`-C${context}`] : []),
      ...(files === undefined ? [] : [`--include=${files}`]),
      ...['-e', pattern, '--', path],
    ];
    const result = await shell.runProgram('grep', options, resolve(agentFolder), SEARCH_TIMEOUT_MS, signal);
    const { ended, output } = result;
    const shown = boundText(output.split('\n').map(cutLine).join('\n').trimEnd());
    if (ended.kind === 'timeout')
      return mistake(`${shown}\n(ended after ${SEARCH_TIMEOUT_MS / 1_000} s: search in fewer files)`);
    if (ended.kind !== 'exit') return mistake(`${shown}\n(the search was ended)`);
    if (ended.code === 2 && shown.startsWith('grep: ')) return mistake(shown);
    if (ended.code === 0 || (ended.code === 2 && shown !== '')) return fine(shown);
    if (ended.code === 1) return fine('Nothing was found.');
    return mistake(`Nothing could be read: is ${path} there?`);
  },
};

function cutLine(line: string): string {
  return line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS).replace(/\p{Surrogate}$/u, '')}…` : line;
}
