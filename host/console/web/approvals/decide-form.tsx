import { Button, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { decideApproval } from '../client/admin-api.ts';
import { ApiFault } from '../client/fault.ts';
import type { Approval } from '../client/types.ts';
import { ME } from '../sign-in/use-me.ts';
import { useNotices } from '../style/notices.tsx';
import { plain } from '../style/words.tsx';
import classes from './approvals.module.css';
import { refetchApprovals } from './use-approvals.ts';

/** Longest reason that the host takes. */
const MAX_NOTE = 500;

/** A button for each option. What approves is decided at once; what does not may be given a reason first. */
export function DecideForm({ approval, isOver }: { approval: Approval; isOver: boolean }) {
  const notices = useNotices();
  const queries = useQueryClient();
  const [sending, setSending] = useState<string | null>(null);
  const [rejecting, setRejecting] = useState<string | null>(null);
  const buttons = useRef<HTMLDivElement>(null);

  async function decide(choice: string, note: string | null) {
    setSending(choice);
    try {
      await decideApproval(approval.id, { choice, note });
    } catch (error) {
      // Somebody lost the role a moment ago: what else is shown to them may be no more theirs, too.
      if (error instanceof ApiFault && error.status === 403) await queries.invalidateQueries({ queryKey: ME });
      throw error;
    } finally {
      // Also when it was refused: it was decided, or asked anew, meanwhile.
      await refetchApprovals(queries);
      setSending(null);
      keepFocus();
    }
  }

  function cancel() {
    const again = rejecting;
    setRejecting(null);
    // After the buttons are back.
    requestAnimationFrame(() =>
      buttons.current?.querySelector<HTMLElement>(`[data-option="${CSS.escape(again ?? '')}"]`)?.focus(),
    );
  }

  if (rejecting !== null) {
    return (
      <ReasonForm
        choice={rejecting}
        isSending={sending !== null}
        onCancel={cancel}
        onDecide={(note) => notices.attempt(() => decide(rejecting, note))}
      />
    );
  }
  return (
    <div className={classes.options} ref={buttons}>
      {approval.options.map(({ text, approves }) => (
        <Button
          key={text}
          data-option={text}
          size="sm"
          variant={approves ? 'filled' : 'default'}
          aria-label={`${text}: ${plain(approval.title)}`}
          disabled={isOver || (sending !== null && sending !== text)}
          loading={sending === text}
          onClick={() => (approves ? notices.attempt(() => decide(text, null)) : setRejecting(text))}
        >
          {text}
        </Button>
      ))}
    </div>
  );
}

/** The card moves on, and its buttons with it: whoever goes by keyboard stays on the page. */
function keepFocus() {
  requestAnimationFrame(() => {
    if (document.activeElement === document.body) document.getElementById('content')?.focus({ preventScroll: true });
  });
}

interface ReasonFormProps {
  choice: string;
  isSending: boolean;
  onCancel: () => void;
  onDecide: (note: string | null) => void;
}

function ReasonForm({ choice, isSending, onCancel, onDecide }: ReasonFormProps) {
  const [reason, setReason] = useState('');
  function submit(event: FormEvent) {
    event.preventDefault();
    onDecide(reason.trim() === '' ? null : reason.trim());
  }
  return (
    <form className={classes.reason} onSubmit={submit} onKeyDown={(event) => event.key === 'Escape' && onCancel()}>
      <TextInput
        label="Why"
        description="Whoever asked is told."
        placeholder="optional"
        data-autofocus
        autoFocus
        maxLength={MAX_NOTE}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className={classes.options}>
        <Button type="submit" size="sm" color="red" loading={isSending}>
          {choice}
        </Button>
        <Button size="sm" variant="subtle" color="gray" disabled={isSending} onClick={onCancel}>
          Back
        </Button>
      </div>
    </form>
  );
}
