/** `portolan stop`: a clean end, and the certainty that the host is gone. */
import { setTimeout as wait } from 'node:timers/promises';
import { errorCode } from '../../config/errors.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { readHomeHolder } from '../lock.ts';
import { formatDuration } from '../output/units.ts';

/** How often to look whether the process is gone. */
const POLL_MS = 50;

export interface StopOptions {
  /** Seconds. Higher: waits long for a hung host. Lower: gives up on one that finishes its sends. */
  timeout: number;
}

export async function stopHost(context: Context, options: StopOptions): Promise<void> {
  const { api, paths, terminal } = context;
  const holder = await readHomeHolder(paths.lock);
  const pid = holder.kind === 'held' ? holder.pid : null;
  const startedAt = terminal.now();
  await api.shutdown();
  const deadline = startedAt + options.timeout * 1_000;
  while (!(await isGone(context))) {
    if (terminal.interrupted.aborted) {
      throw new CliError(EXIT.failed, 'interrupted', 'Interrupted while the host was stopping; it goes on stopping.');
    }
    if (terminal.now() > deadline) {
      throw new CliError(EXIT.failed, 'still_stopping', `The host still runs after ${options.timeout} s.`, {
        expected: 'a host that ends its sends and closes its databases',
        next: pid === null ? 'portolan logs' : `portolan logs; kill ${pid}`,
      });
    }
    await wait(POLL_MS);
  }
  const tookMs = terminal.now() - startedAt;
  if (context.json) return context.printJson({ stopped: true, pid, tookMs });
  context.print(`${context.style.green('✓')} The host has stopped (${formatDuration(tookMs)}).`);
}

/** Nothing listens, and nobody holds the home: its databases are closed, another host may start. */
async function isGone(context: Context): Promise<boolean> {
  try {
    await context.api.readStatus(AbortSignal.timeout(2_000));
    return false;
  } catch (error) {
    const isSilent = errorCode(error) === 'ABORT_ERR';
    if (!isSilent && !(error instanceof CliError)) throw error;
    if (isSilent || (error instanceof CliError && error.code !== 'host_not_running')) return false;
  }
  return (await readHomeHolder(context.paths.lock)).kind === 'nobody';
}
