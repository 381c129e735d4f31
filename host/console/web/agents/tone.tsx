import type { Look } from './agent.ts';
import classes from './agents.module.css';

export function Tone({ look }: { look: Look }) {
  return (
    <span className={classes.tone} data-tone={look.tone}>
      {look.label}
    </span>
  );
}
