/** `portolan send`: one message, for scripts. */
import { text as readText } from 'node:stream/consumers';
import { MAX_TEXT_BYTES } from '../../../shared/limits.ts';
import { readFilesToSend } from '../chat/files.ts';
import { talk } from '../chat/talk.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { findAgentOrSession } from '../find.ts';
import { oneLine } from '../output/text.ts';

export interface SendOptions {
  wait?: boolean;
  file?: string[];
  timeout: number;
}

export async function send(
  context: Context,
  target: string,
  words: readonly string[],
  options: SendOptions,
): Promise<ExitCode> {
  const files = await readFilesToSend(options.file ?? [], context.terminal.cwd);
  const text = await readMessageText(context, words, files.length > 0);
  const found = await findAgentOrSession(context.api, target);
  const session = found.kind === 'agent' ? await context.api.openTerminalSession(found.agent.id) : found.session;
  if (!session.writable) {
    throw new CliError(
      EXIT.refused,
      'not_writable',
      `Session ${session.id} belongs to a ${session.channelType ?? 'shared'} chat.`,
      {
        expected: 'a web or terminal session',
        next: `portolan send ${oneLine(session.agentName)} …`,
      },
    );
  }
  if (options.wait !== true) {
    const message = await context.api.sendMessage(session.id, { text, files });
    if (context.json) context.printJson({ message, replies: [] });
    else context.print(message.id);
    return EXIT.ok;
  }
  const { exchanges, exitCode } = await talk(context, session, once({ text, files }), options.timeout * 1_000);
  const [exchange] = exchanges;
  if (context.json && exchange !== undefined)
    context.printJson({ message: exchange.question, replies: exchange.replies });
  return exitCode;
}

async function* once<T>(item: T): AsyncGenerator<T> {
  yield item;
}

/** The words, or stdin when there are none and it is a pipe. */
async function readMessageText(context: Context, words: readonly string[], mayBeEmpty: boolean): Promise<string> {
  const { terminal } = context;
  const isPiped = !terminal.isStdinInteractive && words.length === 0 && !mayBeEmpty;
  const text = isPiped || words.join(' ') === '-' ? await readText(terminal.stdin) : words.join(' ');
  if (text.trim() === '' && !mayBeEmpty) {
    throw new CliError(EXIT.usage, 'no_text', 'There is nothing to send.', {
      expected: 'a text, a --file, or text on stdin',
      next: 'portolan send main "hi" --wait',
    });
  }
  return checkText(text.trimEnd());
}

/** Refuses what the host would refuse, before anything is sent. */
export function checkText(text: string): string {
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes <= MAX_TEXT_BYTES) return text;
  throw new CliError(EXIT.usage, 'text_too_long', `The text is ${sizeBytes} bytes long.`, {
    expected: `at most ${MAX_TEXT_BYTES} bytes; longer ones as a --file`,
  });
}
