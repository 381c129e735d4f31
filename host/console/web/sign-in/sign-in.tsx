import { Button, Code, Paper, Stack, Text, TextInput, Title } from '@mantine/core';
import type { FormEvent } from 'react';
import { useState } from 'react';
import type { Problem } from '../client/fault.ts';
import { Mark } from '../style/icons.tsx';
import classes from './sign-in.module.css';
import { parsePastedToken } from './use-access.ts';

export function SignIn({ problem, onToken }: { problem: Problem | null; onToken: (token: string) => void }) {
  const [pasted, setPasted] = useState('');
  const token = parsePastedToken(pasted);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (token !== '') onToken(token);
  }

  const away = problem?.hostAway === true;
  return (
    <main className={classes.page}>
      <Paper className={classes.card} component="form" onSubmit={submit} withBorder>
        <Stack gap="md">
          <Mark size={40} />
          <Title order={1} size="h3">
            {away ? 'The host is not running' : 'Sign in to Portolan'}
          </Title>
          {problem !== null && (
            <Text role="alert" className={classes.problem}>
              {away ? 'It did not answer. Start it, then try again.' : problem.message}
            </Text>
          )}
          {away ? (
            <Command text="npm run up" />
          ) : (
            <>
              <Text c="dimmed" size="sm">
                Each sign-in link works once. On the machine where Portolan runs, this prints a fresh one:
              </Text>
              <Command text="npx portolan url" />
              <TextInput
                label="Or paste the link, or its token"
                placeholder="http://127.0.0.1:4180/#token=…"
                autoComplete="off"
                spellCheck={false}
                data-autofocus
                value={pasted}
                onChange={(event) => setPasted(event.currentTarget.value)}
              />
            </>
          )}
          {away ? (
            <Button onClick={() => location.reload()}>Try again</Button>
          ) : (
            <Button type="submit" disabled={token === ''}>
              Sign in
            </Button>
          )}
        </Stack>
      </Paper>
    </main>
  );
}

function Command({ text }: { text: string }) {
  return (
    <Code block className={classes.command}>
      {text}
    </Code>
  );
}
