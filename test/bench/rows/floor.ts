/** The floor: what the disk and the kernel take, whatever the host does. */
import { makeBenchHome } from '../bench-home.ts';
import { measureFloor } from '../floor.ts';
import type { Measurement } from '../measurement.ts';
import { makeRow, summarise } from '../report.ts';

export const floor: Measurement = {
  name: 'floor',
  async measure({ quick }) {
    using home = makeBenchHome();
    const laps = (await measureFloor(home.path, quick ? 200 : 1_000)).slice(20);
    return [
      makeRow('floor: commit, file event, read', 'ms', summarise(laps.map((lap) => lap.oneWayMs))),
      makeRow('floor: there and back', 'ms', summarise(laps.map((lap) => lap.roundTripMs))),
    ];
  },
};
