import { Button } from '@mantine/core';

interface MoreProps {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  label: string;
}

/** The way to older ones, when there are any. */
export function More({ query, label }: MoreProps) {
  if (!query.hasNextPage) return null;
  return (
    <Button
      mt={12}
      variant="default"
      size="xs"
      loading={query.isFetchingNextPage}
      onClick={() => query.fetchNextPage()}
    >
      {label}
    </Button>
  );
}
