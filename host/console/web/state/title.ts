import type { Session } from '../client/types.ts';

/** Longest title made from a message, in characters. */
const MAX_TITLE = 48;

/**
 * The title that a message just sent gives its session, null when it gives none: only web chats are named after
 * what was first said in them, others have names of their own.
 */
export function titleFor(session: Pick<Session, 'title' | 'channelType'> | undefined, text: string): string | null {
  if (session === undefined || session.channelType !== 'web' || session.title !== null) return null;
  // A command is for the host, and says nothing of what the chat is about.
  if (/^\s*\/[a-z]+(?:\s|$)/i.test(text)) return null;
  return makeTitle(text);
}

/** What an untitled chat is called after its first message: its first line, cut at a word. Null when there is none. */
export function makeTitle(text: string): string | null {
  const line = text
    .replaceAll(/\p{Cc}+/gu, '\n')
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one !== '');
  if (line === undefined) return null;
  const characters = [...line];
  if (characters.length <= MAX_TITLE) return line;
  const cut = characters.slice(0, MAX_TITLE).join('');
  const atWord = cut.replace(/\s+\S*$/u, '');
  return `${atWord === '' ? cut : atWord}…`;
}
