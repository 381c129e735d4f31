/** Carries words and files between people and agents. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { PromptMessage, QueryInput } from '../provider.ts';
import { type Answer, NOTHING } from './answer.ts';
import { formatUnknown, type ListedDestination } from './answers.ts';
import type { KeptFile, Notebook } from './notebook.ts';

const destinationsSchema = z.array(
  z.object({
    name: z.string(),
    formerNames: z.array(z.string()),
    displayName: z.string(),
    type: z.string(),
    channel: z.string().nullable(),
  }),
);

export class Post {
  readonly #input: QueryInput;
  readonly #notebook: Notebook;

  constructor(input: QueryInput, notebook: Notebook) {
    this.#input = input;
    this.#notebook = notebook;
  }

  /** What can be reached now, as the tool lists it. */
  async list(): Promise<ListedDestination[]> {
    const listed = await this.#input.tools.call('list_destinations', {});
    return listed.ok ? destinationsSchema.parse(listed.data) : [];
  }

  /** `isQuestion` is how it was put to us; another agent gets the same either way, and may answer. */
  async tell(
    { name: asked, text, isQuestion }: { name: string; text: string; isQuestion: boolean },
    message: PromptMessage,
    from: string,
  ): Promise<string | Answer> {
    const { name, isAgent } = await this.#find(asked);
    // What another agent asks for may reach agents alone, or it could speak in our chats.
    if (message.fromType === 'agent' && !isAgent) return `I cannot ask "${name}" for you: it is no agent that I reach.`;
    const words = isAgent || !message.sender ? text : `**${message.sender}** says: ${text}`;
    if (isAgent) this.#expectAnswer(name, message, from);
    const sent = await this.#input.tools.call('send_message', { to: name, text: words, reply_to: message.seq });
    if (!sent.ok) return `I could not: ${sent.text}`;
    if (isAgent && sent.messageId !== undefined) this.#notebook.noteSent(name, message.id, sent.messageId);
    if (message.fromType === 'agent') return NOTHING;
    if (!isAgent) return `Done, I told **${name}**.`;
    return `I ${isQuestion ? 'asked' : 'told'} **${name}**, and pass its answer on when it comes.`;
  }

  /** The files of this message, or those that came last. */
  async forward(name: string, message: PromptMessage): Promise<string> {
    const files = message.attachments.length > 0 ? message.attachments : this.#notebook.files();
    if (files.length === 0) return 'I have no file yet. Send me one, then write `forward the file to <name>`.';
    const text = message.sender ? `**${message.sender}** sends you this.` : '';
    const problem = await this.#sendFiles(files, { to: name, text, reply_to: message.seq });
    if (problem !== null) return `I could not: ${problem}`;
    return `Done, I sent ${files.map((file) => `**${file.name}**`).join(', ')} to **${name}**.`;
  }

  /**
   * What an agent writes goes to whoever had it asked, once. What it asks and we have no rule for is said to be
   * so, or a person waits for ever; an answer is never answered, or two of us would talk for ever.
   */
  async relay(message: PromptMessage, from: string): Promise<Answer> {
    const known = (await this.list()).find((destination) => destination.name === from);
    const asker = this.#notebook.takeAsker([from, ...(known?.formerNames ?? [])], message);
    if (asker === null) {
      if (message.inReplyTo !== null || message.attachments.length > 0) return NOTHING;
      return { kind: 'text', to: from, text: formatUnknown(message.text) };
    }
    const { to, seq } = asker;
    const text = `**${from}** answers:\n\n${message.text}`.trim();
    if (message.attachments.length === 0) return { kind: 'text', to, text, replyTo: seq };
    const problem = await this.#sendFiles(message.attachments, { to, text, reply_to: seq });
    return problem === null
      ? NOTHING
      : { kind: 'text', to, text: `${text}\n\n(Its file did not come along: ${problem})` };
  }

  #expectAnswer(agent: string, message: PromptMessage, from: string): void {
    this.#notebook.expectAnswer(agent, { to: from, askedBy: message.id, seq: message.seq });
  }

  /** By the name it has now, else by one it had. */
  async #find(name: string): Promise<{ name: string; isAgent: boolean }> {
    const listed = await this.list();
    const found = listed.find((each) => each.name === name) ?? listed.find((each) => each.formerNames.includes(name));
    return { name: found?.name ?? name, isAgent: found?.type === 'agent' };
  }

  /** The text goes with the first. Returns what went wrong, or null. */
  async #sendFiles(
    files: readonly KeptFile[],
    { text, ...target }: { to: string; text: string; reply_to: number },
  ): Promise<string | null> {
    const folder = join(this.#input.paths.state, 'forwarded');
    await mkdir(folder, { recursive: true });
    for (const [index, file] of files.entries()) {
      // Only what lies in an own folder can be sent.
      const copy = join(folder, file.name);
      const problem = await copyOver(file.path, copy);
      if (problem !== null) return problem;
      const words = index === 0 && text !== '' ? { text } : {};
      const sent = await this.#input.tools.call('send_file', { ...target, path: copy, ...words });
      if (!sent.ok) return sent.text;
    }
    return null;
  }
}

async function copyOver(from: string, to: string): Promise<string | null> {
  try {
    await copyFile(from, to);
    return null;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return `the file cannot be opened (${String(error.code)})`;
  }
}
