/**
 * What an operator may set: names, defaults, bounds. Plain JavaScript without imports, because the scripts look
 * before anything is installed, and the host again when it starts.
 */

/** @typedef {{ kind: 'text', expected: string }} TextSetting */
/** @typedef {{ kind: 'number', fallback: number, least: number, most: number }} NumberSetting */

export const LOG_LEVEL_NAMES = /** @type {const} */ (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);
export const DRIVER_NAMES = /** @type {const} */ (['docker', 'process']);

export const SETTINGS = {
  PORTOLAN_HOME: text('a folder'),
  /** 0 lets the system choose. */
  PORTOLAN_PORT: number(4180, 0, 65_535),
  PORTOLAN_DRIVER: choice(DRIVER_NAMES),
  PORTOLAN_IMAGE: text('the name of an image'),
  /** Containers running or paused at once. Higher: memory. Lower: waiting. */
  PORTOLAN_MAX_RUNNING: number(32, 1, 10_000),
  /** An idle container is frozen after this. Higher: memory and processor. Lower: thawing. */
  PORTOLAN_PAUSE_AFTER_MS: number(30_000, 50, 24 * 3_600_000),
  /** And stopped after this. Higher: memory. Lower: cold starts. */
  PORTOLAN_STOP_AFTER_MS: number(15 * 60_000, 100, 7 * 24 * 3_600_000),
  PORTOLAN_LOG_LEVEL: choice(LOG_LEVEL_NAMES),
  /** Which folders of the machine agents may be given. */
  PORTOLAN_MOUNTS: text('a file'),
};

/**
 * The first setting that cannot be used, and what was expected; null when all can.
 * @param {Record<string, string | undefined>} environment
 * @returns {{ name: string, value: string, expected: string } | null}
 */
export function findBadSetting(environment) {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = environment[name];
    if (value !== undefined && !isUsable(setting, value)) return { name, value, expected: describe(setting) };
  }
  return null;
}

/**
 * @param {TextSetting | NumberSetting | { kind: 'choice', choices: readonly string[] }} setting
 * @param {string} value
 */
function isUsable(setting, value) {
  switch (setting.kind) {
    case 'text':
      return value !== '';
    case 'choice':
      return setting.choices.includes(value);
    // Digits only: an empty value is not a zero.
    case 'number':
      return /^\d{1,12}$/.test(value) && Number(value) >= setting.least && Number(value) <= setting.most;
  }
}

/** @param {TextSetting | NumberSetting | { kind: 'choice', choices: readonly string[] }} setting */
function describe(setting) {
  switch (setting.kind) {
    case 'text':
      return `expected ${setting.expected}`;
    case 'choice':
      return `expected ${setting.choices.join(', ').replace(/, ([^,]*)$/, ' or $1')}`;
    case 'number':
      return `expected a whole number from ${setting.least} to ${setting.most}`;
  }
}

/**
 * @param {string} expected
 * @returns {TextSetting}
 */
function text(expected) {
  return { kind: 'text', expected };
}

/**
 * @param {number} fallback
 * @param {number} least
 * @param {number} most
 * @returns {NumberSetting}
 */
function number(fallback, least, most) {
  return { kind: 'number', fallback, least, most };
}

/**
 * @template {string} Choice
 * @param {readonly Choice[]} choices
 * @returns {{ kind: 'choice', choices: readonly Choice[] }}
 */
function choice(choices) {
  return { kind: 'choice', choices };
}
