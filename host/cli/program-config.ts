/** The commands about what agents' containers are made of, and the folders of the machine that they see. */
import { InvalidArgumentError, Option } from 'commander';
import { type Add, limitOption, parseCount } from './add.ts';

export function addConfigCommands(add: Add): void {
  addLooks(add);
  addChanges(add);
  addMounts(add);
}

function addLooks(add: Add): void {
  add(
    'config show <agent>',
    "what an agent's containers are made of, and how that came up",
    ['config main', 'config show main --json', 'config show main --revision 3'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/config.ts')).showConfig(context, agent, command.opts()),
    true,
  ).addOption(revisionOption('--revision <n>', 'as it was then'));
  add(
    'config diff <agent>',
    'what differs between two revisions; the last change without any',
    ['config diff main', 'config diff main --from 3 --to 5'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/config.ts')).diffConfig(context, agent, command.opts()),
  )
    .addOption(revisionOption('--from <n>', 'the earlier revision'))
    .addOption(revisionOption('--to <n>', 'the later one; the present without it'));
  add(
    'config history <agent>',
    'every revision: what it changed, who made it so, when and why',
    ['config history main', 'config history main --limit 5'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/config.ts')).listHistory(context, agent, command.opts()),
  ).addOption(limitOption());
}

function addChanges(add: Add): void {
  add(
    'config rollback <agent> <revision>',
    'back to an earlier revision, as a new one; its image is built first, and when that fails nothing changes',
    ['config rollback main 3', 'config rollback main 3 --yes'],
    (command) =>
      async (context, agent = '', revision = '') =>
        (await import('./commands/config-change.ts')).rollBackConfig(context, agent, revision, command.opts()),
  ).option('--yes', 'do not ask');
  add(
    'config set <agent>',
    'change settings; "default" takes one back',
    [
      'config set main --memory 1024 --cpus 2',
      'config set main --timezone Europe/Berlin',
      'config set main --model default',
      'config set main --effort high',
    ],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/config-change.ts')).setConfig(context, agent, command.opts()),
  )
    .option('--provider <provider>', 'what thinks in it')
    .option('--model <model>', 'which of its models')
    .option('--service <service>', 'through which service its model is reached')
    .option('--effort <effort>', 'how hard it thinks: low, medium, high, max')
    .option('--timezone <zone>', 'that its people live in: Europe/Berlin')
    .addOption(new Option('--memory <mb>', 'of each container, in MB').argParser(parseResource))
    .addOption(new Option('--cpus <n>', 'cores of each, fractions allowed').argParser(parseResource))
    .addOption(new Option('--pids <n>', 'processes and threads of each').argParser(parseResource));
}

function addMounts(add: Add): void {
  add(
    'mounts allowed',
    'which folders of this machine agents may be given, and where that is written',
    ['mounts allowed'],
    () => async (context) => (await import('./commands/mounts.ts')).showAllowed(context),
  );
  add(
    'mounts list <agent>',
    'the folders of this machine that an agent sees, and whether it may now',
    ['mounts main', 'mounts list main --json'],
    () =>
      async (context, agent = '') =>
        (await import('./commands/mounts.ts')).listMounts(context, agent),
    true,
  );
  add(
    'mounts add <agent> <name> <folder>',
    'give an agent a folder, at /workspace/mounts/<name>; read-only unless you and the allowlist say otherwise',
    ['mounts add main reports /srv/reports', 'mounts add main drop /srv/drop --write'],
    (command) =>
      async (context, agent = '', name = '', folder = '') =>
        (await import('./commands/mounts.ts')).addMount(context, agent, name, folder, command.opts()),
  ).option('--write', 'it may change what is in there');
  add(
    'mounts remove <agent> <name>',
    'take a folder away',
    ['mounts remove main reports'],
    () =>
      async (context, agent = '', name = '') =>
        (await import('./commands/mounts.ts')).removeMount(context, agent, name),
  );
}

function revisionOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(parseCount(1, Number.MAX_SAFE_INTEGER));
}

/** The API knows the bounds. */
function parseResource(text: string): number | 'default' {
  if (text === 'default') return text;
  if (!/^\d{1,9}(?:\.\d{1,3})?$/.test(text)) throw new InvalidArgumentError('Expected a number, or "default".');
  return Number(text);
}
