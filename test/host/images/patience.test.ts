/** An engine that is away fails no build: it is waited for, until the host stops. */
import { expect, test } from 'vitest';
import { Fault } from '../../../host/config/errors.ts';
import { ImageEngine } from '../../../host/images/engine.ts';
import { whenEngineAnswers } from '../../../host/images/patience.ts';
import { makeId } from '../../../shared/ids.ts';
import { makeTempHome } from '../../support/temp-home.ts';

test('work goes on when the engine is back', async () => {
  let tries = 0;
  const result = await whenEngineAnswers(new AbortController().signal, async () => {
    if (++tries === 1) throw new Fault('engine_away', 'away', { retryable: true });
    return 'built';
  });
  expect({ result, tries }).toEqual({ result: 'built', tries: 2 });
});

test('a host that stops waits for nobody: the next one takes the work up', async () => {
  const stop = new AbortController();
  const engine = new ImageEngine(makeId('install'), `${makeTempHome().home}/no-engine.sock`);
  const waiting = whenEngineAnswers(stop.signal, () => engine.find('any'));
  stop.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'host_stopping', retryable: true });
  await expect(whenEngineAnswers(stop.signal, () => engine.find('any'))).rejects.toMatchObject({
    code: 'host_stopping',
  });
});

test('what the engine refuses is no absence, and what is a bug comes out', async () => {
  const { signal } = new AbortController();
  const refused = new Fault('engine_refused', 'no', { retryable: true });
  await expect(whenEngineAnswers(signal, () => Promise.reject(refused))).rejects.toBe(refused);
  await expect(whenEngineAnswers(signal, () => Promise.reject(new TypeError('bug')))).rejects.toThrow(TypeError);
});
