import { Button, Group } from '@mantine/core';
import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { useState } from 'react';
import { ApiFault, describeProblem, type Problem } from '../client/fault.ts';
import classes from './dialog.module.css';
import { Dialog } from './dialog.tsx';
import { ProblemText } from './problem-text.tsx';

interface DialogFormProps {
  title: string;
  /** On the button. */
  action: string;
  /** It takes something away. */
  isRemoval?: boolean;
  /** Whether what is filled in can be sent. */
  isReady?: boolean;
  /** What the host said no to is shown, and the dialog stays. */
  work: () => Promise<unknown>;
  /** What is fetched again when it is done, or was refused for what has changed. */
  touches: readonly QueryKey[];
  onClose: () => void;
  /** Whether what the host said no to is about one field, and is shown there. */
  placeFault?: (fault: ApiFault) => boolean;
  /** When the host did it; without it the dialog closes then. */
  onDone?: () => void;
  children: ReactNode;
}

/** A question with fields, or none: closes when the host did it, and says why it did not. */
export function DialogForm({ title, action, work, touches, onClose, children, ...rest }: DialogFormProps) {
  const { isRemoval = false, isReady = true, onDone = onClose, placeFault } = rest;
  const queries = useQueryClient();
  const [isSending, setIsSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function send() {
    setIsSending(true);
    setProblem(null);
    const refetch = () => Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
    try {
      await work();
    } catch (error) {
      const isPlaced = error instanceof ApiFault && placeFault?.(error) === true;
      if (!isPlaced) setProblem(describeProblem(error));
      setIsSending(false);
      await refetch();
      return;
    }
    // Before it closes: what opened it may go with what was removed, and the focus would go along.
    await refetch();
    onDone();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isSending && isReady) send().catch((error: unknown) => reportError(error));
  }

  return (
    <Dialog onClose={onClose} title={title}>
      <form onSubmit={submit} className={classes.fields} autoComplete="off">
        {children}
        {problem !== null && <ProblemText problem={problem} />}
        <Group mt={4} justify="flex-end">
          <Button variant="subtle" color="gray" disabled={isSending} onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={isSending} disabled={!isReady} {...(isRemoval ? { color: 'red' } : {})}>
            {action}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}
