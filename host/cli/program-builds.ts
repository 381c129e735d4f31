/** The commands about agents' own images. */
import { type Add, limitOption } from './add.ts';

export function addBuildCommands(add: Add): void {
  add(
    'builds list <agent>',
    'builds of an agent’s own image, newest first',
    ['builds main', 'builds list main --json'],
    (command) =>
      async (context, agent = '') =>
        (await import('./commands/builds.ts')).listBuilds(context, agent, command.opts()),
    true,
  ).addOption(limitOption());
  add(
    'builds log <build>',
    'what a build printed: its id, or an agent for its newest',
    ['builds log main --follow', 'builds log bld_0mb2k9x0q1…'],
    (command) =>
      async (context, build = '') =>
        (await import('./commands/builds.ts')).showBuildLog(context, build, command.opts()),
  ).option('-f, --follow', 'go on while it builds');
  add(
    'builds retry <agent>',
    'build the image of an agent again, after it failed',
    ['builds retry main'],
    () =>
      async (context, agent = '') =>
        (await import('./commands/builds.ts')).retryBuild(context, agent),
  );
}
