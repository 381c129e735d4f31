/**
 * What an operator may set: names, defaults, bounds. Plain JavaScript without imports, because the scripts look
 * before anything is installed, and the host again when it starts.
 */

/** @typedef {{ kind: 'text', expected: string }} TextSetting */
/** @typedef {{ kind: 'secret', pattern: RegExp, expected: string }} SecretSetting */
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
  /**
   * What the vault's key is, for servers that keep secrets elsewhere: 32 bytes in base64 or hex. `<new>,<old>` seals
   * everything anew at the start. The host takes it out of its environment at once.
   */
  PORTOLAN_VAULT_KEY: secret(
    /^[A-Za-z0-9+/_=-]{43,64}(?:,[A-Za-z0-9+/_=-]{43,64})?$/,
    'a key of 32 bytes in base64 or hex (head -c 32 /dev/urandom | base64); to change it: <new>,<old>',
  ),
  /** A file that holds the vault's passphrase: the host opens the vault with it when it starts. */
  PORTOLAN_VAULT_PASSPHRASE_FILE: text('a file'),
};

/** Settings that no list, message or child process may have. */
export const SECRET_SETTINGS = Object.entries(SETTINGS)
  .filter(([, setting]) => setting.kind === 'secret')
  .map(([name]) => name);

/**
 * The first setting that cannot be used, and what was expected; null when all can.
 * @param {Record<string, string | undefined>} environment
 * @returns {{ name: string, value: string, expected: string } | null}
 */
export function findBadSetting(environment) {
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const value = environment[name];
    if (value === undefined || isUsable(setting, value)) continue;
    return { name, value: setting.kind === 'secret' ? '(not shown)' : value, expected: describe(setting) };
  }
  return null;
}

/**
 * @param {TextSetting | SecretSetting | NumberSetting | { kind: 'choice', choices: readonly string[] }} setting
 * @param {string} value
 */
function isUsable(setting, value) {
  switch (setting.kind) {
    case 'text':
      return value !== '';
    case 'secret':
      return setting.pattern.test(value);
    case 'choice':
      return setting.choices.includes(value);
    // Digits only: an empty value is not a zero.
    case 'number':
      return /^\d{1,12}$/.test(value) && Number(value) >= setting.least && Number(value) <= setting.most;
  }
}

/** @param {TextSetting | SecretSetting | NumberSetting | { kind: 'choice', choices: readonly string[] }} setting */
function describe(setting) {
  switch (setting.kind) {
    case 'text':
    case 'secret':
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
 * @param {RegExp} pattern
 * @param {string} expected
 * @returns {SecretSetting}
 */
function secret(pattern, expected) {
  return { kind: 'secret', pattern, expected };
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
