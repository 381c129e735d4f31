/** A held event as JSON of one row, and the copies of its files. */
import { copyFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { UserId } from '../../shared/ids.ts';
import type { InboundEvent, InboundFile } from './inbound.ts';

const eventSchema = z.object({
  channelType: z.string(),
  platformId: z.string(),
  threadId: z.string().nullable(),
  senderId: z.string().transform((id) => id as UserId),
  senderName: z.string(),
  text: z.string(),
  files: z.array(z.object({ name: z.string(), contentType: z.string(), sizeBytes: z.number(), path: z.string() })),
  isMention: z.boolean(),
  isPrivate: z.boolean(),
  platformMessageId: z.string().nullable(),
  replyToPlatformId: z.string().nullable(),
  hostIsPlatform: z.boolean().default(false),
  chatName: z.string().default(''),
  clientId: z.string(),
  receivedAt: z.number(),
});

export type HeldEvent = z.infer<typeof eventSchema>;

/** Null when another version of this host wrote it in a shape that this one does not know. */
export function parseHeldEvent(json: string): HeldEvent | null {
  const parsed = eventSchema.safeParse(JSON.parse(json));
  return parsed.success ? parsed.data : null;
}

export function formatHeldEvent(event: InboundEvent & { clientId: string }): string {
  return JSON.stringify(event);
}

/** Bytes of an event and its files as they lie on the disk, whatever the platform said of their sizes. */
export async function measureEvent(event: InboundEvent): Promise<number> {
  const sizes = await Promise.all(event.files.map(async (file) => (await stat(file.path)).size));
  return Buffer.byteLength(JSON.stringify(event)) + sizes.reduce((sum, size) => sum + size, 0);
}

/** Copies of the files under names of their own, so that what the sender called them is only data. */
export async function keepFiles(folder: string, files: readonly InboundFile[]): Promise<InboundFile[]> {
  if (files.length === 0) return [];
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return Promise.all(
    files.map(async (file, at) => {
      const path = join(folder, String(at));
      await copyFile(file.path, path);
      return { ...file, path };
    }),
  );
}

export async function removeFiles(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** Removes what a crash left between a copy and its row, or between a row's end and its files'. */
export async function removeOrphans(held: string, isHeld: (id: string) => boolean): Promise<void> {
  for (const name of await readdir(held)) if (!isHeld(name)) await removeFiles(join(held, name));
}
