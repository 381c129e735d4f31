import Database from 'better-sqlite3';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidate, INBOX_SQL } from '../../container/runner/inbox.ts';
import { type PendingPages, type SelectionFacts, selectBatch } from '../../container/runner/select.ts';
import { INBOUND_SCHEMA } from '../../shared/session-schema.ts';

interface Row extends Candidate {
  isTrigger: boolean;
  isTaken: boolean;
}

const row = (seq: number, more: Partial<Row> = {}): Row => ({
  id: `m${seq}`,
  seq,
  kind: 'chat',
  inReplyTo: null,
  tries: 0,
  isOnWake: false,
  processAfter: null,
  isTrigger: true,
  isTaken: false,
  ...more,
});

function pagesOf(rows: readonly Row[]): PendingPages {
  const sorted = [...rows].sort((a, b) => a.seq - b.seq);
  return {
    triggers: (after, limit) => sorted.filter((r) => r.isTrigger && r.seq > after).slice(0, limit),
    context: (before, limit) =>
      sorted
        .filter((r) => !r.isTrigger && r.seq < before)
        .reverse()
        .slice(0, limit),
  };
}

function select(rows: readonly Row[], more: Partial<SelectionFacts> = {}) {
  const byId = new Map(rows.map((r) => [r.id, r]));
  const isTaken = (candidate: Candidate) => byId.get(candidate.id)?.isTaken ?? false;
  return selectBatch(pagesOf(rows), { now: 1_000, maxBatch: 3, wakeSeq: 1_000_000, isTaken, ...more });
}

const seqs = (rows: readonly Candidate[]) => rows.map((r) => r.seq);
const context = { isTrigger: false };

describe('the selection of a batch', () => {
  it.each<[string, Row[], number[], number[]]>([
    ['nothing from nothing', [], [], []],
    ['nothing from context alone', [row(2, context)], [], []],
    ['a trigger', [row(2)], [2], []],
    ['the oldest triggers up to the limit', [row(2), row(4), row(6), row(8)], [2, 4, 6], []],
    ['context with its trigger, in order', [row(2, context), row(4), row(6, context)], [2, 4, 6], []],
    ['the newest context that fits', [row(2, context), row(4, context), row(6, context), row(8)], [4, 6, 8], [2]],
    ['no context of the batch after', [row(2), row(4), row(6), row(8, context), row(10)], [2, 4, 6], []],
    ['only what is due', [row(2, { processAfter: 1_001 }), row(4, { processAfter: 1_000 })], [4], []],
    ['only what is not taken', [row(2, { isTaken: true }), row(4)], [4], []],
    ['nothing when all triggers are taken', [row(2, { isTaken: true }), row(4, context)], [], []],
  ])('takes %s', (_name, rows, taken, omitted) => {
    const selection = select(rows);
    expect([seqs(selection.rows), seqs(selection.omitted)]).toEqual([taken, omitted]);
  });

  it('takes an on_wake row only when it was there at the first poll', () => {
    const rows = [row(2, { isOnWake: true }), row(4, { isOnWake: true })];
    expect(seqs(select(rows, { wakeSeq: 2 }).rows)).toEqual([2]);
  });

  it('filters before it limits: a thousand rows that may not be taken do not hide one that may', () => {
    const rows = Array.from({ length: 1_000 }, (_none, index) =>
      row(2 * index + 2, { isTaken: index % 2 === 0, processAfter: index % 2 ? 9_999 : null }),
    );
    expect(seqs(select([...rows, row(3_000)]).rows)).toEqual([3_000]);
  });

  it('serves every trigger in the end, oldest first, and takes nothing twice', () => {
    const anyRow = fc.record({ isTrigger: fc.boolean(), isTaken: fc.boolean() });
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (kinds, maxBatch) => {
        const rows = kinds.map((kind, index) => row(2 * index + 2, kind));
        const open = rows.filter((r) => r.isTrigger && !r.isTaken).map((r) => r.seq);
        const served: number[] = [];
        for (;;) {
          const { rows: batch, omitted } = select(rows, { maxBatch });
          if (batch.length === 0) break;
          expect(batch.length).toBeLessThanOrEqual(maxBatch);
          for (const candidate of [...batch, ...omitted]) {
            const taken = rows.find((r) => r.seq === candidate.seq);
            expect(taken?.isTaken).toBe(false);
            if (taken) taken.isTaken = true;
            if (taken?.isTrigger) served.push(candidate.seq);
          }
        }
        expect(served).toEqual(open);
      }),
    );
  });

  it('finds pending rows through their own index, whatever the past holds', () => {
    const db = new Database(':memory:');
    for (const statement of INBOUND_SCHEMA) db.exec(statement);
    const insert = db.prepare(
      `INSERT INTO messages_in (id, seq, kind, timestamp, status, trigger, trace_id, content) VALUES (?, ?, 'chat', 1, 'done', 1, 't', '{}')`,
    );
    db.transaction(() => {
      for (let index = 1; index <= 50_000; index++) insert.run(`m${index}`, 2 * index);
    })();
    for (const analyzed of [false, true]) {
      if (analyzed) db.exec('ANALYZE');
      for (const [name, sql] of Object.entries(INBOX_SQL)) {
        const parameters = sql.split('?').length - 1;
        const plan = db
          .prepare<number[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
          .all(...Array(parameters).fill(1));
        const details = plan.map((step) => step.detail).join('; ');
        expect(details, name).not.toMatch(/TEMP B-TREE/);
        expect(sql, `${name} is compiled once, not at each call`).not.toMatch(/LIMIT [?@]\w*$/);
        expect(details, name).toMatch(/USING (COVERING )?INDEX|^SEARCH/);
        if (['triggers', 'context', 'nextDue'].includes(name)) expect(details).toContain('messages_in_pending');
      }
    }
    db.close();
  });
});
