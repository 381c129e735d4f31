/** How messages look in a terminal. */
import { assertNever } from '../../config/errors.ts';
import type { Attachment, Message } from '../client/types.ts';
import { renderMarkdown } from '../output/markdown.ts';
import type { Style } from '../output/style.ts';
import { oneLine, plainText, truncate } from '../output/text.ts';
import { formatBytes, formatClock } from '../output/units.ts';
import type { Notice } from './plan.ts';

export interface NoticeView {
  style: Style;
  now: number;
  /** The chat shown; a message that went elsewhere says where. */
  chatId: string | null;
  /** Gives an attachment its number for `/save`. */
  numberOf(message: Message, attachment: Attachment): number;
}

export function formatNotice(notice: Notice, view: NoticeView): string {
  const { style } = view;
  const { message } = notice;
  switch (notice.kind) {
    case 'message':
      return formatMessage(message, view);
    case 'edited':
      return formatMessage(message, view);
    case 'reaction': {
      const about = truncate(oneLine(message.text), 40);
      return style.dim(`${oneLine(notice.by)} reacted ${oneLine(notice.emoji)} to “${about}”`);
    }
    case 'trouble':
      return formatTrouble(message, style);
    default:
      return assertNever(notice);
  }
}

function formatMessage(message: Message, view: NoticeView): string {
  const { style, now } = view;
  const isOut = message.direction === 'out';
  const author = (isOut ? style.green : style.cyan)(style.bold(formatAuthor(message)));
  const elsewhere = isOut && message.chatId !== view.chatId && message.destination !== null;
  const target = elsewhere ? ` → ${oneLine(message.destination ?? '')}` : '';
  const edited = message.editedAt === null ? '' : ' ✎ changed';
  const header = `${author}${target} ${style.dim(formatClock(message.createdAt, now) + edited)}`;
  if (message.kind === 'task' || message.kind === 'system') {
    return style.dim(`· ${oneLine(message.text)}`);
  }
  const body = message.text === '' ? [] : [indent(renderMarkdown(message.text, style))];
  const files = message.attachments.map((attachment) => {
    const number = view.numberOf(message, attachment);
    return `  📎 ${oneLine(attachment.name)} ${style.dim(`${formatBytes(attachment.sizeBytes)}  /save ${number}`)}`;
  });
  return [header, ...body, ...files].join('\n');
}

/** Says what happened to a message that did not arrive, in words; the host's reason behind. */
export function formatTrouble(message: Message, style: Style): string {
  const reason = message.stateReason === null ? '' : `: ${oneLine(message.stateReason)}`;
  const subject = message.direction === 'out' ? `${formatAuthor(message)}'s message` : 'Your message';
  const place =
    message.direction === 'out' && message.destination !== null ? ` to ${oneLine(message.destination)}` : '';
  switch (message.state) {
    case 'refused':
      return style.red(`✗ ${subject}${place} was refused${reason}`);
    case 'unknown':
      return style.yellow(
        `? ${subject}${place} may or may not have arrived${reason} (portolan resend or drop ${message.id.slice(-8)})`,
      );
    case 'dropped':
      return style.yellow(`✗ ${subject}${place} was dropped${reason}`);
    default:
      return style.red(`✗ ${subject}${place} failed${reason}`);
  }
}

function formatAuthor(message: Message): string {
  return oneLine(message.author.name) || (message.direction === 'out' ? 'agent' : 'someone');
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}

/** A reply for pipes: its text alone, then one line for each file. */
export function formatPlainReply(reply: Message): string {
  const files = reply.attachments.map((file) => `[file] ${oneLine(file.name)} (${formatBytes(file.sizeBytes)})`);
  return [...(reply.text === '' ? [] : [plainText(reply.text).trimEnd()]), ...files].join('\n');
}
