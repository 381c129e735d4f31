/** What answering messages cost, as the API says it. */
import type { MessageId } from '../../../shared/ids.ts';
import type { ApiParts } from './ports.ts';
import type { Message } from './schemas.ts';

/** Of each of these messages that came in, what answering it cost. */
export function presentUsage(
  ids: readonly MessageId[],
  { modelCalls }: Pick<ApiParts, 'modelCalls'>,
): Map<MessageId, NonNullable<Message['usage']>> {
  return new Map(
    [...modelCalls.ofMessages(ids)].map(([id, sum]) => [
      id,
      { ...sum, costNanousd: sum.unpricedCalls === sum.calls ? null : sum.costNanousd },
    ]),
  );
}
