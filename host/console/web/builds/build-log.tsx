import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { followBuildLog } from '../client/build-log.ts';
import { describeProblem } from '../client/fault.ts';
import classes from './builds.module.css';

/** Lines shown. Higher: a long log slows the page. Lower: less to scroll back to. */
const MAX_LINES = 2_000;
/** From the end of the log, within which it goes on with it. */
const NEAR_END_PX = 30;

/** A build's log, followed while it runs. `onEnd`: it has ended, once. */
export function BuildLog({ buildId, onEnd }: { buildId: string; onEnd: () => void }) {
  const { lines, end, problem } = useLog(buildId, onEnd);
  const box = useRef<HTMLPreElement>(null);
  const atEnd = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: goes on when there are more lines
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <>
      <pre
        ref={box}
        className={classes.log}
        role="log"
        aria-label="Build log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: it }) => {
          atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < NEAR_END_PX;
        }}
      >
        {lines.join('\n')}
        {lines.length === 0 && (end === null ? 'Waiting for its first line…' : 'It printed nothing.')}
      </pre>
      {problem !== null && (
        <p role="alert" className={classes.problem}>
          {problem}
        </p>
      )}
    </>
  );
}

function useLog(buildId: string, onEnd: () => void) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [end, setEnd] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const told = useRef(onEnd);
  told.current = onEnd;
  useEffect(() => {
    const left = new AbortController();
    setLines([]);
    setEnd(null);
    const reader = {
      onLines: (more: readonly string[]) => setLines((all) => [...all, ...more].slice(-MAX_LINES)),
      onEnd(state: string) {
        setEnd(state);
        told.current();
      },
    };
    followBuildLog(buildId, reader, left.signal).catch((error: unknown) => setProblem(describeProblem(error).message));
    return () => left.abort();
  }, [buildId]);
  return { lines, end, problem };
}
