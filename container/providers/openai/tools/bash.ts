/** The tool `bash`. */
import { z } from 'zod';
import { COMMAND_TIMEOUT_S, MAX_COMMAND_TIMEOUT_S, TOOL_SLACK_MS } from '../limits.ts';
import { fine, mistake, type OwnTool } from './own-tool.ts';
import type { CommandResult } from './shell.ts';

const input = z.strictObject({
  command: z.string().min(1).max(100_000).describe('what bash is to run'),
  timeout_s: z
    .number()
    .int()
    .positive()
    .max(MAX_COMMAND_TIMEOUT_S)
    .optional()
    .describe(`seconds until it is ended; ${COMMAND_TIMEOUT_S} when absent`),
});

export const bash: OwnTool<typeof input> = {
  name: 'bash',
  description:
    'Runs a command in bash inside your container and returns its output and exit code. The working folder is kept ' +
    'from call to call; variables are not. There is no input and no terminal. What you start in the background goes ' +
    'on until your turn ends.',
  input,
  timeoutMs: ({ timeout_s }) => timeoutMs(timeout_s) + TOOL_SLACK_MS,
  async run({ command, timeout_s }, { shell, signal }) {
    const result = await shell.run(command, timeoutMs(timeout_s), signal);
    const text = describe(result, timeout_s ?? COMMAND_TIMEOUT_S, shell.cwd);
    return result.ended.kind === 'exit' && result.ended.code === 0 ? fine(text) : mistake(text);
  },
};

function timeoutMs(timeoutS: number | undefined): number {
  return (timeoutS ?? COMMAND_TIMEOUT_S) * 1_000;
}

function describe({ ended, output, hasChildren }: CommandResult, timeoutS: number, cwd: string): string {
  const lines = [output.trimEnd() || '(no output)'];
  switch (ended.kind) {
    case 'exit':
      if (ended.code !== 0) lines.push(`(exit code ${ended.code}, in ${cwd})`);
      break;
    case 'signal':
      lines.push(`(ended by ${ended.signal}${ended.signal === 'SIGKILL' ? ': perhaps it took too much memory' : ''})`);
      break;
    case 'timeout':
      lines.push(`(ended after ${timeoutS} s, with all that it had started; give a longer timeout_s if it needs more)`);
      break;
    case 'flood':
      lines.push('(ended: it printed without an end)');
      break;
    case 'aborted':
      lines.push('(ended: the turn is over)');
      break;
  }
  if (hasChildren) lines.push('(something of it goes on in the background until your turn ends)');
  return lines.join('\n');
}
