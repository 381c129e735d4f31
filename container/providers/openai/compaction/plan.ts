/**
 * What becomes of a conversation that grows too long: pure.
 *
 *   fits ─▶ nothing          old tool results are most of it ─▶ drop them
 *                            else ─▶ the older part becomes a summary
 *
 * I1. A call stays together with its results, and what the running turn was asked stays in its own words.
 * I2. What comes out is shorter, or nothing is done.
 */
import { CHARS_PER_TOKEN, COMPACT_AT, DROPPED_ENOUGH_AT, KEEP_AT, MEDIA_TOKENS } from '../limits.ts';
import { NO_USAGE, type TranscriptRecord } from '../records.ts';

export type CompactionPlan =
  | { kind: 'nothing' }
  | { kind: 'drop'; records: TranscriptRecord[] }
  /** `older` becomes a summary; then come `asked`, the running turn's own words, and `kept`. */
  | { kind: 'summarise'; older: TranscriptRecord[]; asked: TranscriptRecord[]; kept: TranscriptRecord[] };

export interface CompactionFacts {
  windowTokens: number;
  /** Instructions and tools, which each request carries. */
  fixedTokens: number;
  /** `size`: when the estimate says so. `refused`: the server said so. `asked`: a person did, so nothing is kept as it is. */
  reason: 'size' | 'refused' | 'asked';
}

export function planCompaction(records: readonly TranscriptRecord[], facts: CompactionFacts): CompactionPlan {
  const { windowTokens, reason } = facts;
  if (reason === 'size' && countTokens(records, facts.fixedTokens) <= windowTokens * COMPACT_AT)
    return { kind: 'nothing' };
  const from = findCut(records, reason === 'asked' ? 0 : windowTokens * KEEP_AT);
  const older = records.slice(0, from).filter(({ kind }) => kind !== 'header');
  const kept = records.slice(from).filter(({ kind }) => kind !== 'header');
  if (!older.some(isTalk)) return { kind: 'nothing' };
  const dropped = [...older.map(dropResult), ...kept];
  const [before, after] = [countFrom(records), countFrom(dropped)];
  const isEnough = after + facts.fixedTokens <= windowTokens * DROPPED_ENOUGH_AT && before - after > before / 4;
  if (reason !== 'asked' && isEnough) return { kind: 'drop', records: dropped.map(forgetUsage) };
  return { kind: 'summarise', older, asked: findAsked(records, from), kept };
}

/** The conversation after a summary; null when it is no shorter (I2). */
export function joinSummary(
  plan: Extract<CompactionPlan, { kind: 'summarise' }>,
  summary: string,
): TranscriptRecord[] | null {
  const { older, asked, kept } = plan;
  const facts = older.filter(({ kind }) => kind === 'window' || kind === 'unseen');
  const end: TranscriptRecord = { kind: 'end', isAnswered: true };
  const head: TranscriptRecord[] = [...facts, { kind: 'summary', text: summary }, end, ...asked];
  return countFrom(head) < countFrom(older) ? [...head, ...kept.map(forgetUsage)] : null;
}

/** What a server counted before is no measure any more. */
function forgetUsage(record: TranscriptRecord): TranscriptRecord {
  return record.kind === 'assistant' ? { ...record, usage: NO_USAGE } : record;
}

/** What the next request will be: as the server counted the last one, and the estimate of what came after. */
export function countTokens(records: readonly TranscriptRecord[], fixedTokens: number): number {
  const at = records.findLastIndex((record) => record.kind === 'assistant' && record.usage.inputTokens > 0);
  const last = records[at];
  if (last?.kind !== 'assistant') return countFrom(records) + fixedTokens;
  return last.usage.inputTokens + last.usage.outputTokens + countFrom(records.slice(at + 1));
}

export function countFrom(records: readonly TranscriptRecord[]): number {
  return records.reduce((sum, record) => sum + estimateTokens(record), 0);
}

function estimateTokens(record: TranscriptRecord): number {
  switch (record.kind) {
    case 'user':
    case 'result':
      return toTokens(record.text) + record.media.length * MEDIA_TOKENS;
    case 'note':
    case 'summary':
      return toTokens(record.text);
    case 'assistant':
      return record.parts.reduce(
        (sum, part) => sum + toTokens(part.type === 'call' ? JSON.stringify(part.input) : part.text),
        0,
      );
    default:
      return 0;
  }
}

function toTokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

function isTalk({ kind }: TranscriptRecord): boolean {
  return kind === 'user' || kind === 'assistant' || kind === 'summary' || kind === 'result';
}

/** Where the part begins that stays: as early as it fits, and never between a call and its results (I1). */
function findCut(records: readonly TranscriptRecord[], keepTokens: number): number {
  let cut = records.length;
  let tokens = 0;
  for (let at = records.length - 1; at >= 0; at--) {
    const record = records[at];
    if (record === undefined) break;
    tokens += estimateTokens(record);
    if (tokens > keepTokens) break;
    if (record.kind === 'user' || record.kind === 'assistant' || record.kind === 'note') cut = at;
  }
  return cut;
}

/** Of the turn that runs: what people wrote, when it lies before the cut (I1). */
function findAsked(records: readonly TranscriptRecord[], cut: number): TranscriptRecord[] {
  const start = records.findLastIndex(({ kind }) => kind === 'end') + 1;
  return records.slice(start, cut).filter(({ kind }) => kind === 'user');
}

/** Short results are not worth a hole. */
const WORTH_DROPPING_CHARS = 400;

function dropResult(record: TranscriptRecord): TranscriptRecord {
  if (record.kind !== 'result' || record.text.length <= WORTH_DROPPING_CHARS) return record;
  const text = `(${record.text.length} characters, left out later to save room; call again if they are needed)`;
  return { ...record, text, media: [] };
}
