/** Where things are in this clone. Everything generated lives under dist/, so that deleting it starts afresh. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const DIST = join(ROOT, 'dist');
export const LOGS = join(DIST, 'logs');

/** Names the host and the scripts agree on, as environment variables. */
export const ENV = {
  home: 'PORTOLAN_HOME',
  port: 'PORTOLAN_PORT',
  driver: 'PORTOLAN_DRIVER',
  /** The exact agent image this clone built, so that two clones never use each other's. */
  image: 'PORTOLAN_IMAGE',
};

/**
 * The environment of a host started from this clone.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
export function hostEnvironment(env) {
  return {
    ...env,
    [ENV.home]: resolve(env[ENV.home] || join(ROOT, 'data')),
    [ENV.port]: env[ENV.port] || '4180',
  };
}
