/** What the demo provider remembers within a session: one small file in `state/`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Notes kept. Higher: `recall` gets long. Lower: people run out while trying. */
const MAX_NOTES = 50;
const MAX_NOTE_CHARS = 500;
/** Questions to agents remembered. Higher: a longer file. Lower: a late answer finds nobody. */
const MAX_ASKED = 50;

const pageSchema = z.object({
  notes: z.array(z.string()),
  /** What other agents were asked, and who waits for the answer. */
  asked: z
    .array(
      z.object({
        agent: z.string(),
        /** The destination that waits, the message that asked, and its number. */
        to: z.string(),
        askedBy: z.string(),
        seq: z.number(),
        /** The own message that put the question; null while it is not sent. */
        sentAs: z.string().nullable().default(null),
        /** The message that brought the answer; null while none did. */
        answeredBy: z.string().nullable(),
      }),
    )
    .default([]),
  /** The files that came last. */
  files: z.array(z.object({ name: z.string(), path: z.string() })).default([]),
});
type Page = z.infer<typeof pageSchema>;
export type KeptFile = Page['files'][number];

const EMPTY: Page = { notes: [], asked: [], files: [] };

export class Notebook {
  readonly #path: string;

  constructor(stateFolder: string) {
    this.#path = join(stateFolder, 'demo-notebook.json');
  }

  list(): string[] {
    return this.#read().notes;
  }

  /** `known` when it was there already, as after a crashed try of the same message. */
  remember(text: string): 'added' | 'known' | 'full' {
    const page = this.#read();
    const note = text.replace(/\s+/g, ' ').trim().slice(0, MAX_NOTE_CHARS);
    if (page.notes.includes(note)) return 'known';
    if (page.notes.length >= MAX_NOTES) return 'full';
    this.#write({ ...page, notes: [...page.notes, note] });
    return 'added';
  }

  /** By number, by words, or `everything`. Returns what was forgotten. */
  forget(what: string): string[] {
    const page = this.#read();
    const wanted = what
      .trim()
      .replace(/[.!?]+$/, '')
      .toLowerCase();
    const gone = page.notes.filter((note, index) => {
      if (/^\d+$/.test(wanted)) return wanted === String(index + 1);
      return wanted === 'everything' || wanted === 'all' || (wanted !== '' && note.toLowerCase().includes(wanted));
    });
    if (gone.length > 0) this.#write({ ...page, notes: page.notes.filter((note) => !gone.includes(note)) });
    return gone;
  }

  /** The same message asks once, however often it is tried. */
  expectAnswer(agent: string, asker: { to: string; askedBy: string; seq: number }): void {
    const page = this.#read();
    if (page.asked.some((each) => each.agent === agent && each.askedBy === asker.askedBy)) return;
    const entry = { agent, ...asker, sentAs: null, answeredBy: null };
    this.#write({ ...page, asked: [...page.asked, entry].slice(-MAX_ASKED) });
  }

  /** The question went out as this message, by which its answer is known. */
  noteSent(agent: string, askedBy: string, sentAs: string): void {
    const page = this.#read();
    const isIt = (each: Page['asked'][number]) => each.agent === agent && each.askedBy === askedBy;
    this.#write({ ...page, asked: page.asked.map((each) => (isIt(each) ? { ...each, sentAs } : each)) });
  }

  /**
   * Who waits for this message of an agent, by the names it has and had. The question that it answers is known by
   * `inReplyTo`; an agent that does not say what it answers answers the oldest. One message answers one question,
   * so that agents which answer each other come to an end; the same message finds the same asker on every try.
   */
  takeAsker(
    names: readonly string[],
    { id, inReplyTo }: { id: string; inReplyTo: string | null },
  ): { to: string; seq: number } | null {
    const page = this.#read();
    const own = page.asked.find((each) => each.answeredBy === id);
    if (own) return own;
    const open = page.asked.filter((each) => names.includes(each.agent) && each.answeredBy === null);
    const answered = open.find((each) => inReplyTo === null || each.sentAs === inReplyTo);
    // One that was sent by a try which died before it could note as what.
    const found = answered ?? open.find((each) => each.sentAs === null);
    if (!found) return null;
    const asked = page.asked.map((each) => (each === found ? { ...each, answeredBy: id } : each));
    this.#write({ ...page, asked });
    return found;
  }

  keepFiles(files: readonly KeptFile[]): void {
    this.#write({ ...this.#read(), files: [...files] });
  }

  files(): readonly KeptFile[] {
    return this.#read().files;
  }

  #read(): Page {
    try {
      const page = pageSchema.safeParse(JSON.parse(readFileSync(this.#path, 'utf8')));
      // A page of an earlier version: it begins anew.
      return page.success ? page.data : EMPTY;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return EMPTY;
      throw error;
    }
  }

  #write(page: Page): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(page), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
