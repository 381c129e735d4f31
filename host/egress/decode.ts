/** The body of an answer as plain bytes: what is compressed cannot be looked through. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** Null: it is in an encoding that is not known here. Although asked not to, some servers compress. */
export function decode(answer: IncomingMessage, method: string): { body: Readable; isChanged: boolean } | null {
  const transfer = answer.headers['transfer-encoding']?.toLowerCase() ?? 'chunked';
  const encoding = answer.headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  if (transfer !== 'chunked') return null;
  const hasBody = method !== 'HEAD' && answer.statusCode !== 204 && answer.statusCode !== 304;
  if (encoding === 'identity' || encoding === '' || !hasBody) return { body: answer, isChanged: false };
  const decoder = makeDecoder(encoding);
  return decoder === null ? null : { body: answer.pipe(decoder), isChanged: true };
}

function makeDecoder(encoding: string) {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return null;
  }
}
