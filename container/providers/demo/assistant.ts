/** Does what one message asks, through tools, and says what to answer. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { assertNever } from '../../runner/assert.ts';
import { formatClock, formatLocalTime } from '../../runner/zone.ts';
import type { PromptAttachment, PromptMessage, QueryInput } from '../provider.ts';
import * as answers from './answers.ts';
import { type Intent, parseIntent } from './intents.ts';
import { Notebook } from './notebook.ts';

export type Answer =
  | { kind: 'text'; to: string; text: string; isStop?: boolean }
  | { kind: 'slow-task'; seconds: number }
  /** A tool has answered already, or there is nobody to answer. */
  | { kind: 'nothing' };

/** Largest text file that is looked into. Higher: a log file stalls the turn. */
const MAX_PEEK_BYTES = 256 * 1024;
/** What another agent may ask: answers that cause nothing. */
const HARMLESS: readonly Intent['kind'][] = ['help', 'whoami', 'time', 'destinations'];
const NOTHING: Answer = { kind: 'nothing' };

const destinationsSchema = z.array(
  z.object({ name: z.string(), displayName: z.string(), type: z.string(), channel: z.string().nullable() }),
);

export class Assistant {
  readonly #input: QueryInput;
  readonly #notebook: Notebook;

  constructor(input: QueryInput) {
    this.#input = input;
    this.#notebook = new Notebook(input.paths.state);
  }

  /** `messageCount` counts the messages of the conversation, this one included. */
  async answer(message: PromptMessage, messageCount: number): Promise<Answer> {
    if (!message.isTrigger) return NOTHING;
    if (message.kind === 'system') return answerNotice(message);
    if (message.kind === 'task') return answerTask(message);
    const { from } = message;
    if (from === null) return NOTHING;
    // The time of the message, not of this try: a second try asks for the same reminder, not for another.
    const intent = parseIntent(message.text, this.#input.session.agentName, message.timestamp);
    if (message.fromType === 'agent' && !HARMLESS.includes(intent.kind)) return this.#relay(message, from);
    const text = await this.#act(intent, message, from, messageCount);
    if (typeof text !== 'string') return text;
    return { kind: 'text', to: from, text, ...(intent.kind === 'stop' ? { isStop: true } : {}) };
  }

  async #act(intent: Intent, message: PromptMessage, from: string, messageCount: number): Promise<string | Answer> {
    const { agentName, timezone } = this.#input.session;
    switch (intent.kind) {
      case 'help':
        return answers.formatHelp(agentName);
      case 'greet':
        return answers.formatGreeting(agentName, message.sender);
      case 'thanks':
        return 'You are welcome.';
      case 'whoami':
        return answers.formatWhoAmI({
          sender: message.sender,
          from,
          agentName,
          timezone,
          seq: message.seq,
          messageCount,
        });
      case 'time':
        return `It is **${formatClock(Date.now())}** on ${formatLocalTime(Date.now()).slice(0, 10)} (${timezone}).`;
      case 'destinations':
        return await this.#listDestinations(from);
      case 'tell':
        return await this.#tell(intent.name, intent.text, message, from);
      case 'remind':
        return await this.#remind(intent.dueMs, intent.text, from);
      case 'remind-unclear':
        return answers.REMIND_UNCLEAR;
      case 'remember':
        return this.#remember(intent.text);
      case 'recall':
        return answers.formatNotes(this.#notebook.list());
      case 'forget':
        return this.#forget(intent.what);
      case 'send-file':
        return await this.#sendFile(message, from);
      case 'slow-task':
        return { kind: 'slow-task', seconds: intent.seconds };
      case 'stop':
        return 'Nothing is running.';
      case 'react':
        return await this.#react(intent.emoji, message);
      case 'unknown':
        return message.attachments.length > 0
          ? await describeFiles(message.attachments)
          : answers.formatUnknown(message.text);
      default:
        return assertNever(intent);
    }
  }

  async #listDestinations(from: string): Promise<string> {
    const listed = await this.#input.tools.call('list_destinations', {});
    return listed.ok ? answers.formatDestinations(destinationsSchema.parse(listed.data), from) : listed.text;
  }

