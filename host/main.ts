/** Entry of the host: settings in, signals out. */

import { MAX_AGENTS } from './agents/limits.ts';
import { adviseModel } from './agents/provider/advice.ts';
import { Fault } from './config/errors.ts';
import { commandsFor, homePaths, prepareHome } from './config/home.ts';
import { type Policy, readPolicy } from './config/policy.ts';
import { startHost } from './host.ts';
import { hostLog, startLogging } from './observe/logger.ts';
import { takeVaultEnvironment, type VaultEnvironment } from './vault/environment.ts';
import { eraseFromEnvironment, leaveMemoryOutOfCoreDumps } from './vault/process-memory.ts';
import { describeClosed } from './vault/state.ts';

/** A shutdown that takes longer is cut off: what is left undone is found by the next start. */
const SHUTDOWN_DEADLINE_MS = 15_000;

async function run(policy: Policy, vault: VaultEnvironment): Promise<void> {
  // What this process makes is for its user alone; what a container must read says so itself.
  process.umask(0o077);
  leaveMemoryOutOfCoreDumps();
  prepareHome(policy.home);
  const logging = startLogging(homePaths(policy.home).logFile, policy.logLevel);
  const signalled = new Promise<'SIGINT' | 'SIGTERM'>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
  const host = await startHost({ policy, vault });
  console.log(`\n  Portolan is running.\n\n  Open  ${host.makeSignInLink()}\n`);
  const another = commandsFor(policy.home, 'npx portolan url');
  console.log(`  The link signs you in once, within 15 minutes. Another one: ${another}`);
  const closed = describeClosed(host.vault.state);
  if (closed !== null) {
    console.log(`  Agents get no secrets: ${closed.why}.`);
    console.log(
      `  In another terminal: ${commandsFor(policy.home, closed.next.replace(/^portolan/, 'npx portolan'))}\n`,
    );
  }
  const advice = adviseModel(host.stores.agents.list(MAX_AGENTS));
  if (advice.length > 0) {
    console.log('  Agents follow fixed rules so far. For a real model, in another terminal:');
    for (const step of advice)
      console.log(`    ${commandsFor(policy.home, step.replace(/^portolan/, 'npx portolan'))}`);
    console.log('');
  }
  console.log('  Stop with Ctrl+C. What agents have not finished then is taken up at the next start.\n');
  const why = await Promise.race([signalled, host.stopRequested]);
  console.log('  Stopping …');
  const deadline = setTimeout(() => {
    hostLog.error({}, 'the shutdown took too long and was cut off');
    logging.flush();
    process.exit(1);
  }, SHUTDOWN_DEADLINE_MS);
  // SIGTERM is how a service manager restarts a host: containers go on, and the next host takes them over.
  // A person who stops it wants nothing left running; a runner that is stopped gives its claims back.
  if (why !== 'SIGTERM') await host.stopContainers();
  await host[Symbol.asyncDispose]();
  clearTimeout(deadline);
  logging.flush();
  console.log('  Stopped.');
}

let policy: Policy | null = null;
try {
  // First: whatever this process starts later inherits no key.
  const vault = takeVaultEnvironment(process.env);
  eraseFromEnvironment('PORTOLAN_VAULT_KEY');
  policy = readPolicy(process.env);
  await run(policy, vault);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  const { hint } = error;
  console.error(`\n  Portolan could not start: ${error.message}.`);
  if (hint !== undefined) console.error(`  Next: ${policy === null ? hint : commandsFor(policy.home, hint)}`);
  process.exitCode = 1;
}
