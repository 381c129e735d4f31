/** The pure parts of talking to MCP servers: whatever a server says, what comes out is bounded and readable. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FloodGauge } from '../../container/mcp-servers/flood.ts';
import {
  FLOOD_WINDOW_MS,
  MAX_DESCRIPTION_CHARS,
  MAX_RESULT_BYTES,
  MAX_TOOLS,
  RESTART_MAX_MS,
  STABLE_AFTER_MS,
} from '../../container/mcp-servers/limits.ts';
import { countFailures, planPause } from '../../container/mcp-servers/plan.ts';
import { formatResult, resultSchema } from '../../container/mcp-servers/results.ts';
import { readTools } from '../../container/mcp-servers/tool-list.ts';
import { firstWords, outerWords } from '../../container/mcp-servers/words.ts';

describe('the pause before a server is started again', () => {
  it.each([
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [10, 512_000],
    [11, RESTART_MAX_MS],
    [10_000, RESTART_MAX_MS],
  ])('after %i failures in a row is %i ms', (failures, pauseMs) => {
    expect(planPause(failures)).toBe(pauseMs);
  });

  it('begins anew when the server was up for long, and only then', () => {
    expect(countFailures(7, STABLE_AFTER_MS)).toBe(1);
    expect(countFailures(7, STABLE_AFTER_MS - 1)).toBe(8);
    expect(countFailures(0, 0)).toBe(1);
  });
});

describe('a gauge of what is printed', () => {
  it('never lets through more than its measure in any one window, and starts afresh after it', () => {
    const steps = fc.array(fc.record({ count: fc.nat(60), afterMs: fc.nat(FLOOD_WINDOW_MS) }), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const gauge = new FloodGauge(100);
        let now = 5;
        let since = Number.NEGATIVE_INFINITY;
        let count = 0;
        for (const { count: more, afterMs } of all) {
          now += afterMs;
          if (now - since > FLOOD_WINDOW_MS) [since, count] = [now, 0];
          count += more;
          expect(gauge.add(more, now)).toBe(count <= 100);
        }
      }),
    );
  });
});

/** Anything JSON can hold, near what a result looks like. */
const item = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      type: fc.constantFrom('text', 'image', 'audio', 'resource', 'resource_link', 'other', '__proto__'),
      text: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      data: fc.oneof(fc.string(), fc.jsonValue()),
      resource: fc.oneof(fc.record({ uri: fc.string(), text: fc.string() }), fc.jsonValue()),
    },
    { requiredKeys: ['type'] },
  ),
);

describe('a result', () => {
  it('of any shape becomes text of a bounded size', () => {
    const result = fc.record({ content: fc.oneof(fc.array(item), fc.jsonValue()), isError: fc.jsonValue() });
    fc.assert(
      fc.property(result, (raw) => {
        const formatted = formatResult(resultSchema.parse(raw));
        expect(formatted.text.length).toBeGreaterThan(0);
        expect(formatted.ok).toBe(raw.isError !== true);
      }),
    );
  });

  it.each([MAX_RESULT_BYTES - 1, MAX_RESULT_BYTES, MAX_RESULT_BYTES + 1, 10 * MAX_RESULT_BYTES])(
    'of %i bytes is cut where a character ends, and says so',
    (bytes) => {
      for (const char of ['a', 'ä', '€', '🐄']) {
        const text = `${'x'.repeat(bytes % 4)}${char.repeat(Math.floor(bytes / Buffer.byteLength(char)))}`;
        const formatted = formatResult({ content: [{ type: 'text', text }] }).text;
        const isWhole = Buffer.byteLength(text) <= MAX_RESULT_BYTES;
        expect(formatted === text).toBe(isWhole);
        expect(formatted).not.toContain('\ufffd');
        expect(Buffer.byteLength(formatted)).toBeLessThan(MAX_RESULT_BYTES + 100);
      }
    },
  );
});

describe('a list of tools', () => {
  const good = (name: string) => ({ name, description: 'd', inputSchema: { type: 'object' } });

  it('of any shape becomes tools that a model can be given, within the bounds', () => {
    const tool = fc.record({
      name: fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue()),
      description: fc.oneof(fc.string({ unit: 'binary', maxLength: 3_000 }), fc.jsonValue()),
      inputSchema: fc.oneof(fc.constant({ type: 'object' }), fc.jsonValue()),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(tool, fc.jsonValue())), fc.nat(20_000), (listed, maxBytes) => {
        const { tools, leftOut } = readTools('notes', listed, maxBytes);
        expect(tools.length + leftOut).toBe(listed.length);
        expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
        for (const { name, description, inputSchema } of tools) {
          expect(name).toMatch(/^mcp__notes__[A-Za-z0-9_-]{1,116}$/);
          expect(description.length).toBeLessThanOrEqual(MAX_DESCRIPTION_CHARS + 1);
          expect(inputSchema.type).toBe('object');
        }
        const json = tools.map(({ description, inputSchema }) => JSON.stringify([description, inputSchema]));
        expect(Buffer.byteLength(json.join(''))).toBeLessThanOrEqual(maxBytes + 5 * tools.length);
      }),
    );
  });

  it('keeps the first of two that get the same name, and not more than there may be', () => {
    const { tools } = readTools('n', [good('a.b'), good('a b'), good('c')], 10_000);
    expect(tools.map(({ name, ownName }) => [name, ownName])).toEqual([
      ['mcp__n__a_b', 'a.b'],
      ['mcp__n__c', 'c'],
    ]);
    const many = Array.from({ length: 500 }, (_, index) => good(`t${index}`));
    expect(readTools('n', many, 1_000_000)).toMatchObject({ tools: { length: MAX_TOOLS }, leftOut: 400 });
  });
});

describe('a server’s own words', () => {
  it('are one line of a bounded size, without anything invisible', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        for (const words of [firstWords(text), outerWords(text)]) {
          expect(words.length).toBeLessThanOrEqual(503);
          expect(words).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        }
      }),
    );
    const stack = `Error: Cannot find module 'x.mjs' ${'at f (y.js) '.repeat(100)}Node.js v24`;
    expect(outerWords(stack)).toMatch(/^Error: Cannot find module 'x\.mjs' .* … .*Node\.js v24$/);
    expect(outerWords('\u001b[31mError:\u001b[0m\nno\u202e such\tfile\n')).toBe('[31mError: [0m no such file');
  });
});
