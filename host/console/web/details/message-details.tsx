import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { fetchTrace } from '../client/api.ts';
import { describeDelivery } from '../conversation/delivery.ts';
import { administers, useMe } from '../sign-in/use-me.ts';
import { useConsoleState } from '../state/context.tsx';
import { formatFullTime } from '../style/time.ts';
import { UsageFacts } from '../usage/usage-facts.tsx';
import classes from './details.module.css';
import { CopyableId, Facts } from './facts.tsx';
import { Waterfalls } from './waterfall.tsx';
import { WhyOf } from './why.tsx';

interface MessageDetailsProps {
  sessionId: string;
  messageId: string;
  onMessage: (messageId: string) => void;
}

export function MessageDetails({ sessionId, messageId, onMessage }: MessageDetailsProps) {
  const message = useConsoleState((state) =>
    state.conversations.get(sessionId)?.messages.find((one) => one.id === messageId),
  );
  const trace = useQuery({
    queryKey: ['trace', messageId, message?.revision],
    queryFn: () => fetchTrace(messageId),
    staleTime: 0,
  });
  const agentId = useConsoleState((state) => state.sessions.byId.get(sessionId)?.agentId ?? null);
  const isAdmin = administers(useMe(), agentId);
  if (message === undefined) return <Text c="dimmed">This message is not on the page any more.</Text>;
  const inReplyTo = message.inReplyTo;
  return (
    <div className={classes.sections}>
      <Facts
        facts={[
          ['From', message.author.name || message.author.id],
          ['To', message.destination],
          ['When', formatFullTime(message.createdAt)],
          ['Edited', message.editedAt === null ? null : formatFullTime(message.editedAt)],
          ['State', describeDelivery(message)?.label ?? message.state],
          ['Reason', message.stateReason],
          [
            'Answers',
            inReplyTo === null ? null : (
              <button key="reply" type="button" className={classes.link} onClick={() => onMessage(inReplyTo)}>
                an earlier message
              </button>
            ),
          ],
          ['Id', <CopyableId key="id" id={message.id} />],
          ['Trace', <CopyableId key="trace" id={message.traceId} />],
        ]}
      />
      {message.usage !== null && (
        <section aria-label="What answering cost">
          <h3 className={classes.heading}>What answering it cost</h3>
          <UsageFacts usage={message.usage} />
        </section>
      )}
      {isAdmin && <WhyOf messageId={messageId} revision={message.revision} />}
      <section>
        <h3 className={classes.heading}>Its path</h3>
        {trace.isPending && <Loader size="xs" aria-label="Loading the trace" />}
        {trace.isError && (
          <Text size="sm" c="red">
            The trace could not be loaded.
          </Text>
        )}
        {trace.data !== undefined && <Waterfalls trace={trace.data} />}
      </section>
    </div>
  );
}
