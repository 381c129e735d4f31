import { Text } from '@mantine/core';
import type { Problem } from '../client/fault.ts';

/** What the host said no to, and what helps; read out when it appears. */
export function ProblemText({ problem: { message, hint } }: { problem: Problem }) {
  return (
    <div role="alert">
      <Text size="sm" c="var(--bad)">
        {message}
      </Text>
      {hint !== null && (
        <Text size="sm" c="dimmed">
          {hint}
        </Text>
      )}
    </div>
  );
}
