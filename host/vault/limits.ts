/** Limits of the vault. Each names the cost of too high and too low. */

/** A secret, bytes. Higher: a header that servers refuse. Lower: long tokens do not fit. */
export const MAX_SECRET_BYTES = 8 * 1024;
/** Secrets of one host. Higher: a mistaken loop fills lists. Lower: big teams do not fit. */
export const MAX_SECRETS = 500;
/** A passphrase, characters. Higher: nothing is won. Lower: sentences do not fit. */
export const MAX_PASSPHRASE_LENGTH = 1_024;
/** Lower: guessed from a stolen disk within days. Higher: nobody remembers it. */
export const MIN_PASSPHRASE_LENGTH = 12;
/**
 * scrypt's cost: N = 2^17, r = 8 take 128 MiB and half a second. Higher: unlocking fails on small machines.
 * Lower: who stole the disk guesses faster. Source: OWASP Password Storage Cheat Sheet.
 */
export const SCRYPT = { N: 2 ** 17, r: 8, p: 1 } as const;
/** Costs that a vault.json may ask for. Higher: a file that somebody put there takes all memory. */
export const MAX_SCRYPT_N = 2 ** 20;
export const MAX_SCRYPT_P = 4;
/** Wait after the first wrong passphrase, doubled with each. Higher: a typing error hurts. Lower: guessing is fast. */
export const FIRST_WAIT_MS = 1_000;
/** The longest. Higher: whoever guesses locks the owner out. Lower: guessing is fast. */
export const LONGEST_WAIT_MS = 60_000;
