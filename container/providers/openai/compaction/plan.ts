/**
 * What becomes of a conversation that grows too long: pure.
 *
 *   fits ─▶ nothing          old tool results are most of it ─▶ drop them
 *                            else ─▶ the older part becomes a summary
 *
 * I1. A call stays together with its results, and what the running turn was asked stays in its own words.
 * I2. What comes out is shorter, or nothing is done.
 * I3. What the model has not seen yet is cut where it must be, and never dropped.
 */
import { CHARS_PER_TOKEN, COMPACT_AT, DROPPED_ENOUGH_AT, KEEP_AT, MEDIA_TOKENS } from '../limits.ts';
import { NO_USAGE, type TranscriptRecord } from '../records.ts';
import { boundText } from '../tools/bounds.ts';

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
  const { windowTokens, fixedTokens, reason } = facts;
  const counted = countTokens(records, fixedTokens);
  if (reason === 'size' && counted <= windowTokens * COMPACT_AT) return { kind: 'nothing' };
  // A server's count is the measure; what it has not counted is measured by how far our estimates were off.
  const scale = Math.max(1, counted / (countFrom(records) + fixedTokens));
  const keepTokens = (windowTokens * KEEP_AT) / scale;
  const from = findCut(records, reason === 'asked' ? 0 : keepTokens);
  const older = records.slice(0, from).filter(isContent);
  const kept = boundResults(records.slice(from).filter(isContent), keepTokens);
  const asked = findAsked(records, from);
  const trimmed = [...older.map(dropResult), ...kept];
  const [before, after] = [countFrom(records), countFrom(trimmed)];
  const isEnough = (after + fixedTokens) * scale <= windowTokens * DROPPED_ENOUGH_AT && before - after > before / 4;
  const drop: CompactionPlan = { kind: 'drop', records: trimmed.map(forgetUsage) };
  if (reason !== 'asked' && isEnough) return drop;
  if (older.some((record) => isTalk(record) && !asked.includes(record)))
    return { kind: 'summarise', older, asked, kept };
  return reason !== 'asked' && before - after > before / 4 ? drop : { kind: 'nothing' };
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

function isContent({ kind }: TranscriptRecord): boolean {
  return kind !== 'header';
}

function isTalk({ kind }: TranscriptRecord): boolean {
  return kind === 'user' || kind === 'assistant' || kind === 'summary' || kind === 'result';
}

/**
 * Where the part begins that stays: as early as it fits, and never between a call and its results (I1). The newest
 * results always stay: the model has not seen them yet, and would only call again.
 */
function findCut(records: readonly TranscriptRecord[], keepTokens: number): number {
  const lastStep = records.findLastIndex(({ kind }) => kind === 'assistant');
  let cut = records.slice(lastStep).some(({ kind }) => kind === 'result') ? lastStep : records.length;
  let tokens = 0;
  for (let at = records.length - 1; at >= 0; at--) {
    const record = records[at];
    if (record === undefined) break;
    tokens += estimateTokens(record);
    if (tokens > keepTokens) break;
    if (record.kind === 'user' || record.kind === 'assistant' || record.kind === 'note') cut = Math.min(cut, at);
  }
  return cut;
}

/** Results that stay fill no more than the room that is meant for them. */
function boundResults(kept: readonly TranscriptRecord[], keepTokens: number): TranscriptRecord[] {
  const results = kept.filter(({ kind }) => kind === 'result');
  if (countFrom(results) <= keepTokens) return [...kept];
  const maxBytes = Math.max(WORTH_DROPPING_CHARS, Math.floor((keepTokens * CHARS_PER_TOKEN) / results.length));
  return kept.map((record) =>
    record.kind === 'result' ? { ...record, text: boundText(record.text, maxBytes) } : record,
  );
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
