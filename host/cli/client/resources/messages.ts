/** Messages, their files and answers, and what became of them. */
import { randomUUID } from 'node:crypto';
import type { Requests } from '../requests.ts';
import type { Message, Page, Trace, Why } from '../types.ts';

export interface FileToSend {
  name: string;
  content: Buffer;
}

export function messageCalls(requests: Requests) {
  return {
    /** Oldest first within the page; the newest page when `after` is not given. */
    listMessages(sessionId: string, query: { after?: number; limit: number }): Promise<Page<Message>> {
      return requests.get(`/sessions/${encodeURIComponent(sessionId)}/messages`, query);
    },

    readMessage(id: string): Promise<Message> {
      return requests.get(`/messages/${encodeURIComponent(id)}`);
    },

    /** Puts a message before the session; the same `clientId` again is the same message, never a second one. */
    sendMessage(
      sessionId: string,
      message: { text: string; files?: readonly FileToSend[]; clientId?: string },
    ): Promise<Message> {
      const { text, files = [], clientId = randomUUID() } = message;
      const path = `/sessions/${encodeURIComponent(sessionId)}/messages`;
      if (files.length === 0) return requests.post(path, { text, clientId });
      const form = new FormData();
      form.set('text', text);
      form.set('clientId', clientId);
      for (const file of files) form.append('file', new Blob([file.content]), file.name);
      return requests.postForm(path, form);
    },

    resendMessage(id: string): Promise<Message> {
      return requests.post(`/messages/${encodeURIComponent(id)}/resend`, {});
    },

    dropMessage(id: string): Promise<Message> {
      return requests.post(`/messages/${encodeURIComponent(id)}/drop`, {});
    },

    answerMessage(id: string, choice: string): Promise<Message> {
      return requests.post(`/messages/${encodeURIComponent(id)}/answer`, { choice });
    },

    readTrace(messageId: string): Promise<Trace> {
      return requests.get(`/messages/${encodeURIComponent(messageId)}/trace`);
    },

    readWhy(messageId: string): Promise<Why> {
      return requests.get(`/messages/${encodeURIComponent(messageId)}/why`);
    },

    downloadFile(messageId: string, name: string): Promise<Buffer> {
      return requests.download(`/messages/${encodeURIComponent(messageId)}/files/${encodeURIComponent(name)}`);
    },
  };
}
