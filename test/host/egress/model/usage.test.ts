import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_CALL_NANOUSD, MAX_CLAIMED_TOKENS } from '../../../../host/egress/model/limits.ts';
import { costOf } from '../../../../host/egress/model/price.ts';
import { type ModelApi, UsageReader } from '../../../../host/egress/model/usage.ts';

const EVENTS = { 'content-type': 'text/event-stream; charset=utf-8' };
const JSON_BODY = { 'content-type': 'application/json' };

function read(api: ModelApi, headers: Record<string, string>, chunks: readonly Buffer[]) {
  const reader = new UsageReader(api, headers);
  for (const chunk of chunks) reader.push(chunk);
  return reader.said;
}

/** Cuts bytes anywhere, in the middle of a letter too. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

function toEvents(events: readonly { event?: string; data: unknown }[], lineEnd: string): string {
  return events
    .map(({ event, data }) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `: comment${lineEnd}${event === undefined ? '' : `event: ${event}${lineEnd}`}data: ${text}${lineEnd}${lineEnd}`;
    })
    .join('');
}

const count = fc.integer({ min: 0, max: 5_000_000 });
const places = fc.array(fc.nat(), { maxLength: 40 });
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
/** What a model may write: other scripts, quotation marks, brackets, and what looks like numbers of the provider. */
const words = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom('"usage":{"output_tokens":9}', '}]}\n\ndata: {"usage":{"input_tokens":1}}', '漢字 🙂 ünï', '\\"'),
);

test('an Anthropic stream gives exactly the provider’s numbers, wherever it is cut', () => {
  fc.assert(
    fc.property(
      fc.record({ input: count, output: count, read: count, written: count }),
      fc.array(words, { maxLength: 6 }),
      places,
      lineEnd,
      ({ input, output, read: cached, written }, texts, cuts, end) => {
        const usage = { cache_creation_input_tokens: written, cache_read_input_tokens: cached };
        const events = [
          { event: 'ping', data: { type: 'ping' } },
          {
            event: 'message_start',
            data: {
              type: 'message_start',
              message: {
                id: 'msg_1',
                model: 'claude-opus-5-5',
                usage: { input_tokens: input, output_tokens: 1, ...usage },
              },
            },
          },
          ...texts.map((text) => ({ event: 'content_block_delta', data: { delta: { type: 'text_delta', text } } })),
          {
            event: 'message_delta',
            data: { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: output + 1 } },
          },
          { event: 'message_stop', data: { type: 'message_stop' } },
        ];
        const said = read('anthropic', EVENTS, cut(Buffer.from(toEvents(events, end)), cuts));
        expect(said).toEqual({
          model: 'claude-opus-5-5',
          tokens: { input, output: output + 1, cacheRead: cached, cacheWrite: written },
          ...{ longCacheWrite: 0, webSearches: 0, saysInput: true, saysOutput: true },
        });
      },
    ),
    { numRuns: 300 },
  );
});

test('a Chat Completions stream gives exactly the provider’s numbers, with the cache beside the prompt', () => {
  fc.assert(
    fc.property(
      fc.record({ fresh: count, cached: count, output: count }),
      fc.array(words, { maxLength: 6 }),
      places,
      lineEnd,
      ({ fresh, cached, output }, texts, cuts, end) => {
        const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', model: 'gpt-5.2-2025-12-11' };
        const events = [
          ...texts.map((content) => ({ data: { ...head, choices: [{ index: 0, delta: { content } }], usage: null } })),
          {
            data: {
              ...head,
              choices: [],
              usage: {
                prompt_tokens: fresh + cached,
                completion_tokens: output,
                total_tokens: fresh + cached + output,
                prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
                completion_tokens_details: { reasoning_tokens: output },
              },
            },
          },
          { data: '[DONE]' },
        ];
        const said = read('openai', EVENTS, cut(Buffer.from(toEvents(events, end)), cuts));
        expect(said.model).toBe('gpt-5.2-2025-12-11');
        expect(said.tokens).toEqual({ input: fresh, output, cacheRead: cached, cacheWrite: 0 });
      },
    ),
    { numRuns: 300 },
  );
});

