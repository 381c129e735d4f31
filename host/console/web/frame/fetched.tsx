import { Button, Skeleton, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { describeProblem } from '../client/fault.ts';

interface FetchedProps<T> {
  query: { data: T | undefined; error: unknown; refetch: () => unknown };
  /** What is fetched, in the plural: “The builds could not be loaded”. */
  what: string;
  children: (data: T) => ReactNode;
}

/** What was asked of the host: loading, not to be had with a way to ask again, or there. */
export function Fetched<T>({ query, what, children }: FetchedProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) {
    const { message, hint } = describeProblem(query.error);
    return (
      <div role="alert">
        <Text size="sm">The {what} could not be loaded.</Text>
        <Text size="sm" c="dimmed" mb={8}>
          {[message, hint].filter(Boolean).join('. ')}
        </Text>
        <Button variant="light" size="xs" onClick={() => query.refetch()}>
          Try again
        </Button>
      </div>
    );
  }
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      <Skeleton height={14} width="58%" mb={10} />
      <Skeleton height={14} width="82%" mb={10} />
      <Skeleton height={14} width="44%" />
    </div>
  );
}
