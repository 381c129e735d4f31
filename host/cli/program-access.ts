/** The commands about what agents may reach outside, and what they reached. */
import { Option } from 'commander';
import { type Add, limitOption, parseCount } from './add.ts';

export function addAccessCommands(add: Add): void {
  addRules(add);
  addLog(add);
}

function addRules(add: Add): void {
  add(
    'access list [agent]',
    'what agents may reach outside, beside the model of their config; nothing else',
    ['access', 'access list main', 'access list main --json'],
    () => async (context, agent) => (await import('./commands/access.ts')).listAccess(context, agent),
    true,
  );
  add(
    'access allow <agent> <place>',
    'let an agent out to a host, or give it a service; holds at once',
    [
      'access allow main api.example.com',
      "access allow main '*.example.com:8443' --reason 'the company'",
      'access allow main api.example.com --method GET HEAD --path /v1',
      'access allow main github --method GET',
      'access allow main nas:8080 --private',
    ],
    (command) =>
      async (context, agent = '', place = '') =>
        (await import('./commands/access.ts')).allowAccess(context, agent, place, command.opts()),
  )
    .option('--method <method...>', 'these methods alone: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    .option('--path <path>', 'paths that begin with this alone, in whole segments: /v1')
    .option('--private', 'it lies on this machine or network: an address, or a name that leads there; owners alone')
    .option('--reason <why>', 'why, for who reads it later');
  add(
    'access remove <agent> <rule>',
    'take it away again, by its place or id; open connections are closed',
    ['access remove main api.example.com', 'access remove main 9z1c4k'],
    () =>
      async (context, agent = '', rule = '') =>
        (await import('./commands/access.ts')).removeAccess(context, agent, rule),
  );
}

function addLog(add: Add): void {
  addFilters(
    add(
      'egress list',
      'what agents asked of the outside, newest first: who, where, and what became of it',
      ['egress', 'egress list --agent main --refused', 'egress list --search example.com --json'],
      (command) => async (context) => (await import('./commands/egress.ts')).listEgress(context, command.opts()),
      true,
    ),
  ).addOption(limitOption());
  addFilters(
    add(
      'egress tail',
      'the newest requests to the outside, as they come with --follow',
      ['egress tail', 'egress tail --agent main --refused --follow'],
      (command) => async (context) => (await import('./commands/egress.ts')).tailEgress(context, command.opts()),
    ),
  )
    .option('-f, --follow', 'go on as they come')
    .addOption(new Option('-n, --lines <n>', 'so many of the last').default(20).argParser(parseCount(0, 10_000)));
}

function addFilters(command: ReturnType<Add>): ReturnType<Add> {
  return command
    .option('--agent <agent>', 'only of this agent')
    .option('--session <session>', 'only of this session; an id, or its beginning or end')
    .option('--refused', 'only what was refused')
    .option('--failed', 'only what was let out and failed')
    .option('--search <text>', 'only where host or path have this in them');
}
