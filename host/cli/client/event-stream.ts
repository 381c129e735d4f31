/** Server-sent events, parsed as they arrive. Source: WHATWG HTML, "Server-sent events", §9.2.6. */

export interface ServerEvent {
  /** `message` when the stream names none. */
  event: string;
  data: string;
  /** The last id the stream named, up to and including this event; empty when none was. */
  lastEventId: string;
}

/** Longest unfinished event. Higher: a wrong server fills memory. Lower: a message of 64 KiB with escapes is cut. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024;

export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

/** Yields the events of a byte stream; an event that the end cuts off is dropped, as the standard says. */
export async function* parseEventStream(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent | 'alive'> {
  const decoder = new TextDecoder();
  let buffer = '';
  let event = '';
  let lastEventId = '';
  let data: string[] = [];
  for await (const chunk of stream) {
    buffer += decoder.decode(chunk, { stream: true });
    // A "\r" at the end may be half of "\r\n": it stays until the next chunk tells.
    const held = buffer.endsWith('\r') ? '\r' : '';
    const lines = buffer.slice(0, buffer.length - held.length).split(/\r\n|\n|\r/);
    buffer = (lines.pop() ?? '') + held;
    if (buffer.length > MAX_EVENT_CHARACTERS) throw new EventTooLargeError('an event has no end');
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), lastEventId };
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'data') data.push(value);
      else if (field === 'event') event = value;
      else if (field === 'id' && !value.includes('\0')) lastEventId = value;
    }
    yield 'alive';
  }
}
