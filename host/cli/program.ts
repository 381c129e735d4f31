/**
 * The commands of `portolan`, their help, and how each ends. Only commander is loaded here: what a command
 * does is loaded when it is called, so that `--help` and a misspelt word answer at once.
 */
import { Command, CommanderError } from 'commander';
import { Fault } from '../config/errors.ts';
import { VERSION } from '../config/version.ts';
import { type Action, type Add, HELP_COMMAND, placeCommand } from './add.ts';
import type { GlobalOptions } from './context.ts';
import { CliError, EXIT, type ExitCode, isExitCode } from './errors.ts';
import { chooseHome } from './home.ts';
import { createStyle } from './output/style.ts';
import { plainText, safeJson } from './output/text.ts';
import { typeable } from './output/typeable.ts';
import { addAccessCommands } from './program-access.ts';
import { addAgentCommands } from './program-agents.ts';
import { addApprovalCommands } from './program-approvals.ts';
import { addBuildCommands } from './program-builds.ts';
import { addChatCommands } from './program-chats.ts';
import { addConfigCommands } from './program-config.ts';
import { addConversationCommands } from './program-conversations.ts';
import { addHostCommands } from './program-host.ts';
import { addLedgerCommands } from './program-ledger.ts';
import { addPeopleCommands } from './program-people.ts';
import { addProviderCommands } from './program-providers.ts';
import { addSecretCommands } from './program-secrets.ts';
import { addUsageCommands } from './program-usage.ts';
import type { Terminal } from './terminal.ts';

/** What `help` stands under, too. */
const THIS_HOST = 'This host:';

/** How a command ended, when it did not simply go well. */
type Outcome = ExitCode | undefined;

const HELP_AFTER = `
Examples:
  $ portolan status                     is the host well?
  $ portolan chat                       talk to the agent "main"
  $ portolan send main "hi" --wait      one message, and its reply on stdout
  $ portolan sessions --state failed    what needs a person
  $ portolan logs -f --level warn       what goes wrong, as it happens
  $ portolan doctor                     what is wrong, and how to mend it

Ids may be shortened to a beginning or an end that only one has. Agents go by name.
PORTOLAN_HOME names the host's folder (--home for one command).

Exit codes: 0 ok, 1 failed, 2 usage, 3 host not running, 4 not found, 5 refused, 6 check failed`;

/** Runs one command line, without the program's name. Never throws; whatever happens ends in an exit code. */
export async function runCli(words: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let outcome: Outcome;
  const program = createProgram(terminal, (ended) => {
    outcome = ended;
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return outcome ?? EXIT.ok;
  } catch (error) {
    // Help and the version were asked for; what is wrong comes as a CliError (`failUsage`).
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    // After a lone `--`, words are text.
    const end = words.indexOf('--');
    const json = (end < 0 ? words : words.slice(0, end)).includes('--json');
    return reportError(error, terminal, json, chooseHome(terminal, program.opts<GlobalOptions>().home));
  }
}

function createProgram(terminal: Terminal, end: (outcome: Outcome) => void): Command {
  const program = new Command('portolan');
  program
    .description('Ask and steer the Portolan host on this machine.')
    .option('--json', 'print one JSON document, for scripts')
    .option('--home <folder>', "the host's folder (default: PORTOLAN_HOME, else data/ of this clone)")
    .option('--no-color', 'no colours (also: NO_COLOR=1)')
    .version(VERSION, '--version', 'print the version')
    .commandsGroup(THIS_HOST)
    .helpCommand(...HELP_COMMAND)
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true, helpWidth: terminal.isInteractive ? terminal.columns() : 100 })
    .addHelpText('after', typeable(HELP_AFTER, terminal))
    .exitOverride((error) => failUsage(error, program))
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(plainText(text)),
      // Told in one place and one form, for people and for scripts: `reportError`.
      outputError: () => undefined,
    });

  /** Adds a command; `run` gets the context, then the words, then nothing else: options come by closure. */
  const add: Add = (
    usage: string,
    description: string,
    examples: readonly string[],
    run: (command: Command) => Action,
    isDefault = false,
  ): Command => {
    const place = placeCommand(program, usage);
    const command = place.group.command(place.usage, { isDefault }).description(description);
    if (examples.length > 0) {
      command.addHelpText(
        'after',
        `\nExamples:\n${examples.map((example) => `  $ ${typeable(formatExample(example), terminal)}`).join('\n')}`,
      );
    }
    command.exitOverride((error) => failUsage(error, command));
    command.action(async () => {
      const { createContext } = await import('./context.ts');
      const context = createContext(terminal, program.opts<GlobalOptions>());
      const ended = await run(command)(context, ...command.args);
      end(isExitCode(ended) ? ended : undefined);
    });
    return command;
  };
  const under = (heading: string, ...sorts: readonly ((add: Add) => void)[]) => {
    program.commandsGroup(heading);
    for (const addCommands of sorts) addCommands(add);
  };
  under(THIS_HOST, addHostCommands);
  under('Conversations:', addConversationCommands);
  under('Agents and their chats:', addAgentCommands, addChatCommands, addConfigCommands, addBuildCommands);
  under('Models, and what they cost:', addProviderCommands, addUsageCommands);
  under('Secrets, and the way out:', addSecretCommands, addAccessCommands);
  under('People, and what they decide:', addPeopleCommands, addApprovalCommands, addLedgerCommands);
  return program;
}

