import { Button } from '@mantine/core';
import { Tone } from '../agents/tone.tsx';
import type { EgressEntry } from '../client/types.ts';
import { formatDuration, formatFullTime, formatMoment, formatSize } from '../style/time.ts';
import { useNow } from '../style/use-now.ts';
import classes from './egress.module.css';
import { describeOutcome, describePlace, mayBeAllowed } from './egress.ts';

interface RowsProps {
  rows: readonly EgressEntry[];
  nameOf: (agentId: string) => string;
  mayAllow: (agentId: string) => boolean;
  onAllow: (entry: EgressEntry) => void;
}

/** A table; on a phone each row is a card. */
export function Rows({ rows, nameOf, mayAllow, onAllow }: RowsProps) {
  return (
    <table className={classes.table}>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Agent</th>
          <th scope="col">What</th>
          <th scope="col">Outcome</th>
          <th scope="col">Bytes</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((entry) => (
          <Row
            key={entry.id}
            entry={entry}
            agentName={nameOf(entry.agentId)}
            onAllow={mayBeAllowed(entry) && mayAllow(entry.agentId) ? () => onAllow(entry) : null}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  entry: EgressEntry;
  agentName: string;
  /** Null: no rule would help, or this person may not. */
  onAllow: (() => void) | null;
}

function Row({ entry, agentName, onAllow }: RowProps) {
  const now = useNow();
  const { at, method, kind, rule, repeats, bytesIn, bytesOut, durationMs, outcome } = entry;
  const place = describePlace(entry);
  return (
    <tr data-entry={entry.id} data-outcome={outcome}>
      <td className={classes.when}>
        <time dateTime={new Date(at).toISOString()} title={formatFullTime(at)}>
          {formatMoment(at, now)}
        </time>
      </td>
      <td>{agentName}</td>
      <td className={classes.what}>
        <code>
          {method === '' ? kind : method} {place}
        </code>
        {repeats > 1 && <span className={classes.soft}> × {repeats.toLocaleString()}</span>}
      </td>
      <td>
        <div className={classes.outcome}>
          <Tone look={describeOutcome(entry)} />
          {rule !== null && <span className={classes.rule}>{nameRule(entry, rule)}</span>}
          {onAllow !== null && (
            <Button size="compact-xs" variant="default" aria-label={`Allow ${place}`} onClick={onAllow}>
              Allow…
            </Button>
          )}
        </div>
      </td>
      <td className={classes.bytes} title={`took ${formatDuration(durationMs)}`}>
        {bytesIn + bytesOut === 0 ? '–' : `↑ ${formatSize(bytesOut)} ↓ ${formatSize(bytesIn)}`}
      </td>
    </tr>
  );
}

/** Rules go by ids that say nothing: the place says more, and is there already. */
function nameRule({ kind }: EgressEntry, rule: string): string {
  if (kind === 'model') return `model service ${rule.replace(/^(model|service) /, '')}`;
  return rule.startsWith('rul_') ? 'by a rule' : rule;
}
