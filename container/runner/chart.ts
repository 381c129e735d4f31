/** The live chart: an admin's change holds for the next send, without a restart. */
import { readFileSync, statSync } from 'node:fs';
import { type Chart, chartSchema, type Destination, EMPTY_CHART } from '../../shared/protocol.ts';
import { describeError, log } from './log.ts';
import { isAt, type Route } from './message.ts';

export class LiveChart {
  readonly #path: string;
  #seen = '';
  /** Without a chart nobody can be reached: absence of policy denies. */
  #chart: Chart = EMPTY_CHART;

  constructor(path: string) {
    this.#path = path;
  }

  /** The chart as it is now; one `stat` when nothing changed. An unreadable new one keeps the last good one. */
  read(): Chart {
    try {
      const stat = statSync(this.#path, { bigint: true });
      const seen = `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
      if (seen !== this.#seen) {
        this.#seen = seen;
        this.#chart = chartSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
      }
    } catch (error) {
      // Not fatal: the host decides every send again from its own table.
      log.warn('chart cannot be read, keeping the last good one', { error: describeError(error) });
    }
    return this.#chart;
  }
}

/**
 * The destination of this name, or the one that used to have it: what was read before a rename is answered
 * after it. A current name wins. Models write `Family` for `family`.
 */
export function findDestination(chart: Chart, name: string): Destination | null {
  const wanted = name.trim().toLowerCase();
  const { destinations } = chart;
  const current = destinations.find((destination) => destination.name === wanted);
  return current ?? destinations.find(({ formerNames }) => formerNames.includes(wanted)) ?? null;
}

/** Reverse look-up: the destination that a message came from. */
export function findOrigin(chart: Chart, route: Omit<Route, 'threadId'>): Destination | null {
  return chart.destinations.find((destination) => isAt(route, destination)) ?? null;
}

export function listNames(chart: Chart): string {
  return chart.destinations.map((destination) => destination.name).join(', ') || 'nobody';
}
