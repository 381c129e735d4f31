/** Copies of the files that agents sent into chats of this host, kept for download: `<folder>/<messageId>/<name>`. */
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../config/errors.ts';
import type { OutgoingMessage } from '../../delivery/channel.ts';

/**
 * Keeps all files of a message or none. A second attempt with the same message keeps what is there.
 * Rejects with the file system's error.
 */
export async function keepFiles(folder: string, message: OutgoingMessage): Promise<void> {
  if (message.files.length === 0) return;
  const target = join(folder, message.messageId);
  const partial = `${target}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  for (const file of message.files) await copyFile(file.path, join(partial, file.name));
  try {
    await rename(partial, target);
  } catch (error) {
    // An earlier attempt got as far as this: the message is the same, so the files are.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
    await rm(partial, { recursive: true, force: true });
  }
}
