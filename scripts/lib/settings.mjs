/** What was set, looked at before anything is installed or built; and the help of the commands that start a host. */
import { findBadSetting, SECRET_SETTINGS } from '../../host/config/settings.mjs';
import { StepFailure } from './steps.mjs';
import { hostEnvironment } from './workspace.mjs';

/**
 * Throws StepFailure for a setting that the host would refuse minutes later.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} command what to type again
 */
export function requireSettings(env, command) {
  const bad = findBadSetting(hostEnvironment(env));
  if (bad === null) return;
  throw new StepFailure(`${bad.name} is "${bad.value}": ${bad.expected}.`, {
    next: [`unset ${bad.name}   # or correct it`, command],
  });
}

/**
 * Takes the settings that are secrets out of the environment, for the host alone: nothing that is installed or built
 * on the way inherits them.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function takeSecretSettings(env) {
  /** @type {NodeJS.ProcessEnv} */
  const taken = {};
  for (const name of SECRET_SETTINGS) {
    if (env[name] !== undefined) taken[name] = env[name];
    delete env[name];
  }
  return taken;
}

/**
 * Whether the command was asked for its help, which is printed then. Throws StepFailure for anything else.
 * @param {readonly string[]} args
 * @param {{ command: string, help: string }} about
 */
export function printedHelp(args, { command, help }) {
  const [first] = args;
  if (first === undefined) return false;
  if (first === '--help' || first === '-h') {
    process.stdout.write(`${help}\n`);
    return true;
  }
  throw new StepFailure(`\`${command}\` takes no arguments, and was given ${args.join(' ')}.`, {
    next: [command, `${command} -- --help`],
  });
}
