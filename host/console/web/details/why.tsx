import { Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { fetchWhy } from '../client/admin-api.ts';
import { Next } from '../frame/next.tsx';
import { formatFullTime, formatMoment } from '../style/time.ts';
import classes from './details.module.css';

/** What allowed or refused a message, who decided that, and when; in words. For admins of its agent. */
export function WhyOf({ messageId, revision }: { messageId: string; revision: number }) {
  const why = useQuery({ queryKey: ['why', messageId, revision], queryFn: () => fetchWhy(messageId), staleTime: 0 });
  return (
    <section aria-label="Why">
      <h3 className={classes.heading}>Why</h3>
      {why.isPending && <Loader size="xs" aria-label="Loading why" />}
      {why.isError && (
        <Text size="sm" c="red">
          It could not be loaded.
        </Text>
      )}
      {why.data !== undefined && (
        <>
          <Text size="sm">{why.data.answer}</Text>
          <ol className={classes.why}>
            {why.data.steps.map(({ position, at, text, sort }) => (
              <li key={position} data-sort={sort}>
                <time dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
                  {formatMoment(at, Date.now())}
                </time>
                <span>{text}</span>
              </li>
            ))}
          </ol>
          {why.data.unknown.map((text) => (
            <Text key={text} size="xs" c="dimmed">
              {text}
            </Text>
          ))}
          {why.data.next.length > 0 && (
            <>
              <Text size="xs" c="dimmed" mt={6}>
                To change it:
              </Text>
              {why.data.next.map((next) => (
                <Next key={next} next={next} />
              ))}
            </>
          )}
        </>
      )}
    </section>
  );
}
