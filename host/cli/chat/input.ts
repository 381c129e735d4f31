/** What a typed line means: a command of this program, or text to send. Pure. */

export type Input =
  | { kind: 'text'; text: string }
  | { kind: 'attach'; path: string }
  | { kind: 'detach' }
  | { kind: 'save'; number: number; path: string | null }
  | { kind: 'help' }
  | { kind: 'quit' }
  | { kind: 'wrong'; problem: string };

export const CHAT_COMMANDS = ['/attach', '/detach', '/save', '/help', '/quit'] as const;

export const CHAT_HELP = `/attach <path>       attach a file to the next message
/detach              attach nothing after all
/save <n> [<path>]   save the file that is shown with this number
/quit                leave (also Ctrl+D); the agent goes on
Every other line goes to the host, which obeys the /commands that it knows and gives the agent the rest.`;

/** Only our own words are commands of this program: what else starts with a slash is for the host and the agent. */
export function parseInput(line: string): Input {
  const [, word = '', rest = ''] = /^(\/[a-z]+)(?:\s+([^\n]*))?$/.exec(line.trim()) ?? [];
  const argument = rest.trim();
  switch (word) {
    case '/attach':
      if (argument === '') return { kind: 'wrong', problem: 'Type the path of a file: /attach ~/plan.pdf' };
      return { kind: 'attach', path: unquote(argument) };
    case '/detach':
      return { kind: 'detach' };
    case '/save': {
      const [, number, path] = /^(\d{1,6})(?:\s+(.+))?$/.exec(argument) ?? [];
      if (number === undefined)
        return { kind: 'wrong', problem: 'Type the number that is shown with the file: /save 1' };
      return { kind: 'save', number: Number(number), path: path === undefined ? null : unquote(path) };
    }
    case '/help':
      return argument === '' ? { kind: 'help' } : { kind: 'text', text: line };
    case '/quit':
    case '/exit':
      return { kind: 'quit' };
    default:
      return { kind: 'text', text: line };
  }
}

/** A path dragged into a terminal comes quoted, or with its spaces escaped. */
function unquote(path: string): string {
  const quoted = /^(['"])(.*)\1$/.exec(path);
  return quoted === null ? path.replace(/\\(.)/g, '$1') : (quoted[2] ?? '');
}