test('the Responses API says its numbers in response.completed, in one line of any length', () => {
  fc.assert(
    fc.property(count, count, words, places, (input, output, text, cuts) => {
      const usage = {
        input_tokens: input + 7,
        input_tokens_details: { cached_tokens: 7 },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: output },
      };
      const events = [
        { data: { type: 'response.output_text.delta', delta: text } },
        {
          data: {
            type: 'response.completed',
            response: { model: 'gpt-5.4', instructions: text.repeat(50), output: [{ content: [{ text }] }], usage },
          },
        },
      ];
      const said = read('openai', EVENTS, cut(Buffer.from(toEvents(events, '\n')), cuts));
      expect(said.model).toBe('gpt-5.4');
      expect(said.tokens).toEqual({ input, output, cacheRead: 7, cacheWrite: 0 });
    }),
    { numRuns: 200 },
  );
});

test('bodies that are not streamed are read alike: messages, completions, responses, embeddings', () => {
  const bodies: [ModelApi, unknown, Partial<Record<'input' | 'output' | 'cacheRead' | 'cacheWrite', number>>][] = [
    [
      'anthropic',
      {
        model: 'm',
        content: [{ type: 'text', text: 'usage' }],
        usage: { input_tokens: 3, output_tokens: 4, cache_read_input_tokens: 5, cache_creation_input_tokens: 6 },
      },
      { input: 3, output: 4, cacheRead: 5, cacheWrite: 6 },
    ],
    [
      'openai',
      {
        model: 'm',
        choices: [{ message: { content: '{"usage":{"prompt_tokens":99}}' } }],
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      },
      { input: 3, output: 4 },
    ],
    ['openai', { model: 'm', output: [], usage: { input_tokens: 3, output_tokens: 4 } }, { input: 3, output: 4 }],
    [
      'openai',
      { model: 'm', data: [{ embedding: [0.1, -2e-5, 3] }], usage: { prompt_tokens: 8, total_tokens: 8 } },
      { input: 8 },
    ],
  ];
  for (const [api, body, expected] of bodies) {
    const bytes = Buffer.from(JSON.stringify(body, null, 2));
    const said = read(api, JSON_BODY, cut(bytes, [...bytes.keys()]));
    expect(said.tokens).toEqual({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0, ...expected });
    expect(said.model).toBe('m');
  }
});

test('an answer of 64 MB in one line costs no memory that grows with it', () => {
  const reader = new UsageReader('openai', JSON_BODY);
  const floats = Buffer.from('0.0123456789,'.repeat(80_000));
  reader.push(Buffer.from('{"object":"list","model":"text-embedding-3-large","data":[{"embedding":['));
  const before = process.memoryUsage().heapUsed + process.memoryUsage().external;
  for (let index = 0; index < 64; index += 1) reader.push(floats);
  const after = process.memoryUsage().heapUsed + process.memoryUsage().external;
  reader.push(Buffer.from('0.1]}],"usage":{"prompt_tokens":12,"total_tokens":12}}'));
  expect(reader.said.tokens.input).toBe(12);
  expect(after - before).toBeLessThan(32 * 1024 * 1024);
});

test('a false price and a server that claims the most cost what a year of such calls still adds up to', () => {
  const claimed = { input: MAX_CLAIMED_TOKENS, output: MAX_CLAIMED_TOKENS, cacheRead: 0, cacheWrite: 0 };
  const dearest = { input: 1e15, output: 1e15, cacheRead: 0, cacheWrite: 0, long: null };
  const cost = costOf(dearest, claimed);
  expect(cost).toBe(MAX_CALL_NANOUSD);
  // SQLite's sums, and calls of a second each.
  expect(BigInt(cost) * 900_000n).toBeLessThan(2n ** 63n);
});

test('numbers that no answer has are not believed', () => {
  for (const wrong of ['-1', '1.5', '1e300', '99999999999999999999', '"12"', 'null', 'true', '{}']) {
    const said = read('openai', JSON_BODY, [Buffer.from(`{"usage":{"prompt_tokens":${wrong},"completion_tokens":4}}`)]);
    expect(said.saysInput).toBe(false);
    expect(said.tokens.output).toBe(4);
  }
});

test('an answer in no form that is known counts whole', () => {
  const reader = new UsageReader('openai', { 'content-type': 'text/html' });
  reader.push(Buffer.from('<html>words words words</html>'));
  expect(reader.written.textBytes).toBe(30);
});

test('a number that is cut in two by a broken stream is none', () => {
  const said = read('anthropic', EVENTS, [Buffer.from('data: {"usage":{"output_tokens":12')]);
  expect(said.saysOutput).toBe(false);
});
