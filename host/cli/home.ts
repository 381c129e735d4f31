/** Which host a command speaks to. */
import { join, resolve } from 'node:path';
import { projectRoot } from '../config/home.ts';
import type { Terminal } from './terminal.ts';

/** `--home`, else PORTOLAN_HOME, else `data/` of this clone; an absolute path. */
export function chooseHome(terminal: Pick<Terminal, 'env' | 'cwd'>, option: string | undefined): string {
  return resolve(terminal.cwd, option ?? (terminal.env.PORTOLAN_HOME || join(projectRoot(), 'data')));
}
