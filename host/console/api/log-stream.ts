/**
 * A build's log as server-sent events: `line` for each, its number as the id, then `end` with the build's state.
 *
 * I1. A reader that names the last number it saw hears what comes after it; what was left out is skipped.
 * I2. A slow reader costs nothing: it is given more when it has taken what it has.
 * I3. Who may not read it any more hears nothing more: the stream ends without a word.
 */
import type { BuildLog, LogLine } from '../../images/log.ts';
import { HEARTBEAT_MS } from './limits.ts';

/** Lines handed over at once. Higher: one reader takes the processor for long. Lower: more turns. */
const LINES_AT_ONCE = 200;

const encoder = new TextEncoder();

/** Of a build that runs. `mayRead` is asked before each piece, `describeEnd` when it has ended. */
export function followLog(
  log: BuildLog,
  after: number,
  { describeEnd, mayRead }: { describeEnd: () => object; mayRead: () => boolean },
): ReadableStream<Uint8Array> {
  let seen = after;
  return new ReadableStream(
    {
      async pull(controller) {
        let lines = log.read(seen, LINES_AT_ONCE);
        if (lines.length === 0 && !log.isEnded) {
          await orHeartbeat(log.changed());
          lines = log.read(seen, LINES_AT_ONCE);
        }
        seen = lines.at(-1)?.number ?? seen;
        // I3
        if (!mayRead()) controller.close();
        else if (lines.length > 0) controller.enqueue(formatLines(lines));
        else if (!log.isEnded) controller.enqueue(encoder.encode(':\n\n'));
        else {
          controller.enqueue(formatEnd(describeEnd()));
          controller.close();
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/** Of a build that has ended: its file. */
export function replayLog(text: string, after: number, end: object): ReadableStream<Uint8Array> {
  const lines = numberLines(text).filter(({ number }) => number > after);
  return new ReadableStream({
    start(controller) {
      if (lines.length > 0) controller.enqueue(formatLines(lines));
      controller.enqueue(formatEnd(end));
      controller.close();
    },
  });
}

/** The lines of a log's file by their numbers: those that were left out are counted. */
function numberLines(text: string): LogLine[] {
  let number = 0;
  return text
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const left = /^… (\d{1,9}) lines are left out here …$/.exec(line)?.[1];
      number += left === undefined ? 1 : Number(left);
      return [{ number, text: line }];
    });
}

function formatLines(lines: readonly LogLine[]): Uint8Array {
  return encoder.encode(
    lines.map(({ number, text }) => `id: ${number}\nevent: line\ndata: ${JSON.stringify({ text })}\n\n`).join(''),
  );
}

function formatEnd(end: object): Uint8Array {
  return encoder.encode(`event: end\ndata: ${JSON.stringify(end)}\n\n`);
}

async function orHeartbeat(change: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const beat = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, HEARTBEAT_MS);
  });
  await Promise.race([change, beat]);
  clearTimeout(timer);
}
