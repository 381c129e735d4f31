/**
 * Parses a stream of Server-sent events, piece by piece. Pure: text in, frames out.
 * Source: HTML standard, 9.2.6 "Interpreting an event stream".
 */
export interface EventFrame {
  event: string;
  data: string;
  /** The frame's own id; null when it carried none. */
  id: string | null;
}

export interface EventParser {
  /** Takes the next piece of the stream and returns the frames that it completed. */
  push(piece: string): EventFrame[];
}

export function createEventParser(): EventParser {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | null = null;

  function takeLine(line: string, out: EventFrame[]): void {
    if (line === '') {
      if (data.length > 0) out.push({ event: event === '' ? 'message' : event, data: data.join('\n'), id });
      event = '';
      data = [];
      id = null;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon < 0 ? line : line.slice(0, colon);
    const raw = colon < 0 ? '' : line.slice(colon + 1);
    const value = raw.startsWith(' ') ? raw.slice(1) : raw;
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }

  return {
    push(piece) {
      rest += piece;
      const out: EventFrame[] = [];
      for (;;) {
        const at = rest.search(/[\r\n]/);
        if (at < 0) break;
        // A lone CR at the very end may be the first half of CRLF: wait for the next piece.
        if (rest[at] === '\r' && at === rest.length - 1) break;
        const width = rest.startsWith('\r\n', at) ? 2 : 1;
        takeLine(rest.slice(0, at), out);
        rest = rest.slice(at + width);
      }
      return out;
    },
  };
}
