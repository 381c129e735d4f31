/** Whose word servers outside are believed on. */
import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { errorCode } from '../config/errors.ts';

/**
 * Certificates believed beside `ca`: Node's own, and those of the file that the host was started with
 * (`NODE_EXTRA_CA_CERTS`), which Node forgets where a list is named. PEM.
 */
export function listBelieved(ca: string, extraFile = process.env.NODE_EXTRA_CA_CERTS): string[] {
  const extra = extraFile === undefined || extraFile === '' ? null : readExtra(extraFile);
  return [...rootCertificates, ...(extra === null ? [] : [extra]), ca];
}

/** Made once: reading so many certificates takes several milliseconds. Null: as the host was started. */
export function makeTrust(ca: string | undefined): SecureContext | null {
  return ca === undefined ? null : createSecureContext({ ca: listBelieved(ca) });
}

/** Node warns at its start of a file that cannot be read, and goes on without. */
function readExtra(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (!['ENOENT', 'EACCES', 'EISDIR', 'ENOTDIR'].includes(errorCode(error))) throw error;
    return null;
  }
}
