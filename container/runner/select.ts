/**
 * Which pending rows make the next batch. Pure but for the pages it asks for.
 *
 * I1. Filter first, oldest first, then limit: rows that may not be taken never fill the window.
 * I2. A batch has at least one trigger; context rides along and never pushes a trigger out. When it
 *     does not fit, the newest is taken and the rest is left out for good: shown later it would stand
 *     behind what was said after it.
 */
import type { Candidate } from './inbox.ts';

/** Rows per page while looking for eligible ones. Higher: memory. Lower: more queries in a backlog. */
const PAGE_ROWS = 200;
/** Context left out by one batch. Higher: one transaction grows. Lower: a flood takes several turns to clear. */
const MAX_OMITTED = 5_000;

export interface SelectionFacts {
  /** Epoch ms. */
  now: number;
  maxBatch: number;
  /** The highest sequence number at this process's first poll: `on_wake` rows above it are not for it. */
  wakeSeq: number;
  /** Whether this try of the row is already claimed, done or failed here. */
  isTaken: (candidate: Candidate) => boolean;
}

export interface PendingPages {
  triggers(afterSeq: number, limit: number): Candidate[];
  context(beforeSeq: number, limit: number): Candidate[];
}

export interface Selection {
  /** In the order of their sequence numbers, triggers and context together; empty when there is no trigger. */
  rows: Candidate[];
  /** Context to mark as done without being shown. */
  omitted: Candidate[];
}

export function selectBatch(pages: PendingPages, facts: SelectionFacts): Selection {
  const found = collect((cursor) => pages.triggers(cursor, PAGE_ROWS), 0, facts, facts.maxBatch + 1);
  const triggers = found.slice(0, facts.maxBatch);
  const last = triggers.at(-1);
  if (!last) return { rows: [], omitted: [] };
  const hasMoreTriggers = found.length > triggers.length;
  // With more triggers waiting, what was said after this batch belongs to the next one.
  const before = hasMoreTriggers ? last.seq : Number.MAX_SAFE_INTEGER;
  const room = facts.maxBatch - triggers.length;
  const limit = hasMoreTriggers ? room : room + MAX_OMITTED;
  const context = collect((cursor) => pages.context(cursor, PAGE_ROWS), before, facts, limit);
  const rows = [...triggers, ...context.slice(0, room)].sort((a, b) => a.seq - b.seq);
  return { rows, omitted: hasMoreTriggers ? [] : context.slice(room) };
}

export function isEligible(candidate: Candidate, facts: SelectionFacts): boolean {
  if (candidate.processAfter !== null && candidate.processAfter > facts.now) return false;
  // A container about to stop must not take what is meant for the one that starts.
  if (candidate.isOnWake && candidate.seq > facts.wakeSeq) return false;
  return !facts.isTaken(candidate);
}

function collect(
  page: (cursor: number) => Candidate[],
  start: number,
  facts: SelectionFacts,
  limit: number,
): Candidate[] {
  const eligible: Candidate[] = [];
  let cursor = start;
  while (eligible.length < limit) {
    const rows = page(cursor);
    for (const row of rows) {
      if (eligible.length < limit && isEligible(row, facts)) eligible.push(row);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_ROWS) break;
    cursor = last.seq;
  }
  return eligible;
}
