/**
 * What of a transcript goes out with requests: pure. A turn that failed finally, or whose messages are asked again
 * because nobody has its answer, is left out: what a server refused in it would be refused with every later turn.
 */
import { callsOf, type TranscriptRecord } from './records.ts';

/** The running turn stays, whatever becomes of it. */
export function leaveOutFailed(records: readonly TranscriptRecord[]): readonly TranscriptRecord[] {
  const asked = new Set<string>();
  const turns = splitTurns(records).reverse();
  const heard = turns.map((turn) => {
    const ids = turn.flatMap((record) => (record.kind === 'user' ? record.messageIds : []));
    const isAskedAgain = ids.length > 0 && ids.every((id) => asked.has(id));
    for (const id of ids) asked.add(id);
    const last = turn.at(-1);
    const isFailed = last?.kind === 'end' && !last.isAnswered;
    return isFailed || isAskedAgain ? shrink(turn) : turn;
  });
  return heard.reverse().flat();
}

/** Each with its `end`; the last may have none. */
function splitTurns(records: readonly TranscriptRecord[]): TranscriptRecord[][] {
  const turns: TranscriptRecord[][] = [[]];
  for (const record of records) {
    turns.at(-1)?.push(record);
    if (record.kind === 'end') turns.push([]);
  }
  return turns;
}

/** What a server said of itself stays; of its tools, their names alone: an input may be what was refused. */
function shrink(turn: readonly TranscriptRecord[]): TranscriptRecord[] {
  const facts = turn.filter(({ kind }) => kind === 'header' || kind === 'summary' || kind === 'window');
  const names = new Set(turn.flatMap((record) => (record.kind === 'assistant' ? callsOf(record) : [])).map(nameOf));
  if (names.size === 0) return facts;
  const text = `A turn that came to no end is left out here. You called these tools in it: ${[...names].join(', ')}. What they did or sent stands; look at it before you do it again.`;
  return [...facts, { kind: 'note', text }];
}

function nameOf({ name }: { name: string }): string {
  return name;
}
