/** Does what one message asks, through tools, and says what to answer. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNever } from '../../runner/assert.ts';
import { formatClock, formatLocalTime } from '../../runner/zone.ts';
import type { PromptAttachment, PromptMessage, QueryInput } from '../provider.ts';
import { type Answer, NOTHING } from './answer.ts';
import * as answers from './answers.ts';
import { type Intent, parseIntent } from './intents.ts';
import { Notebook } from './notebook.ts';
import { Post } from './post.ts';
import { Reach } from './reach.ts';
import { Self } from './self.ts';
import { formatOutcome, quoteLines } from './self-answers.ts';
import { Tasks } from './tasks.ts';

/** Largest text file that is looked into. Higher: a log file stalls the turn. */
const MAX_PEEK_BYTES = 256 * 1024;
/** What another agent may ask: answers that cause nothing but themselves. */
const HARMLESS: readonly Intent['kind'][] = ['help', 'whoami', 'time', 'destinations', 'send-file'];
/** How long a question waits. Higher: the turn lasts. Lower: people are told that it is late while they think. */
const QUESTION_TIMEOUT_S = 600;
/** Of a question's title, as the tool has it. */
const MAX_TITLE_CHARS = 100;

export class Assistant {
  readonly #input: QueryInput;
  readonly #notebook: Notebook;
  readonly #post: Post;
  readonly #tasks: Tasks;
  readonly #self: Self;
  readonly #reach: Reach;

  constructor(input: QueryInput) {
    this.#input = input;
    this.#notebook = new Notebook(input.paths.state);
    this.#post = new Post(input, this.#notebook);
    this.#tasks = new Tasks(input);
    this.#self = new Self(input);
    this.#reach = new Reach(input);
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
    if (message.attachments.length > 0) this.#notebook.keepFiles(message.attachments);
    if (message.fromType === 'agent' && !mayAsk(intent)) return await this.#post.relay(message, from);
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
        return answers.formatDestinations(await this.#post.list(), from);
      case 'tell':
        return await this.#post.tell(intent, message, from);
      case 'forward':
        return await this.#post.forward(intent.name, message);
      case 'ask-me':
        return this.#ask(intent.question, intent.options, from);
      case 'ask-me-unclear':
        return answers.ASK_ME_UNCLEAR;
      case 'make-agent':
        return await this.#makeAgent(intent.name, intent.instructions);
      case 'remind':
        return await this.#tasks.remind(intent.dueMs, intent.text, from);
      case 'repeat':
        return await this.#tasks.repeat(intent.cron, intent.text, from);
      case 'repeat-unclear':
        return answers.REPEAT_UNCLEAR;
      case 'tasks':
        return await this.#tasks.list();
      case 'switch-task':
        return await this.#tasks.switch(intent.action, intent.number);
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
      case 'self':
        return await this.#self.act(intent.intent, message, from);
      case 'reach':
        return await this.#reach.act(intent.intent, message, from);
      case 'unknown':
        return message.attachments.length > 0
          ? await describeFiles(message.attachments)
          : answers.formatUnknown(message.text);
      default:
        return assertNever(intent);
    }
  }

  #ask(question: string, options: string[], from: string): Answer {
    const { tools } = this.#input;
    const title = question.replace(/\s+/g, ' ').slice(0, MAX_TITLE_CHARS);
    const input = { to: from, title, question, options, timeout_s: QUESTION_TIMEOUT_S };
    return {
      kind: 'wait',
      async work() {
        const asked = await tools.call('ask_user_question', input);
        return asked.ok ? asked.text : `I could not: ${asked.text}`;
      },
    };
  }

  async #makeAgent(name: string, instructions: string): Promise<string> {
    const { tools } = this.#input;
    if (!tools.list().some((tool) => tool.name === 'create_agent')) return answers.formatNoMaker();
    const made = await tools.call('create_agent', {
      name,
      instructions: answers.formatInstructions(name, instructions),
    });
    return made.ok ? answers.formatAgentMade(name, made.data) : `I could not: ${made.text}`;
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
}

function mayAsk(intent: Intent): boolean {
  return HARMLESS.includes(intent.kind) || (intent.kind === 'tell' && intent.isQuestion);
}

/** Passes the host's notice of a failed send to whoever caused it; not when that very place cannot be reached. */
function answerNotice(message: PromptMessage): Answer {
  // A question that nobody waits for any longer: its turn is over.
  if (message.event === 'question_answered' && message.from !== null && message.fromType === 'channel') {
    return { kind: 'text', to: message.from, text: `Thank you, noted, if late:\n\n> ${message.text}` };
  }
  const outcome = answerOutcome(message);
  if (outcome) return outcome;
  const about = /^Your message to "([^"]*)"/.exec(message.text)?.[1];
  if (!message.event?.startsWith('delivery_') || about === undefined) return NOTHING;
  if (message.from === null || message.fromType === 'agent' || about === message.from) return NOTHING;
  return { kind: 'text', to: message.from, text: `⚠️ The host tells me:\n\n> ${message.text}` };
}

/** What came of a request to an admin, and that a restart is over: said where it was asked, in its thread. */
function answerOutcome(message: PromptMessage): Answer | null {
  if (message.from === null || message.fromType === 'agent') return null;
  const outcome = formatOutcome(message);
  if (outcome !== null) return { kind: 'text', to: message.from, text: outcome };
  if (message.event !== 'restarted') return null;
  return { kind: 'text', to: message.from, text: `🔄 I am back, in a fresh container:\n\n${quoteLines(message.text)}` };
}

/** A task's prompt is one that this provider wrote itself. */
function answerTask(message: PromptMessage): Answer {
  const match = /^Reminder for ([a-z0-9][a-z0-9-]*): ([\s\S]+)$/.exec(message.text);
  const [, to, text] = match ?? [];
  if (to && text) return { kind: 'text', to, text: `⏰ **Reminder:** ${text}${answers.formatCheck(message.check)}` };
  if (message.from === null) return NOTHING;
  return {
    kind: 'text',
    to: message.from,
    text: `A task is due:\n\n> ${message.text}${answers.formatCheck(message.check)}`,
  };
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
