/** How a turn begins, and what it answers: pure. A try that was cut off is continued, not repeated. */
import { parseReply } from '../../runner/blocks/index.ts';
import { callsOf, type RecordOf, type TranscriptRecord, textOf } from './records.ts';

export type TurnStart =
  /** `isAfterCut`: the turn before never came to its end. */
  | { kind: 'new'; isAfterCut: boolean }
  /** The same messages, and their turn was cut off; `hasSaid`: after the model had said something. */
  | { kind: 'goes_on'; hasSaid: boolean }
  /** The same messages, and their turn had its answer: it was cut off before the runner could keep it. */
  | { kind: 'answered'; text: string };

export function planStart(records: readonly TranscriptRecord[], messageIds: readonly string[]): TurnStart {
  const turn = lastTurn(records);
  const last = turn.at(-1);
  const isOver = last?.kind === 'end';
  const isSame = messageIds.length > 0 && messageIds.every((id) => idsOf(turn).has(id));
  if (isSame && !isOver) return { kind: 'goes_on', hasSaid: turn.some(({ kind }) => kind === 'assistant') };
  if (isSame && isOver && last.isAnswered) return { kind: 'answered', text: answerOf(turn) };
  return { kind: 'new', isAfterCut: !isOver && turn.some(({ kind }) => kind === 'user') };
}

/** What the agent says at the end of a turn: the last words, and what before them is addressed to somebody. */
export function answerOf(turn: readonly TranscriptRecord[]): string {
  let answer = '';
  let isGoingOn = false;
  for (const record of turn) {
    if (record.kind !== 'assistant') continue;
    const text = isAnswer(record) ? textOf(record) : '';
    if (text.trim() !== '') answer += (answer === '' || isGoingOn ? '' : '\n\n') + text;
    isGoingOn = record.isCut;
  }
  return answer;
}

/** Beside calls of tools, a model thinks aloud; a block is meant for somebody even there. */
function isAnswer(record: RecordOf<'assistant'>): boolean {
  return callsOf(record).length === 0 || parseReply(textOf(record)).blocks.length > 0;
}

/** From the end of the turn before it on. */
export function lastTurn(records: readonly TranscriptRecord[]): readonly TranscriptRecord[] {
  const start = records.findLastIndex(({ kind }, index) => kind === 'end' && index < records.length - 1);
  return records.slice(start + 1);
}

function idsOf(turn: readonly TranscriptRecord[]): ReadonlySet<string> {
  return new Set(turn.flatMap((record) => (record.kind === 'user' ? record.messageIds : [])));
}
