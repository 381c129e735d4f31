/** Tables for people: aligned, cut to the width of the screen, never wrapped. */
import type { Paint, Style } from './style.ts';
import { displayWidth, oneLine, pad, truncate } from './text.ts';

export interface Column<Row> {
  title: string;
  value(row: Row): string;
  align?: 'left' | 'right';
  /** Colour of a cell, chosen by its row; applied after cutting, so that it takes no room. */
  paint?(row: Row): Paint;
  /** Narrowest this column may be cut to. Without it the column is never cut. */
  minColumns?: number;
}

const GAP = 2;

/**
 * Formats rows under their titles, one line each, no newline at the end.
 * `columns` null means as wide as it takes. When the fixed columns alone are too wide, lines overflow.
 */
export function formatTable<Row>(
  rows: readonly Row[],
  table: readonly Column<Row>[],
  style: Style,
  columns: number | null,
): string {
  const cells = rows.map((row) => table.map((column) => oneLine(column.value(row))));
  const natural = table.map((column, at) =>
    Math.max(displayWidth(column.title), ...cells.map((line) => displayWidth(line[at] ?? ''))),
  );
  const widths = columns === null ? natural : planWidths(natural, table, columns);
  const formatLine = (line: readonly string[], paintOf: (at: number) => Paint): string =>
    table
      .map((column, at) => {
        const width = widths[at] ?? 0;
        const cut = truncate(line[at] ?? '', width);
        const painted = paintOf(at)(cut);
        // The last column is not padded: trailing spaces only make lines wrap.
        const isLast = at === table.length - 1 && column.align !== 'right';
        return isLast ? painted : pad(painted, width, column.align);
      })
      .join(' '.repeat(GAP));
  const header = formatLine(
    table.map((column) => column.title),
    () => style.dim,
  );
  const body = rows.map((row, index) =>
    formatLine(cells[index] ?? [], (at) => table[at]?.paint?.(row) ?? ((text) => text)),
  );
  return [header, ...body].join('\n');
}

/** Takes columns away from the widest cuttable column until the line fits or nothing is left to cut. */
function planWidths<Row>(natural: readonly number[], table: readonly Column<Row>[], columns: number): number[] {
  const widths = [...natural];
  const floor = table.map((column, at) => Math.min(natural[at] ?? 0, column.minColumns ?? Number.POSITIVE_INFINITY));
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1) - columns;
  while (excess > 0) {
    let widest = -1;
    for (let at = 0; at < widths.length; at++) {
      const room = (widths[at] ?? 0) - (floor[at] ?? 0);
      if (room > 0 && (widest < 0 || (widths[at] ?? 0) > (widths[widest] ?? 0))) widest = at;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
}

/** `label  value` lines with aligned values. */
export function formatFields(fields: readonly (readonly [label: string, value: string])[], style: Style): string {
  const width = Math.max(...fields.map(([label]) => displayWidth(label)));
  return fields.map(([label, value]) => `${style.dim(pad(label, width))}  ${value}`).join('\n');
}
