/** The state of the vault. */
import { z } from '@hono/zod-openapi';

export const vaultSchema = z
  .object({
    /** `empty`: the first secret makes its key. `locked`: a passphrase opens it. `unusable`: see `why`. */
    state: z.enum(['empty', 'open', 'locked', 'unusable']),
    /** Fingerprint of the key. */
    keyId: z.string().nullable(),
    /** Where the key of an open vault comes from. */
    source: z.enum(['environment', 'passphrase', 'file']).nullable(),
    why: z.string().nullable(),
    next: z.string().nullable(),
  })
  .openapi('Vault');
export type VaultStatus = z.infer<typeof vaultSchema>;
