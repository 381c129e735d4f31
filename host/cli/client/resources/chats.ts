/** Chats, and which agents listen in them. */
import type { Requests } from '../requests.ts';
import type { Chat, Page, Wiring } from '../types.ts';

export function chatCalls(requests: Requests) {
  return {
    listChats(limit: number): Promise<Page<Chat>> {
      return requests.list('/chats', {}, limit);
    },

    /** On top of what was seen: a chat that changed meanwhile stays as it is, and the call is refused. */
    changeChat(chat: Chat, change: { unknownSenderPolicy: Chat['unknownSenderPolicy'] }): Promise<Chat> {
      return requests.patch(`/chats/${encodeURIComponent(chat.id)}`, chat.revision, change);
    },

    listWirings(limit: number): Promise<Page<Wiring>> {
      return requests.list('/wirings', {}, limit);
    },

    createWiring(wiring: Record<string, unknown>): Promise<Wiring> {
      return requests.post('/wirings', wiring);
    },

    changeWiring(wiring: Wiring, settings: Record<string, unknown>): Promise<Wiring> {
      return requests.patch(`/wirings/${encodeURIComponent(wiring.id)}`, wiring.revision, settings);
    },

    async removeWiring(wiring: Wiring): Promise<void> {
      await requests.delete(`/wirings/${encodeURIComponent(wiring.id)}`, wiring.revision);
    },
  };
}
