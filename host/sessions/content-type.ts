/**
 * What a file is, by its first bytes. Neither a name nor what a container or a platform says of it counts: a page
 * that calls itself a picture is text here, and is never shown in place.
 */
import { open } from 'node:fs/promises';
import { fileTypeFromBuffer } from 'file-type';

/** Bytes looked at; what file-type asks for. Higher: a hostile file keeps its parser busy. Lower: archives are mistaken. */
const HEAD_BYTES = 4_100;

/** A MIME type without parameters. `path` is a file of the host's own. Rejects with the file system's error. */
export async function sniffContentType(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const { bytesRead } = await file.read(head, 0, HEAD_BYTES, 0);
    return await readType(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function readType(head: Uint8Array): Promise<string> {
  const known = await fileTypeFromBuffer(head);
  if (known !== undefined) return known.mime.split(';', 1)[0] ?? known.mime;
  return isText(head) ? 'text/plain' : 'application/octet-stream';
}

/** UTF-8 without control characters; its last character may be cut by the end of the head. */
function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    // Tab, line feed, form feed and carriage return are of texts.
    return !/\p{Cc}/u.test(text.replace(/[\t\n\f\r]/g, ''));
  } catch (error) {
    // What `fatal` throws for bytes that are no UTF-8.
    if (error instanceof TypeError) return false;
    throw error;
  }
}
