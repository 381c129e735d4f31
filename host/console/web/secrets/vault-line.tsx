import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { useRef, useState } from 'react';
import { Tone } from '../agents/tone.tsx';
import { describeProblem, type Problem } from '../client/fault.ts';
import { findNextStep } from '../client/next-step.ts';
import { lockVault, unlockVault } from '../client/secret-api.ts';
import type { Vault } from '../client/types.ts';
import { DialogForm } from '../frame/dialog-form.tsx';
import { Fetched } from '../frame/fetched.tsx';
import page from '../frame/page.module.css';
import { ProblemText } from '../frame/problem-text.tsx';
import { describeVault } from './secret.ts';
import { SecretInput, takeSecret } from './secret-input.tsx';
import classes from './secrets.module.css';
import { useVault, VAULT } from './use-secrets.ts';

/** How the vault is, and the way to open one that is locked. */
export function VaultLine() {
  const vault = useVault();
  return (
    <section className={page.card} aria-label="Vault">
      <Fetched query={vault} what="vault’s state">
        {(data) => (
          <div className={classes.vault} data-vault={data.state}>
            <b>Vault</b>
            <Tone look={describeVault(data)} />
            {data.keyId !== null && <code className={page.soft}>key {data.keyId}</code>}
            {data.state === 'unusable' && data.why !== null && <p className={page.soft}>{data.why}</p>}
            {data.next !== null && findNextStep(data.next).to !== '/secrets' && (
              <p className={page.soft}>
                Or type: <code className={page.code}>{data.next}</code>
              </p>
            )}
            {data.state === 'open' && data.source === 'passphrase' && <Lock />}
            {(data.state === 'locked' || data.state === 'unusable') && <Unlock vault={data} />}
          </div>
        )}
      </Fetched>
    </section>
  );
}

function Lock() {
  const queries = useQueryClient();
  const [isAsking, setIsAsking] = useState(false);

  async function lock() {
    queries.setQueryData(VAULT, await lockVault());
  }

  return (
    <>
      <Button variant="default" onClick={() => setIsAsking(true)}>
        Lock …
      </Button>
      {isAsking && (
        <DialogForm
          title="Lock the vault?"
          action="Lock"
          isRemoval
          work={lock}
          touches={[VAULT, ['agents']]}
          onClose={() => setIsAsking(false)}
        >
          <p>
            Models and services get no secret until an owner types the passphrase here. Requests under way go on;
            messages to agents that think with one wait.
          </p>
        </DialogForm>
      )}
    </>
  );
}

function Unlock({ vault }: { vault: Vault }) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [isFilled, setIsFilled] = useState(false);
  const [isSending, setIsSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const needsPassphrase = vault.state === 'locked';

  async function unlock() {
    setIsSending(true);
    setProblem(null);
    try {
      queries.setQueryData(VAULT, await unlockVault(needsPassphrase ? takeSecret(input) : null));
    } catch (error) {
      setProblem(describeProblem(error));
    } finally {
      setIsFilled(false);
      setIsSending(false);
    }
    await queries.invalidateQueries({ queryKey: ['agents'] });
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!isSending) unlock().catch((error: unknown) => reportError(error));
  }

  return (
    <form onSubmit={submit} autoComplete="off">
      {needsPassphrase && <SecretInput label="Passphrase" input={input} onFilled={setIsFilled} />}
      <Button type="submit" loading={isSending} disabled={needsPassphrase && !isFilled}>
        {needsPassphrase ? 'Unlock' : 'Look again'}
      </Button>
      {problem !== null && (
        <div className={classes.problem}>
          <ProblemText problem={problem} />
        </div>
      )}
    </form>
  );
}
