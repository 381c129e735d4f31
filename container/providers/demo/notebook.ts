/** What the demo provider remembers within a session: one small file in `state/`. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Notes kept. Higher: `recall` gets long. Lower: people run out while trying. */
const MAX_NOTES = 50;
const MAX_NOTE_CHARS = 500;

const pageSchema = z.object({
  notes: z.array(z.string()),
  /** Agents that were asked something, and the destination that waits for the answer. */
  asked: z.record(z.string(), z.string()),
});
type Page = z.infer<typeof pageSchema>;

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

  expectAnswer(agent: string, forDestination: string): void {
    const page = this.#read();
    this.#write({ ...page, asked: { ...page.asked, [agent]: forDestination } });
  }

  /** The destination that waits for this agent's answer. */
  whoAsked(agent: string): string | null {
    const { asked } = this.#read();
    return Object.hasOwn(asked, agent) ? (asked[agent] ?? null) : null;
  }

  #read(): Page {
    try {
      return pageSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { notes: [], asked: {} };
      throw error;
    }
  }

  #write(page: Page): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(page), { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }
}
