/** The tools that this provider brings along. */
import { bash } from './bash.ts';
import { grep } from './grep.ts';
import { listFiles } from './list-files.ts';
import type { OwnTool } from './own-tool.ts';
import { readFile } from './read-file.ts';
import { editFile, writeFile } from './write-file.ts';

export const OWN_TOOLS: readonly OwnTool[] = [readFile, writeFile, editFile, listFiles, grep, bash];
