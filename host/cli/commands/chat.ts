/** `portolan chat`: the terminal channel, for people and for pipes. */
import { createInterface } from 'node:readline';
import type { Exchange, Question } from '../chat/exchange.ts';
import { readFilesToSend } from '../chat/files.ts';
import { parseInput } from '../chat/input.ts';
import { talk } from '../chat/talk.ts';
import type { FileToSend } from '../client/resources/messages.ts';
import type { Session } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { findAgent, findSession } from '../find.ts';
import { oneLine } from '../output/text.ts';
import { checkText } from './send.ts';

export interface ChatOptions {
  agent: string;
  session?: string;
  timeout: number;
}

export async function chat(context: Context, options: ChatOptions): Promise<ExitCode> {
  const { terminal } = context;
  const isForPeople = terminal.isInteractive && terminal.isStdinInteractive && terminal.env.TERM !== 'dumb';
  if (isForPeople && context.json) {
    throw new CliError(EXIT.usage, 'json_needs_pipe', '--json is for pipes; here somebody types.', {
      expected: 'lines on stdin',
      next: "printf 'help\\n' | portolan chat --json",
    });
  }
  const session = await openSession(context, options);
  if (!session.writable) {
    throw new CliError(
      EXIT.refused,
      'not_writable',
      `Session ${session.id} belongs to a ${session.channelType ?? 'shared'} chat.`,
      {
        expected: 'a web or terminal session',
        next: 'portolan chat',
      },
    );
  }
  if (isForPeople) {
    const { runInteractiveChat } = await import('../chat/interactive.ts');
    await runInteractiveChat(context, session);
    return EXIT.ok;
  }
  const { exchanges, exitCode } = await talk(context, session, readQuestions(context), options.timeout * 1_000);
  if (context.json) context.printJson({ exchanges: exchanges.map(toJson) });
  return exitCode;
}

async function openSession(context: Context, options: ChatOptions): Promise<Session> {
  if (options.session !== undefined) return findSession(context.api, options.session);
  const agent = await findAgent(context.api, options.agent);
  return context.api.openTerminalSession(agent.id);
}

function toJson({ question, replies }: Exchange): unknown {
  return { message: question, replies };
}

/** Each line of the pipe is one message; `/attach` and `/quit` work as for people. */
async function* readQuestions(context: Context): AsyncGenerator<Question> {
  const { terminal, style } = context;
  let files: FileToSend[] = [];
  const lines = createInterface({ input: terminal.stdin, terminal: false });
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const input = parseInput(line);
    switch (input.kind) {
      case 'quit':
        return;
      case 'attach':
        files = [...files, ...(await readFilesToSend([input.path], terminal.cwd))];
        break;
      case 'detach':
        files = [];
        break;
      case 'text':
        yield { text: checkText(input.text), files };
        files = [];
        break;
      case 'help':
        // The terminal's own keys are for people; the host's commands are for both.
        yield { text: line.trim(), files: [] };
        break;
      case 'save':
      case 'wrong':
        terminal.stderr.write(`${style.dim(`Not in a pipe: ${oneLine(line)}`)}\n`);
        break;
    }
  }
}
