/** How a list is printed: the same for all commands that list. */
import type { Page } from '../client/types.ts';
import type { Context } from '../context.ts';
import { shortenIds } from '../match.ts';
import { type Column, formatTable } from '../output/table.ts';

export interface ListOptions {
  limit: number;
}

/** Prints a page: the API's own shape for scripts, else a table, or `empty` and what to type next. */
export function printPage<T>(context: Context, page: Page<T>, columns: readonly Column<T>[], empty: string): void {
  if (context.json) context.printJson(page);
  else printTable(context, page, columns, empty);
}

export function printTable<T>(context: Context, page: Page<T>, columns: readonly Column<T>[], empty: string): void {
  if (page.items.length === 0) {
    context.print(empty);
    return;
  }
  context.print(formatTable(page.items, columns, context.style, context.tableColumns()));
  if (page.nextCursor !== null) context.print(context.style.dim('… more; ask for them with --limit'));
}

export function idColumn<T extends { id: string }>(items: readonly T[]): Column<T> {
  const short = shortenIds(items.map((item) => item.id));
  return { title: 'ID', value: (item) => short.get(item.id) ?? item.id };
}
