/**
 * The commands of `portolan`, their help, and how each ends. Only commander is loaded here: what a command
 * does is loaded when it is called, so that `--help` and a misspelt word answer at once.
 */
import { Command, CommanderError, Option } from 'commander';
import { Fault } from '../config/errors.ts';
import { VERSION } from '../config/version.ts';
import { type Action, type Add, limitOption, parseCount, placeCommand } from './add.ts';
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
import { addConfigCommands } from './program-config.ts';
import { addLedgerCommands } from './program-ledger.ts';
import { addPeopleCommands } from './program-people.ts';
import { addProviderCommands } from './program-providers.ts';
import { addSecretCommands } from './program-secrets.ts';
import { addUsageCommands } from './program-usage.ts';
import type { Terminal } from './terminal.ts';

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
    .helpCommand('help [command]', 'show help for a command')
    .helpOption('-h, --help', 'show help')
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true, helpWidth: terminal.isInteractive ? terminal.columns() : 100 })
    .addHelpText('after', HELP_AFTER)
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
  addLookCommands(add);
  addAgentCommands(add);
  addConfigCommands(add);
  addProviderCommands(add);
  addSecretCommands(add);
  addAccessCommands(add);
  addTalkCommands(add);
  addApprovalCommands(add);
  addDeliveryCommands(add);
  addPeopleCommands(add);
  addLedgerCommands(add);
  addUsageCommands(add);
  addBuildCommands(add);
  addHostCommands(add);
  return program;
}

function addLookCommands(add: Add): void {
  add(
    'status',
    'is the host well, and what does it do now',
    ['status', 'status --json'],
    () => async (context) => (await import('./commands/status.ts')).showStatus(context),
  );
  add(
    'sessions',
    'conversations, newest activity first',
    ['sessions', 'sessions --agent main --state running', 'sessions --json'],
    (command) => async (context) => (await import('./commands/lists.ts')).listSessions(context, command.opts()),
  )
    .option('--agent <agent>', 'only of this agent')
    .option(
      '--state <state>',
      'only in this state: idle, starting, running, paused, stopping, waiting, failed, quarantined',
    )
    .addOption(limitOption());
  add(
    'chats list',
    'chats the host knows, on every channel, and who may write there',
    ['chats', 'chats --json'],
    (command) => async (context) => (await import('./commands/chats.ts')).listChats(context, command.opts()),
    true,
  ).addOption(limitOption());
  add(
    'chats set <chat>',
    'who may write in a chat: nobody that the agent does not know (strict), who an admin lets in, or everybody',
    ['chats set family --unknown-senders request_approval', 'chats set telegram:-100123 --unknown-senders strict'],
    (command) =>
      async (context, chat = '') =>
        (await import('./commands/chats.ts')).setChat(context, chat, command.opts()),
  ).option('--unknown-senders <policy>', 'strict, request_approval or public');
  add(
    'tasks [action] [task]',
    'what agents will be woken for; show, pause, resume or cancel one',
    ['tasks', 'tasks --agent main --all', 'tasks show 7h3kq0', 'tasks pause 7h3kq0', 'tasks cancel 7h3kq0'],
    (command) =>
      async (context, ...words) =>
        (await import('./commands/tasks.ts')).runTasks(context, words, command.opts()),
  )
    .option('--agent <agent>', 'only of this agent')
    .option('--all', 'those that ended, too')
    .addOption(limitOption());
  add(
    'trace <message>',
    'where the time of one message went, stage by stage',
    ['trace last', 'trace msg_0mb2k9x0q1…'],
    () =>
      async (context, message = '') =>
        (await import('./commands/trace.ts')).showTrace(context, message),
  );
  add(
    'logs',
    "the host's log, also when the host is down",
    ['logs', 'logs -f --level warn', 'logs --session 7h3kq0 -n 500'],
    (command) => async (context) => (await import('./commands/logs.ts')).showLogs(context, command.opts()),
  )
    .option('-f, --follow', 'go on as the log grows')
    .option('--level <level>', 'the least level: trace, debug, info, warn, error, fatal', 'trace')
    .option('--session <session>', 'only of this session; an id, or its beginning or end')
    .addOption(
      new Option('-n, --lines <n>', 'so many of the last lines').default(100).argParser(parseCount(0, 1_000_000)),
    );
}

function addTalkCommands(add: Add): void {
  add(
    'chat',
    'talk to an agent here in the terminal; reads lines when stdin is a pipe',
    ['chat', 'chat --agent main', "printf 'help\\n' | portolan chat"],
    (command) => async (context) => (await import('./commands/chat.ts')).chat(context, command.opts()),
  )
    .option('--agent <agent>', 'whom to talk to', 'main')
    .addOption(new Option('--session <session>', 'go on in this session').conflicts('agent'))
    .addOption(timeoutOption());
  add(
    'send <target> [text...]',
    'send one message to an agent or into a session, for scripts; reads stdin without text',
    [
      'send main "what is new?" --wait',
      'send 7h3kq0 "go on"',
      'git log -5 | portolan send main --wait',
      'send main "look" --file plan.pdf',
    ],
    (command) =>
      async (context, target = '', ...words) =>
        (await import('./commands/send.ts')).send(context, target, words, command.opts()),
  )
    .option('--wait', 'wait for the replies and print them')
    .option('--file <path...>', 'attach files')
    .addOption(timeoutOption());
}

function addDeliveryCommands(add: Add): void {
  add(
    'resend <message>',
    'send a message once more that failed or may not have arrived',
    ['resend 9z1c4k'],
    () =>
      async (context, message = '') =>
        (await import('./commands/deliveries.ts')).resendMessage(context, message),
  );
  add(
    'drop <message>',
    'give up a message that failed or may not have arrived',
    ['drop 9z1c4k'],
    () =>
      async (context, message = '') =>
        (await import('./commands/deliveries.ts')).dropMessage(context, message),
  );
}

function timeoutOption(): Option {
  return new Option('--timeout <seconds>', 'how long to wait for each reply')
    .default(600)
    .argParser(parseCount(1, 86_400));
}

function addHostCommands(add: Add): void {
  add(
    'url',
    'a fresh link that signs in to the web page, once: you, or somebody else',
    ['url', 'xdg-open "$(portolan url)"', 'url --as web:anna --name Anna'],
    (command) => async (context) => (await import('./commands/url.ts')).printUrl(context, command.opts()),
  )
    .option('--as <person>', 'somebody else: web:<name>')
    .option('--name <name>', 'what that person is called, when they are new here');
  add(
    'doctor',
    'what is wrong, and the command that mends it',
    ['doctor', 'doctor --json'],
    () => async (context) => (await import('./commands/doctor.ts')).runDoctor(context),
  );
  add(
    'release <session>',
    'let a quarantined or failed session work again',
    ['release 7h3kq0'],
    () =>
      async (context, session = '') =>
        (await import('./commands/sessions.ts')).releaseSession(context, session),
  );
  add(
    'restart-session <session>',
    "stop a session's container; its next message starts a fresh one",
    ['restart-session 7h3kq0'],
    () =>
      async (context, session = '') =>
        (await import('./commands/sessions.ts')).restartSession(context, session),
  );
  add(
    'stop',
    'stop the host cleanly, and wait until it is gone',
    ['stop'],
    (command) => async (context) => (await import('./commands/stop.ts')).stopHost(context, command.opts()),
  ).addOption(new Option('--timeout <seconds>', 'how long to wait').default(60).argParser(parseCount(1, 3_600)));
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
