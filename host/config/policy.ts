/** What an operator has set, from the environment, parsed once. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LogLevel } from '../observe/logger.ts';
import { Fault } from './errors.ts';
import { projectRoot } from './home.ts';
import { DRIVER_NAMES, findBadSetting, LOG_LEVEL_NAMES, SETTINGS } from './settings.mjs';

export interface Policy {
  home: string;
  /** 0 lets the system choose. */
  port: number;
  driver: (typeof DRIVER_NAMES)[number];
  image: string;
  maxRunning: number;
  /** Idle for this long, a container is frozen, and later stopped. */
  pauseAfterMs: number;
  stopAfterMs: number;
  logLevel: LogLevel;
  /** The allowlist of folders that agents may be given. */
  mounts: string;
}

/** Throws Fault `bad_setting`, naming the variable and what was expected. */
export function readPolicy(environment: NodeJS.ProcessEnv): Policy {
  const bad = findBadSetting(environment);
  if (bad !== null) {
    throw new Fault('bad_setting', `${bad.name} is "${bad.value}": ${bad.expected}`, {
      hint: `correct or unset ${bad.name}, then start again`,
    });
  }
  const number = (name: NumberName) => Number(environment[name] ?? SETTINGS[name].fallback);
  return {
    home: resolve(environment.PORTOLAN_HOME ?? `${projectRoot()}/data`),
    port: number('PORTOLAN_PORT'),
    driver: DRIVER_NAMES.find((driver) => driver === environment.PORTOLAN_DRIVER) ?? 'docker',
    image: environment.PORTOLAN_IMAGE ?? 'portolan-agent:latest',
    maxRunning: number('PORTOLAN_MAX_RUNNING'),
    pauseAfterMs: number('PORTOLAN_PAUSE_AFTER_MS'),
    stopAfterMs: number('PORTOLAN_STOP_AFTER_MS'),
    logLevel: LOG_LEVEL_NAMES.find((level) => level === environment.PORTOLAN_LOG_LEVEL) ?? 'info',
    mounts: resolve(environment.PORTOLAN_MOUNTS ?? join(homedir(), '.config', 'portolan', 'mounts.json')),
  };
}

type NumberName = 'PORTOLAN_PORT' | 'PORTOLAN_MAX_RUNNING' | 'PORTOLAN_PAUSE_AFTER_MS' | 'PORTOLAN_STOP_AFTER_MS';
