/** What ways out cost that are open while nobody uses them: memory, and what the host does meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { makeBenchHome } from '../bench-home.ts';
import { DoorsProgram } from '../doors.ts';
import type { Measurement } from '../measurement.ts';
import { readUse, since, type UseRate } from '../process-use.ts';
import { makeRow, summarise } from '../report.ts';

const BATCH = 100;
const BATCHES = 10;
/** Compilers of the opening itself, and what a heap takes in one piece. */
const BATCHES_BEFORE = 2;
const DOORS = BATCH * (BATCHES + BATCHES_BEFORE);
const SETTLE_MS = 3_000;
const WINDOW_MS = 5_000;

export const doors: Measurement = {
  name: 'doors',
  async measure({ quick, tell }) {
    using home = makeBenchHome();
    await using program = await DoorsProgram.start(home.path);
    const windows = quick ? 2 : 6;
    tell('none open');
    await delay(SETTLE_MS);
    const none = await watch(program.pid, windows);
    tell(`opening ${DOORS}`);
    let before = 0;
    for (let batch = 0; batch < BATCHES_BEFORE; batch++) before = await program.open(BATCH);
    const perDoor: number[] = [];
    for (let batch = 0; batch < BATCHES; batch++) {
      const after = await program.open(BATCH);
      perDoor.push((after - before) / BATCH / 1e3);
      before = after;
    }
    await delay(SETTLE_MS);
    tell('all open, and nobody comes');
    const all = await watch(program.pid, windows);
    const share = ({ coreShare }: UseRate) => coreShare * 100;
    const wakeups = ({ wakeupsPerSecond }: UseRate) => wakeupsPerSecond;
    return [
      makeRow('an open way out: memory', 'kB', summarise(perDoor)),
      makeRow(`${DOORS} open ways out, idle: processor`, '% of a core', summarise(all.map(share))),
      makeRow('none open: processor', '% of a core', summarise(none.map(share))),
      makeRow(`${DOORS} open ways out, idle: wake-ups`, '1/s', summarise(all.map(wakeups))),
      makeRow('none open: wake-ups', '1/s', summarise(none.map(wakeups))),
    ];
  },
};

async function watch(pid: number, windows: number): Promise<UseRate[]> {
  const seen: UseRate[] = [];
  for (let window = 0; window < windows; window++) {
    const before = readUse(pid);
    await delay(WINDOW_MS);
    seen.push(since(before, readUse(pid)));
  }
  return seen;
}
