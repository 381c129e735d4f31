/** The commands about the host itself: how it is, the way in, what is wrong, its log, its end. */
import { Option } from 'commander';
import { type Add, parseCount } from './add.ts';

export function addHostCommands(add: Add): void {
  add(
    'status',
    'is the host well, and what does it do now',
    ['status', 'status --json'],
    () => async (context) => (await import('./commands/status.ts')).showStatus(context),
  );
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
  add(
    'stop',
    'stop the host cleanly, and wait until it is gone',
    ['stop'],
    (command) => async (context) => (await import('./commands/stop.ts')).stopHost(context, command.opts()),
  ).addOption(new Option('--timeout <seconds>', 'how long to wait').default(60).argParser(parseCount(1, 3_600)));
}
