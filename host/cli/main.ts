/** The program `portolan`: gives the process's terminal to a command, and the command's end to the process. */
import { errorCode } from '../config/errors.ts';
import { runCli } from './program.ts';
import { openProcessTerminal } from './terminal.ts';

/** How a shell reports a program that a signal ended. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // A command that goes on ends by itself; for one that does not, and at the second signal, the process does.
    if (interrupted.signal.aborted) process.exit(SIGNAL_EXIT[signal]);
    interrupted.abort();
    process.exitCode = SIGNAL_EXIT[signal];
    setTimeout(() => process.exit(SIGNAL_EXIT[signal]), 300).unref();
  });
}
// `portolan logs | head`: whoever read us has enough.
process.stdout.on('error', (error) => {
  if (errorCode(error) !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? 0);
});

const exitCode = await runCli(process.argv.slice(2), openProcessTerminal(interrupted.signal));
process.exitCode ??= exitCode;
