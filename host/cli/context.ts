/** What each command gets: the host, the terminal, and how the person wants answers. */
import { type HomePaths, homePaths } from '../config/home.ts';
import { createHostApi, type HostApi } from './client/api.ts';
import { chooseHome } from './home.ts';
import { createStyle, type Style } from './output/style.ts';
import { safeJson } from './output/text.ts';
import { typeable } from './output/typeable.ts';
import type { Terminal } from './terminal.ts';

export interface GlobalOptions {
  json?: boolean;
  home?: string;
  /** False with --no-color; commander's way to say it. */
  color?: boolean;
}

export interface Context {
  terminal: Terminal;
  style: Style;
  json: boolean;
  paths: HomePaths;
  api: HostApi;
  /** One line, or several, for people. */
  print(text: string): void;
  /** The command's one JSON document. */
  printJson(value: unknown): void;
  /** A `portolan …` of a hint as this person can type it: through npx, with the home they named by --home. */
  typeable(command: string): string;
  /** Columns that tables may use; null where nobody looks and nothing is cut. */
  tableColumns(): number | null;
}

export function createContext(terminal: Terminal, options: GlobalOptions): Context {
  const paths = homePaths(chooseHome(terminal, options.home));
  return {
    terminal,
    style: createStyle(terminal.useColour && options.color !== false),
    json: options.json === true,
    paths,
    api: createHostApi(paths.socket),
    print: (text) => void terminal.stdout.write(`${text}\n`),
    printJson: (value) => void terminal.stdout.write(`${safeJson(value)}\n`),
    typeable: (command) => typeable(command, terminal, options.home === undefined ? null : paths.home),
    tableColumns: () => (terminal.isInteractive ? terminal.columns() : null),
  };
}
