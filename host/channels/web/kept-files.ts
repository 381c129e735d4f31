/**
 * Copies of the files that agents sent into chats of this host, kept for download:
 *
 *   <folder>/<messageId>/<name>       <messageId>.partial while it is copied
 *
 * I1. All files of a message are kept or none.
 * I2. What is kept is bounded by age and size; a message whose copies go says so before they do.
 */
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isId, type MessageId } from '../../../shared/ids.ts';
import { errorCode } from '../../config/errors.ts';
import { UnderWay } from '../../config/under-way.ts';
import type { OutgoingMessage } from '../../delivery/channel.ts';
import { channelsLog } from '../../observe/logger.ts';
import type { Transcript } from '../../store/transcript.ts';
import { type KeptFolder, type KeptLimits, planPruning } from './plan-pruning.ts';

/** Where it says that copies are gone. */
export type KeptFilesTranscript = Pick<Transcript, 'get' | 'change' | 'flush'>;

const GIB = 1024 * 1024 * 1024;
export const KEPT_LIMITS: KeptLimits = {
  /** Higher: the disk fills with files that nobody opens again. Lower: a busy month pushes out last week's. */
  maxBytes: 5 * GIB,
  /** Higher: the same. Lower: links in older conversations lead nowhere. */
  maxAgeMs: 180 * 24 * 3_600_000,
};
/** How often age is looked at. Too many bytes are seen at once. */
const PRUNE_EVERY_MS = 24 * 3_600_000;

export class KeptFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #transcript: KeptFilesTranscript;
  readonly #limits: KeptLimits;
  /** Null until the folder was looked through. */
  #bytes: number | null = null;
  #isPruning = false;
  readonly #underWay = new UnderWay();
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(folder: string, transcript: KeptFilesTranscript, limits: KeptLimits = KEPT_LIMITS) {
    this.#folder = folder;
    this.#transcript = transcript;
    this.#limits = limits;
  }

  /** Prunes now, and once a day. */
  start(): void {
    this.#pruneSoon();
    this.#timer = setInterval(() => this.#pruneSoon(), PRUNE_EVERY_MS).unref();
  }

  /**
   * Keeps all files of a message or none (I1). A second attempt with the same message keeps what is there.
   * Rejects with the file system's error.
   */
  keep(message: OutgoingMessage): Promise<void> {
    return this.#underWay.add(this.#keep(message));
  }

  async #keep(message: OutgoingMessage): Promise<void> {
    if (message.files.length === 0) return;
    const target = join(this.#folder, message.messageId);
    const partial = `${target}${PARTIAL}`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    for (const file of message.files) await copyFile(file.path, join(partial, file.name));
    try {
      await rename(partial, target);
    } catch (error) {
      // An earlier attempt got as far as this: the message is the same, so the files are.
      if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
      await rm(partial, { recursive: true, force: true });
      return;
    }
    if (this.#bytes === null) return;
    this.#bytes += message.files.reduce((sum, file) => sum + file.sizeBytes, 0);
    if (this.#bytes > this.#limits.maxBytes) this.#pruneSoon();
  }

  /** Removes what is over the limits, oldest first. Rejects with the file system's error. */
  async prune(now: number): Promise<void> {
    const folders = await this.#measure(now);
    if (this.#isClosed) return;
    const plan = planPruning(folders, this.#limits, now);
    for (const { id } of plan.remove) this.#tellGone(id);
    if (plan.remove.length > 0) this.#transcript.flush(); // I2
    for (const { id } of plan.remove) await rm(join(this.#folder, id), { recursive: true, force: true });
    this.#bytes = plan.bytesLeft;
    if (plan.remove.length > 0) channelsLog.info({ messages: plan.remove.length }, 'kept files were removed for room');
  }

  #pruneSoon(): void {
    if (this.#isPruning || this.#isClosed) return;
    void this.#underWay.add(this.#pruneNow());
  }

  async #pruneNow(): Promise<void> {
    this.#isPruning = true;
    try {
      await this.prune(Date.now());
    } catch (error) {
      if (errorCode(error) === '') throw error;
      channelsLog.warn({ err: error }, 'kept files could not be pruned, and are looked at again tomorrow');
    } finally {
      this.#isPruning = false;
    }
  }

  /** One look at each folder; what a cut-off copy left long ago goes. */
  async #measure(now: number): Promise<KeptFolder[]> {
    const folders: KeptFolder[] = [];
    for (const name of await listFolder(this.#folder)) {
      if (this.#isClosed) break;
      const path = join(this.#folder, name);
      const keptAt = (await stat(path)).mtimeMs;
      if (isId('message', name)) folders.push({ id: name, keptAt, sizeBytes: await measureFolder(path) });
      else if (name.endsWith(PARTIAL) && now - keptAt > PRUNE_EVERY_MS) await rm(path, { recursive: true });
    }
    return folders;
  }

  #tellGone(id: MessageId): void {
    const attachments = this.#transcript.get(id)?.attachments ?? [];
    this.#transcript.change(id, { attachments: attachments.map((attachment) => ({ ...attachment, gone: true })) });
  }

  /** Begins no pruning, and waits for what is being copied or removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#underWay[Symbol.asyncDispose]();
  }
}

const PARTIAL = '.partial';

async function listFolder(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    // Before the first file.
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function measureFolder(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path)) bytes += (await stat(join(path, name))).size;
  return bytes;
}
