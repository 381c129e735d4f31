/**
 * `npm run bench`: how fast the host is, from a channel's `receive` to its `send`, through real containers.
 *
 *   --json         rows of { name, unit, p50, p95, p99, aim, met } instead of the table
 *   --only <name>  one measurement (may be repeated)
 *   --quick        fewer samples
 *
 * The output is the result alone; progress goes to the error stream. A missed aim is no failure: it says so.
 */
import { parseArgs } from 'node:util';
import { errorCode } from '../../host/config/errors.ts';
import { CALLER_ARGUMENT, runCaller } from './caller.ts';
import { DOORS_ARGUMENT, runDoors } from './doors.ts';
import { FLOOR_ARGUMENT, runFloorAnswerer } from './floor.ts';
import type { Measurement } from './measurement.ts';
import { MODEL_ARGUMENT, runModel } from './model-program.ts';
import { formatTable, type Row } from './report.ts';
import { burst } from './rows/burst.ts';
import { cold } from './rows/cold.ts';
import { doors } from './rows/doors.ts';
import { floor } from './rows/floor.ts';
import { gateway } from './rows/gateway.ts';
import { hang } from './rows/hang.ts';
import { idle } from './rows/idle.ts';
import { past } from './rows/past.ts';
import { paused } from './rows/paused.ts';
import { turn } from './rows/turn.ts';
import { warm } from './rows/warm.ts';

const MEASUREMENTS: readonly Measurement[] = [
  ...[floor, warm, paused, cold, burst, past, hang, idle],
  ...[gateway, turn, doors],
];

/** What other processes of a measurement do: this program, with one of these as its first argument. */
const ROLES: ReadonlyMap<string, (folder: string) => Promise<void>> = new Map([
  [FLOOR_ARGUMENT, runFloorAnswerer],
  [MODEL_ARGUMENT, runModel],
  [CALLER_ARGUMENT, runCaller],
  [DOORS_ARGUMENT, runDoors],
]);

/** For a mistake in the arguments. */
const EXIT_USAGE = 2;

async function run(): Promise<number> {
  const role = ROLES.get(process.argv[2] ?? '');
  if (role !== undefined) {
    await role(process.argv[3] ?? '');
    return 0;
  }
  const values = readArguments();
  if (typeof values === 'string') {
    process.stderr.write(`${values}\n`);
    return EXIT_USAGE;
  }
  const names = MEASUREMENTS.map((one) => one.name);
  const unknown = values.only.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no measurement "${unknown}". There are: ${names.join(', ')}.\n`);
    return EXIT_USAGE;
  }
  const chosen = MEASUREMENTS.filter((one) => values.only.length === 0 || values.only.includes(one.name));
  const rows: Row[] = [];
  for (const measurement of chosen) {
    const tell = (line: string) => process.stderr.write(`${measurement.name}: ${line}\n`);
    tell('measuring');
    rows.push(...(await measurement.measure({ quick: values.quick, tell })));
  }
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${formatTable(rows)}\n`);
  return 0;
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
      },
    }).values;
  } catch (error) {
    if (!errorCode(error).startsWith('ERR_PARSE_ARGS_')) throw error;
    return error instanceof Error ? error.message : 'the arguments cannot be read';
  }
}

process.exitCode = await run();
