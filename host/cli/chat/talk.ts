/** The talk of `send --wait` and of a piped `chat`: each question, its replies on stdout, trouble on stderr. */
import type { Message, Session } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { oneLine } from '../output/text.ts';
import { type Exchange, Exchanges, type Question } from './exchange.ts';
import { formatPlainReply, formatTrouble } from './format.ts';
import { TROUBLE } from './plan.ts';

export interface Talk {
  exchanges: Exchange[];
  exitCode: ExitCode;
}

/** Asks one after the other and returns all of it; with --json nothing is printed on the way. */
export async function talk(
  context: Context,
  session: Session,
  questions: AsyncIterable<Question>,
  timeoutMs: number,
): Promise<Talk> {
  const note = (text: string): void => void context.terminal.stderr.write(`${text}\n`);
  const { style } = context;
  const listener = {
    onReply: (reply: Message) => {
      if (context.json) return;
      if (reply.state !== 'delivered') note(formatTrouble(reply, style));
      else if (reply.chatId === session.chatId || reply.destination === null) context.print(formatPlainReply(reply));
      else note(style.dim(`(${oneLine(reply.author.name)} sent a message to ${oneLine(reply.destination)})`));
    },
    onNotice: (text: string) => note(style.dim(oneLine(text))),
  };
  const asking = await Exchanges.open(context.api, session, listener, context.terminal.interrupted);
  const exchanges: Exchange[] = [];
  let exitCode: ExitCode = EXIT.ok;
  try {
    for await (const question of questions) {
      const exchange = await asking.ask(question, timeoutMs);
      exchanges.push(exchange);
      await markSeen(context, session, exchange);
      const ended = judge(exchange);
      if (ended !== EXIT.ok) exitCode = ended;
      if (TROUBLE.has(exchange.question.state)) note(formatTrouble(exchange.question, style));
      else if (exchange.replies.length === 0)
        note(style.dim(`(${oneLine(session.agentName)} read it and did not reply)`));
    }
  } finally {
    await asking[Symbol.asyncDispose]();
  }
  return { exchanges, exitCode };
}

function judge({ question, replies }: Exchange): ExitCode {
  const states = [question.state, ...replies.map((reply) => reply.state)];
  if (states.includes('refused')) return EXIT.refused;
  return states.some((state) => state === 'failed' || state === 'unknown' || state === 'dropped')
    ? EXIT.failed
    : EXIT.ok;
}

/** What was printed here is not unread elsewhere. */
async function markSeen(context: Context, session: Session, { question, replies }: Exchange): Promise<void> {
  const here = replies.filter((reply) => reply.chatId === session.chatId);
  try {
    await context.api.markRead(session.id, Math.max(question.position, ...here.map((reply) => reply.position)));
  } catch (error) {
    // The replies are what the command is for; the mark is set by the next look at the session.
    if (!(error instanceof CliError)) throw error;
  }
}
