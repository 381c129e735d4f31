/** What an operator may set, from the environment, parsed once. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { LOG_LEVELS } from '../observe/logger.ts';
import { Fault } from './errors.ts';
import { projectRoot } from './home.ts';
import { DEFAULT_MAX_RUNNING, DEFAULT_PORT } from './limits.ts';

export interface Policy {
  home: string;
  /** 0 lets the system choose. */
  port: number;
  driver: 'docker' | 'process';
  image: string;
  maxRunning: number;
  /** Idle for this long, a container is frozen, and later stopped. */
  pauseAfterMs: number;
  stopAfterMs: number;
  logLevel: (typeof LOG_LEVELS)[number];
}

/** Digits only: an empty value is not a zero. */
const number = (fallback: number, least: number, most: number) => {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, error)
    .transform(Number)
    .pipe(z.number().min(least, error).max(most, error))
    .default(fallback);
};

const choice = <const Choices extends readonly string[]>(choices: Choices) =>
  z.enum(choices, `expected ${choices.join(', ').replace(/, ([^,]*)$/, ' or $1')}`);

const environmentSchema = z.object({
  PORTOLAN_HOME: z.string().min(1, 'expected a folder').optional(),
  PORTOLAN_PORT: number(DEFAULT_PORT, 0, 65_535),
  PORTOLAN_DRIVER: choice(['docker', 'process']).default('docker'),
  PORTOLAN_IMAGE: z.string().min(1, 'expected the name of an image').default('portolan-agent:latest'),
  PORTOLAN_MAX_RUNNING: number(DEFAULT_MAX_RUNNING, 1, 10_000),
  PORTOLAN_PAUSE_AFTER_MS: number(30_000, 50, 24 * 3_600_000),
  PORTOLAN_STOP_AFTER_MS: number(15 * 60_000, 100, 7 * 24 * 3_600_000),
  PORTOLAN_LOG_LEVEL: choice(LOG_LEVELS).default('info'),
});

/** Throws Fault `bad_setting`, naming the variable and what was expected. */
export function readPolicy(environment: NodeJS.ProcessEnv): Policy {
  const parsed = environmentSchema.safeParse(environment);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const name = String(issue?.path[0] ?? 'a setting');
    throw new Fault('bad_setting', `${name} is "${environment[name] ?? ''}": ${issue?.message ?? 'not usable'}`, {
      hint: `correct or unset ${name}, then start again`,
    });
  }
  const values = parsed.data;
  return {
    home: resolve(values.PORTOLAN_HOME ?? `${projectRoot()}/data`),
    port: values.PORTOLAN_PORT,
    driver: values.PORTOLAN_DRIVER,
    image: values.PORTOLAN_IMAGE,
    maxRunning: values.PORTOLAN_MAX_RUNNING,
    pauseAfterMs: values.PORTOLAN_PAUSE_AFTER_MS,
    stopAfterMs: values.PORTOLAN_STOP_AFTER_MS,
    logLevel: values.PORTOLAN_LOG_LEVEL,
  };
}
