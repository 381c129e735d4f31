import { Button } from '@mantine/core';
import { useState } from 'react';
import { testProvider } from '../client/provider-api.ts';
import type { ProviderTest } from '../client/types.ts';
import { Next } from '../frame/next.tsx';
import page from '../frame/page.module.css';
import { useNotices } from '../style/notices.tsx';
import classes from './agents.module.css';
import { Tone } from './tone.tsx';

interface TestProviderProps {
  agentId: string;
  /** The answer, while what it was about holds. */
  test: ProviderTest | null;
  onTested: (test: ProviderTest | null) => void;
}

/** One real call through the whole path, and what came of it in plain words. */
export function TestProvider({ agentId, test, onTested }: TestProviderProps) {
  const notices = useNotices();
  const [isTesting, setIsTesting] = useState(false);

  function run() {
    setIsTesting(true);
    onTested(null);
    notices.attempt(async () => {
      try {
        onTested(await testProvider(agentId));
      } finally {
        setIsTesting(false);
      }
    });
  }

  return (
    <>
      <Button
        size="xs"
        loading={isTesting}
        title="One real call to the model, which its service may charge"
        onClick={run}
      >
        Test
      </Button>
      <div className={classes.answer} role="status">
        {isTesting && <span className={page.soft}>Asking the model, through all that a message goes through…</span>}
        {test !== null && <Answer test={test} />}
      </div>
    </>
  );
}

function Answer({ test: { ok, text, said, next, models } }: { test: ProviderTest }) {
  return (
    <div data-test={ok ? 'ok' : 'failed'}>
      <Tone look={ok ? { label: 'It works.', tone: 'good' } : { label: 'It does not work.', tone: 'bad' }} />
      <p className={classes.reason}>{text}</p>
      {said !== null && (
        <>
          <p className={page.soft}>In the server’s own words:</p>
          <pre className={page.raw}>{said}</pre>
        </>
      )}
      {models.length > 0 && <p className={classes.reason}>It has: {models.join(', ')}</p>}
      {next !== null && <Next next={next} />}
    </div>
  );
}
