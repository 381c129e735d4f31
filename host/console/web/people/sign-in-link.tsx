import { Button, Text } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useEffect, useRef, useState } from 'react';
import { createSignInLink } from '../client/admin-api.ts';
import { describeProblem } from '../client/fault.ts';
import type { SignInLink } from '../client/types.ts';
import { Dialog } from '../frame/dialog.tsx';
import { formatMoment } from '../style/time.ts';
import classes from './people.module.css';

/** A fresh link that signs somebody in once: shown here, and never again. */
export function SignInLinkDialog({ userId, name, onClose }: { userId: string; name: string; onClose: () => void }) {
  const [link, setLink] = useState<SignInLink | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { copied, copy } = useClipboard({ timeout: 2_000 });
  const isAsked = useRef(false);
  useEffect(() => {
    // One link, not one for each time that this is drawn.
    if (isAsked.current) return;
    isAsked.current = true;
    createSignInLink(userId)
      .then(setLink)
      .catch((error: unknown) => setProblem(describeProblem(error).message));
  }, [userId]);
  return (
    <Dialog onClose={onClose} title={`Sign-in link for ${name}`}>
      {problem !== null && (
        <Text role="alert" size="sm" c="red">
          {problem}
        </Text>
      )}
      {link !== null && (
        <div className={classes.fields}>
          <Text size="sm">
            Whoever opens it first is {name} here. It works once, until {formatMoment(link.expiresAt, Date.now())}, and
            is not shown again.
          </Text>
          <code className={classes.url}>{link.url}</code>
          <Button variant="light" onClick={() => copy(link.url)}>
            {copied ? 'Copied' : 'Copy the link'}
          </Button>
        </div>
      )}
    </Dialog>
  );
}
