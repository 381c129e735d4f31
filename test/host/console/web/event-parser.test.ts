import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createEventParser } from '../../../../host/console/web/client/event-parser.ts';
import { planReconnectMs, RECONNECT_MAX_MS } from '../../../../host/console/web/client/reconnect.ts';

const STREAM =
  'event: ready\ndata: {"revision":4}\n\n: beat\n\nid: 5\r\nevent: message\r\ndata: one\r\ndata: two\r\n\r\ndata:bare\n\n';

describe('the parser of Server-sent events', () => {
  test('gives every frame its name, data and own id', () => {
    expect(createEventParser().push(STREAM)).toEqual([
      { event: 'ready', data: '{"revision":4}', id: null },
      { event: 'message', data: 'one\ntwo', id: '5' },
      { event: 'message', data: 'bare', id: null },
    ]);
  });

  test('gives the same frames wherever the stream is cut', () => {
    const whole = createEventParser().push(STREAM);
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length];
        const parser = createEventParser();
        const frames = at.slice(1).flatMap((end, index) => parser.push(STREAM.slice(at[index], end)));
        expect(frames).toEqual(whole);
      }),
    );
  });

  test('keeps an unfinished frame to itself', () => {
    expect(createEventParser().push('event: message\ndata: half')).toEqual([]);
  });
});

describe('the wait before a reconnect', () => {
  test('grows, and never passes its limit', () => {
    expect(planReconnectMs(1, 0)).toBeLessThan(planReconnectMs(3, 0));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (attempt, random) => {
          const waitMs = planReconnectMs(attempt, random);
          expect(waitMs).toBeGreaterThan(0);
          expect(waitMs).toBeLessThanOrEqual(RECONNECT_MAX_MS);
        },
      ),
    );
  });
});
