import { Text } from '@mantine/core';
import headings from '../details/details.module.css';
import { Fetched } from '../frame/fetched.tsx';
import { UsageFacts } from './usage-facts.tsx';
import { useUsage } from './use-usage.ts';

/** Single calls are kept so long: a conversation's sum reaches no further back. */
const KEPT_DAYS = 90;

/** What all messages of a conversation cost together. */
export function ConversationUsage({ sessionId }: { sessionId: string }) {
  const usage = useUsage({ by: 'model', days: KEPT_DAYS, session: sessionId });
  return (
    <section aria-label="What this chat cost">
      <h3 className={headings.heading}>What it cost</h3>
      <Fetched query={usage} what="sums">
        {({ sum }) =>
          sum.calls === 0 ? (
            <Text size="sm" c="dimmed">
              No model was asked in the last {KEPT_DAYS} days.
            </Text>
          ) : (
            <UsageFacts usage={{ ...sum, costNanousd: sum.unpricedCalls === sum.calls ? null : sum.costNanousd }} />
          )
        }
      </Fetched>
    </section>
  );
}
