/** `portolan dropped`: what was turned away at the door, and what agents were refused on their way out. */
import type { DroppedMessages, Page, Refusal } from '../client/types.ts';
import type { Context } from '../context.ts';
import { formatAge } from '../output/units.ts';
import { type ListOptions, printTable } from './page.ts';

export async function listDropped(context: Context, options: ListOptions): Promise<void> {
  const { api, style } = context;
  const [dropped, refused] = await Promise.all([api.listDropped(options.limit), api.listRefusals(options.limit)]);
  if (context.json) return context.printJson({ dropped, refused });
  context.print(style.bold('Dropped: messages of people that no agent heard'));
  printDropped(context, dropped);
  context.print(style.bold('\nRefused: what agents wanted and may not'));
  printRefused(context, refused);
}

function printDropped(context: Context, page: Page<DroppedMessages>): void {
  const now = context.terminal.now();
  printTable(
    context,
    page,
    [
      { title: 'LAST', value: (dropped) => formatAge(dropped.lastAt, now) },
      { title: 'TIMES', value: (dropped) => String(dropped.count), align: 'right' },
      { title: 'WHO', value: (dropped) => dropped.senderId, minColumns: 8 },
      { title: 'WHERE', value: (dropped) => `${dropped.channelType}/${dropped.platformId}`, minColumns: 10 },
      { title: 'WHY', value: (dropped) => dropped.why, minColumns: 16 },
    ],
    'Nothing was dropped.',
  );
}

function printRefused(context: Context, page: Page<Refusal>): void {
  const now = context.terminal.now();
  printTable(
    context,
    page,
    [
      { title: 'WHEN', value: (refusal) => formatAge(refusal.at, now) },
      { title: 'WHO', value: (refusal) => refusal.agentName ?? '–', minColumns: 6 },
      { title: 'WHERE', value: describePlace, minColumns: 10 },
      { title: 'WHY', value: (refusal) => refusal.reason, minColumns: 16 },
    ],
    'Nothing was refused.',
  );
}

/** The agent's own name for it, and the place that its row claimed. */
function describePlace({ destination, channelType, platformId }: Refusal): string {
  const place = channelType === null ? '' : `${channelType}/${platformId ?? ''}`;
  if (destination === null) return place === '' ? 'the host' : place;
  return place === '' ? destination : `${destination} (${place})`;
}
