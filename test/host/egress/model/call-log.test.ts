import { expect, onTestFinished, test } from 'vitest';
import { CallLog } from '../../../../host/egress/model/call-log.ts';
import type { ModelCallRecord } from '../../../../host/store/model-calls.ts';
import { makeId } from '../../../../shared/ids.ts';

const diskFull = () => {
  throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
};

function makeCall(): ModelCallRecord {
  return {
    ...{ at: 1, agentGroupId: makeId('agentGroup'), sessionId: makeId('session'), messageId: makeId('message') },
    ...{ userId: null, service: 'anthropic', model: 'm', inputTokens: 1, outputTokens: 1, cacheReadTokens: 0 },
    ...{ cacheWriteTokens: 0, costNanousd: 1, isEstimated: false, status: 200, firstByteMs: 1, durationMs: 2 },
  };
}

test('a disk that fills up between writing calls and removing old ones stops nothing, and both are told', () => {
  let prunes: () => number = diskFull;
  const written: ModelCallRecord[] = [];
  const told: string[] = [];
  const calls = {
    appendAll: (batch: readonly ModelCallRecord[]) => void written.push(...batch),
    prune: () => prunes(),
  };
  const log = new CallLog({ calls, onCommitted: (ids) => void told.push(...ids), now: () => 1 });
  onTestFinished(() => log[Symbol.dispose]());
  const [first, second] = [makeCall(), makeCall()];
  log.add(first);
  log.flush();
  expect(written).toEqual([first]);
  expect(told).toEqual([first.messageId]);
  let pruned = 0;
  prunes = () => ++pruned;
  log.add(second);
  log.flush();
  expect(pruned).toBe(1);
  expect(told).toEqual([first.messageId, second.messageId]);
});
