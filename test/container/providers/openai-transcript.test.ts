/** What the provider `openai` keeps of a conversation: whatever a kill leaves, the next process can go on from. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPrompt } from '../../../container/providers/openai/prompt.ts';
import { NO_USAGE, type TranscriptRecord } from '../../../container/providers/openai/records.ts';
import { answerOf, planStart } from '../../../container/providers/openai/start.ts';
import { Transcript } from '../../../container/providers/openai/transcript.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portolan-transcript-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const user = (id: string): TranscriptRecord => ({ kind: 'user', text: `text of ${id}`, media: [], messageIds: [id] });
const assistant = (text: string, ...calls: string[]): TranscriptRecord => ({
  kind: 'assistant',
  model: 'm',
  parts: [{ type: 'text', text }, ...calls.map((id) => ({ type: 'call', id, name: 'bash', input: {} }) as const)],
  usage: NO_USAGE,
  isCut: false,
});
const result = (callId: string): TranscriptRecord => ({
  kind: 'result',
  callId,
  name: 'bash',
  isOk: true,
  text: 'öäü€',
  media: [],
});
const END: TranscriptRecord = { kind: 'end', isAnswered: true };
const TURNS = [user('m1'), assistant('', 'c1', 'c2'), result('c1'), result('c2'), assistant('done'), END, user('m2')];

function make(id: string, records: readonly TranscriptRecord[]): string {
  const transcript = Transcript.create(folder, id);
  for (const record of records) transcript.append(record);
  return join(folder, `${id}.jsonl`);
}

function open(id: string): Transcript {
  const opened = Transcript.open(folder, id);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  return opened.transcript;
}

describe('a transcript', () => {
  it('that was cut off at any byte opens, closes its calls, and takes further lines', () => {
    const bytes = readFileSync(make('whole', TURNS));
    const header = bytes.indexOf(0x0a) + 1;
    // Every seventh byte, and both sides of each end of a line.
    const isTried = (size: number) => size % 7 === 0 || bytes[size] === 0x0a || bytes[size - 1] === 0x0a;
    for (let size = header; size <= bytes.length; size++) {
      if (!isTried(size)) continue;
      writeFileSync(join(folder, 'cut.jsonl'), bytes.subarray(0, size));
      open('cut').append({ kind: 'note', text: 'after' });
      const { records } = open('cut');
      expect(records.at(-1)).toEqual({ kind: 'note', text: 'after' });
      const called = records.flatMap((record) => (record.kind === 'assistant' ? record.parts : []));
      const ids = called.flatMap((part) => (part.type === 'call' ? [part.id] : []));
      expect(records.flatMap((record) => (record.kind === 'result' ? [record.callId] : [])).sort()).toEqual(ids.sort());
    }
  });

  it('without its header, with a line that cannot be read, or of another version is unreadable', () => {
    const path = make('a', TURNS);
    const lines = readFileSync(path, 'utf8').split('\n');
    for (const bad of [
      '',
      '{"kind":"header","version":2}\n',
      `${lines.slice(1).join('\n')}`,
      'x\n',
      `${lines[0]}\nx\n`,
    ]) {
      writeFileSync(path, bad);
      expect(Transcript.open(folder, 'a').kind).toBe('unreadable');
    }
    mkdirSync(join(folder, 'b.jsonl'));
    expect(Transcript.open(folder, 'b').kind).toBe('unreadable');
  });

  it('is found by an id alone that cannot climb out of its folder', () => {
    writeFileSync(join(folder, '..', 'portolan-outside.jsonl'), '{"kind":"header","version":1}\n');
    expect(Transcript.open(folder, '../portolan-outside').kind).toBe('unreadable');
    rmSync(join(folder, '..', 'portolan-outside.jsonl'));
    expect(Transcript.open(folder, 'nowhere').kind).toBe('missing');
  });

  it('is replaced whole: what a kill left beside it is of no interest', () => {
    make('a', TURNS);
    writeFileSync(join(folder, 'a.jsonl.new'), '{"kind":"hea');
    expect(open('a').records).toHaveLength(TURNS.length + 1);
    open('a').replace([user('m9')]);
    expect(open('a').records).toEqual([{ kind: 'header', version: 1 }, user('m9')]);
  });
});

describe('the start of a turn', () => {
  const cut = { kind: 'end', isAnswered: false } as const;
  it.each<[string, TranscriptRecord[], string[], ReturnType<typeof planStart>]>([
    ['nothing was said', [], ['m1'], { kind: 'new', isAfterCut: false }],
    ['the last turn is over', [user('m1'), assistant('hi'), END], ['m2'], { kind: 'new', isAfterCut: false }],
    ['it is the same that was answered', [user('m1'), assistant('hi'), END], ['m1'], { kind: 'answered', text: 'hi' }],
    ['it is the same that failed', [user('m1'), cut], ['m1'], { kind: 'new', isAfterCut: false }],
    ['it is the same that was cut off', [user('m1'), assistant('', 'c')], ['m1'], { kind: 'goes_on', hasSaid: true }],
    ['nothing came of it before', [user('m1')], ['m1'], { kind: 'goes_on', hasSaid: false }],
    ['it is another, and one was cut off', [user('m1'), assistant('', 'c')], ['m2'], { kind: 'new', isAfterCut: true }],
    ['it is more than was cut off', [user('m1')], ['m1', 'm2'], { kind: 'new', isAfterCut: true }],
    ['it has no message', [user('m1'), assistant('hi'), END], [], { kind: 'new', isAfterCut: false }],
  ])('when %s', (_when, records, ids, expected) => {
    expect(planStart(records, ids)).toEqual(expected);
  });

  it('gives back of an earlier turn nothing but its own words', () => {
    const records = [user('m1'), assistant('first'), END, user('m2'), assistant('second'), END];
    expect(planStart(records, ['m2'])).toEqual({ kind: 'answered', text: 'second' });
  });
});

describe('what a turn says', () => {
  it('are its last words, and blocks beside calls', () => {
    const turn = [assistant('aloud', 'c1'), assistant('<message to="x">now</message>', 'c2'), assistant('bye')];
    expect(answerOf(turn)).toBe('<message to="x">now</message>\n\nbye');
  });
});

describe('a prompt', () => {
  const facts = { instructions: 'who you are', model: 'm', load: () => null };

  it('lets roles take turns, also after turns that failed', () => {
    const records = [user('m1'), user('m2'), assistant('a'), assistant('b'), user('m3')];
    expect(buildPrompt(records, { ...facts, api: 'openai' }).map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'user',
    ]);
  });

  it('keeps thoughts for the model that had them, as long as its API wants them', () => {
    const thinks = (model: string): TranscriptRecord => ({
      kind: 'assistant',
      model,
      parts: [
        { type: 'thought', text: 'hm', metadata: { anthropic: { signature: 's' } } },
        { type: 'text', text: 'yes' },
      ],
      usage: NO_USAGE,
      isCut: false,
    });
    const thoughts = (api: 'openai' | 'anthropic', records: TranscriptRecord[]) =>
      JSON.stringify(buildPrompt(records, { ...facts, api })).split('"reasoning"').length - 1;
    const old = [user('m1'), thinks('m'), END, user('m2')];
    const running = [user('m1'), thinks('m')];
    expect([thoughts('openai', old), thoughts('anthropic', old)]).toEqual([0, 1]);
    expect([thoughts('openai', running), thoughts('anthropic', running)]).toEqual([1, 1]);
    expect(thoughts('anthropic', [user('m1'), thinks('another')])).toBe(0);
  });
});
