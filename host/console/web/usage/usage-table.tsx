import type { UsageReport, UsageRow, UsageSum } from '../client/types.ts';
import page from '../frame/page.module.css';
import classes from './usage.module.css';
import { cachedTokens, describeCost, formatTokens } from './words.ts';

const HEADS: Readonly<Record<UsageReport['by'], string>> = {
  day: 'Day',
  agent: 'Agent',
  model: 'Model',
  person: 'Person',
  session: 'Chat',
};

/** A line for each of a group, with its share, and the sum below. */
export function UsageTable({ report, onAgent }: { report: UsageReport; onAgent: (id: string) => void }) {
  const { by, items, sum } = report;
  const largest = Math.max(...items.map(weigh), 1);
  return (
    <section
      className={classes.scroller}
      style={{ marginTop: 14 }}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling area must be reachable by keyboard
      tabIndex={0}
      aria-label={`By ${HEADS[by].toLowerCase()}`}
    >
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">{HEADS[by]}</th>
            <th scope="col" className={classes.wide}>
              Calls
            </th>
            <th scope="col">In</th>
            <th scope="col" className={classes.wide}>
              Cached
            </th>
            <th scope="col">Out</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {items.map((row) => (
            <tr key={row.key} data-key={row.key}>
              <th scope="row">
                {by === 'agent' ? (
                  <button type="button" className={`${classes.line} ${page.link}`} onClick={() => onAgent(row.key)}>
                    {row.name}
                  </button>
                ) : (
                  row.name || 'nobody known'
                )}
                <i className={classes.share} style={{ width: `${(weigh(row) / largest) * 100}%` }} aria-hidden="true" />
              </th>
              <Numbers sum={row} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr data-key="sum">
            <th scope="row">All</th>
            <Numbers sum={sum} />
          </tr>
        </tfoot>
      </table>
    </section>
  );
}

function Numbers({ sum }: { sum: UsageSum }) {
  return (
    <>
      <td className={classes.wide}>{formatTokens(sum.calls)}</td>
      <td>{formatTokens(sum.inputTokens)}</td>
      <td className={classes.wide}>{formatTokens(cachedTokens(sum))}</td>
      <td>{formatTokens(sum.outputTokens)}</td>
      <td>{describeCost(sum)}</td>
    </>
  );
}

/** By tokens: costs are not known of all. */
function weigh(row: UsageRow): number {
  return row.inputTokens + row.outputTokens + cachedTokens(row);
}