/** An example in which the command comes later names it already. */
function formatExample(example: string): string {
  return /(?:\| |\$\()portolan /.test(example) ? example : `portolan ${example}`;
}

/** Tells what was wrong, what was expected and what to type next; for scripts as JSON, on stderr. */
function reportError(error: unknown, terminal: Terminal, json: boolean, home: string): ExitCode {
  const known = toCliError(error);
  // A bug: its stack is what a report needs.
  if (known === null) {
    terminal.stderr.write(`${plainText(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`);
    return EXIT.failed;
  }
  const { code, message, expected, next, exitCode } = known;
  if (json) {
    terminal.stderr.write(`${safeJson({ error: { code, message, expected, next } })}\n`);
    return exitCode;
  }
  const style = createStyle(terminal.useColour);
  const lines = [
    `${style.red('✗')} ${plainText(message)}`,
    ...(expected === undefined ? [] : [`  ${style.dim('expected:')} ${plainText(expected)}`]),
    ...(next === undefined ? [] : ['', ...formatNext(plainText(next), terminal, home)]),
  ];
  terminal.stderr.write(`${lines.join('\n')}\n`);
  return exitCode;
}

/** Advice that is no command is not offered for typing. */
function formatNext(next: string, terminal: Terminal, home: string): string[] {
  if (!/^(?:[A-Z_]+=\S+ )*(?:npx |sudo )?(?:portolan|npm|docker|kill|printf|usermod) /.test(next))
    return [`Next: ${next}`];
  // Help is the same for every home.
  return ['Next, type:', `  ${typeable(next, terminal, next.endsWith(' --help') ? null : home)}`];
}

/** What the words did not fit, what does, and where it is told in full. */
function failUsage(error: CommanderError, command: Command): never {
  if (error.exitCode === 0) throw error;
  const names: string[] = [];
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name());
  const isCount = error.code === 'commander.missingArgument' || error.code === 'commander.excessArguments';
  throw new CliError(EXIT.usage, 'usage', error.message.replace(/^error: /, ''), {
    expected: isCount ? `${names.join(' ')} ${command.usage()}` : undefined,
    next: `${names.join(' ')} --help`,
    cause: error,
  });
}

function toCliError(error: unknown): CliError | null {
  if (error instanceof CliError) return error;
  if (error instanceof Fault) return new CliError(EXIT.failed, error.code, error.message, { next: error.hint });
  return null;
}
