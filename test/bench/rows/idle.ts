/**
 * Ten thousand sessions and nothing to do: the whole host program, API and all, as operators run it.
 *
 * Every session is real: its rows in central.db (chat, wiring, destination, session, two messages) and its
 * folder with both databases.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { FILE_NAMES } from '../../../shared/session-files.ts';
import { makeBenchHome } from '../bench-home.ts';
import { HostProgram } from '../host-program.ts';
import type { Measurement } from '../measurement.ts';
import { listListeningSockets, readUse, since } from '../process-use.ts';
import { makeCountRow, makeRow, summarise } from '../report.ts';
import { seedSessions } from '../seed-sessions.ts';

const SESSIONS = 10_000;
/** After the start: compilers and garbage of the start itself. */
const SETTLE_MS = 5_000;
const WINDOW_MS = 5_000;

export const idle: Measurement = {
  name: 'idle',
  async measure({ quick, tell }) {
    using home = makeBenchHome();
    tell(`making ${SESSIONS} sessions`);
    seedSessions(home.path, SESSIONS, (count) => tell(`${count} sessions made`));
    const starts: number[] = [];
    for (let start = 0; start < (quick ? 2 : 7); start++) {
      await using host = await HostProgram.start(home.path);
      starts.push(host.readyMs);
    }
    await using host = await HostProgram.start(home.path);
    starts.push(host.readyMs);
    await delay(SETTLE_MS);
    const windows = quick ? 4 : 12;
    tell(`watching it do nothing for ${(windows * WINDOW_MS) / 1_000} s`);
    const [shares, wakeups, memory]: [number[], number[], number[]] = [[], [], []];
    for (let window = 0; window < windows; window++) {
      const before = readUse(host.pid);
      await delay(WINDOW_MS);
      const used = since(before, readUse(host.pid));
      shares.push(used.coreShare * 100);
      wakeups.push(used.wakeupsPerSecond);
      memory.push(used.memoryBytes / 1e6);
    }
    // None of them has a container.
    const waysOut = listListeningSockets(host.pid).filter((path) => path.includes(FILE_NAMES.gateway)).length;
    const name = `${SESSIONS} sessions, idle`;
    return [
      makeRow(`${name}: processor`, '% of a core', summarise(shares), { p50: { atMost: 0.3 } }),
      makeRow(`${name}: wake-ups`, '1/s', summarise(wakeups)),
      makeRow(`${name}: memory`, 'MB', summarise(memory), { p99: { atMost: 150 } }),
      makeRow(`${name}: ready after`, 'ms', summarise(starts), { p95: { atMost: 1_000 } }),
      makeCountRow(`${name}: ways out that are open`, 'sockets', waysOut, 0),
    ];
  },
};
