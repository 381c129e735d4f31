/** `portolan trace`: where the time of one message went, as a waterfall. */
import { STAGES } from '../../../shared/trace.ts';
import type { TraceStage } from '../client/types.ts';
import type { Context } from '../context.ts';
import { findMessage } from '../find.ts';
import { oneLine, truncate } from '../output/text.ts';
import { formatWaterfall } from '../output/waterfall.ts';

export async function showTrace(context: Context, id: string): Promise<void> {
  const message = await findMessage(context.api, id);
  const trace = await context.api.readTrace(message.id);
  if (context.json) return context.printJson(trace);
  const { style, terminal } = context;
  const columns = terminal.isInteractive ? terminal.columns() : 100;
  const draw = (stages: TraceStage[]): string => formatWaterfall(stages, STAGES, style, columns);
  context.print(`${style.bold(message.id)}  ${truncate(oneLine(message.text), Math.max(10, columns - 30))}`);
  context.print(style.dim(`${message.traceId}, ${message.state}`));
  // A reply's path holds the stages of its question: alone, the question would look stuck before the last two.
  if (trace.replies.length === 0) context.print(draw(trace.stages));
  for (const reply of trace.replies) {
    context.print(
      `\n${style.bold(`reply ${reply.id}`)}${reply.destination === null ? '' : ` → ${oneLine(reply.destination)}`}`,
    );
    context.print(draw(reply.stages));
  }
}