  async #tell(name: string, text: string, message: PromptMessage, from: string): Promise<string> {
    const listed = await this.#input.tools.call('list_destinations', {});
    const destinations = listed.ok ? destinationsSchema.parse(listed.data) : [];
    const target = destinations.find((destination) => destination.name === name);
    const isAgent = target?.type === 'agent';
    const words = isAgent || !message.sender ? text : `**${message.sender}** says: ${text}`;
    if (isAgent) this.#notebook.expectAnswer(name, from);
    const sent = await this.#input.tools.call('send_message', { to: name, text: words, reply_to: message.seq });
    if (!sent.ok) return `I could not: ${sent.text}`;
    return isAgent ? `I asked **${name}**, and pass the answer on when it comes.` : `Done, I told **${name}**.`;
  }

  async #remind(dueMs: number, text: string, from: string): Promise<string> {
    const asked = await this.#input.tools.call('create_task', { prompt: `Reminder for ${from}: ${text}`, at: dueMs });
    return asked.ok ? answers.formatReminderSet(dueMs, text) : asked.text;
  }

  #remember(text: string): string {
    switch (this.#notebook.remember(text)) {
      case 'added':
        return 'Noted. `recall` shows all my notes.';
      case 'known':
        return 'I have noted that. `recall` shows all my notes.';
      case 'full':
        return 'My notebook is full. `forget everything` makes room.';
    }
  }

  #forget(what: string): string {
    const gone = this.#notebook.forget(what);
    if (gone.length === 0) return 'I have no such note. `recall` shows all of them, with numbers.';
    return gone.length === 1 ? `Forgotten: ${gone[0]}` : `Forgotten: ${gone.length} notes.`;
  }

  async #sendFile(message: PromptMessage, from: string): Promise<string | Answer> {
    const { session, paths, tools } = this.#input;
    const name = `hello-from-${session.agentName.replace(/[^a-z0-9-]+/gi, '-').slice(0, 40)}.md`;
    const lines = [
      `# Hello from ${session.agentName}`,
      '',
      `Written for ${message.sender || 'you'} on ${formatLocalTime(message.timestamp)} (${session.timezone}).`,
      'This file lay in my working folder, and came to you through the host.',
      '',
    ];
    // Renamed into place: another session of this agent may own the file that is there.
    const making = join(paths.agent, `.${name}.${session.sessionId}`);
    await writeFile(making, lines.join('\n'));
    await rename(making, join(paths.agent, name));
    const sent = await tools.call('send_file', {
      to: from,
      path: name,
      text: 'Here is a small file.',
      reply_to: message.seq,
    });
    return sent.ok ? NOTHING : sent.text;
  }

  async #react(emoji: string, message: PromptMessage): Promise<string | Answer> {
    const reacted = await this.#input.tools.call('add_reaction', { message_id: message.seq, emoji });
    return reacted.ok ? NOTHING : reacted.text;
  }

  /** What an agent writes goes to whoever had it asked; it is never answered, or two of us would talk for ever. */
  #relay(message: PromptMessage, from: string): Answer {
    const to = this.#notebook.whoAsked(from);
    return to === null ? NOTHING : { kind: 'text', to, text: `**${from}** answers:\n\n${message.text}` };
  }
}

/** Passes the host's notice of a failed send to whoever caused it; not when that very place cannot be reached. */
function answerNotice(message: PromptMessage): Answer {
  const about = /^Your message to "([^"]*)"/.exec(message.text)?.[1];
  if (!message.event?.startsWith('delivery_') || about === undefined) return NOTHING;
  if (message.from === null || message.fromType === 'agent' || about === message.from) return NOTHING;
  return { kind: 'text', to: message.from, text: `⚠️ The host tells me:\n\n> ${message.text}` };
}

/** A task's prompt is one that this provider wrote itself. */
function answerTask(message: PromptMessage): Answer {
  const match = /^Reminder for ([a-z0-9][a-z0-9-]*): ([\s\S]+)$/.exec(message.text);
  const [, to, text] = match ?? [];
  if (to && text) return { kind: 'text', to, text: `⏰ **Reminder:** ${text}` };
  if (message.from === null) return NOTHING;
  return { kind: 'text', to: message.from, text: `A task is due:\n\n> ${message.text}` };
}

async function describeFiles(files: readonly PromptAttachment[]): Promise<string> {
  return answers.formatFiles(files, await Promise.all(files.map(peek)));
}

async function peek(file: PromptAttachment): Promise<string> {
  if (!file.contentType.startsWith('text/') || file.sizeBytes > MAX_PEEK_BYTES) return file.contentType;
  try {
    const text = await readFile(file.path, 'utf8');
    const words = text.split(/\s+/).filter(Boolean).length;
    const lines = text.replace(/\n$/, '').split('\n').length;
    return `${lines} ${lines === 1 ? 'line' : 'lines'}, ${words} ${words === 1 ? 'word' : 'words'}`;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    return `but I cannot open it (${String(error.code)})`;
  }
}
