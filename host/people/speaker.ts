/** Who speaks to the host in a chat, and what they hear. */
import type { MessagingGroupId, UserId } from '../../shared/ids.ts';

export interface Speaker {
  id: UserId;
  /** As the platform shows it: anybody may call themselves anything. */
  name: string;
  /** Nobody else reads this chat. */
  isPrivate: boolean;
  channelType: string;
  /** Null: the host does not know the chat. */
  chatId: MessagingGroupId | null;
}

export interface PeopleReply {
  text: string;
  /** For want of a right. */
  isRefused: boolean;
}

export function say(text: string): PeopleReply {
  return { text, isRefused: false };
}

export function refuse(text: string): PeopleReply {
  return { text, isRefused: true };
}
