/** The help, printed from the table: what this person may use, and no other. Pure. */
import { type PlanFacts, planCommand } from './plan.ts';
import { COMMANDS, type Command, findCommand } from './table.ts';
import { quote } from './words.ts';

type Standing = Omit<PlanFacts, 'rule'>;

/** `typed`: the command that is asked about, with or without its slash; '' for all. */
export function renderHelp(typed: string, standing: Standing): string {
  if (typed !== '') return renderOne(typed, standing);
  const lines = COMMANDS.filter((rule) => mayUse(rule, standing)).map((one) => {
    const place = one.where === 'private' && !standing.isPrivate ? ' (in a private chat)' : '';
    return `- ${renderUsage(one)}: ${one.help}${place}`;
  });
  return `${lines.join('\n')}\n\nAnything else that you write is for the agents.`;
}

export function renderUsage({ name, usage }: Pick<Command, 'name' | 'usage'>): string {
  return `\`/${name}${usage === '' ? '' : ` ${usage}`}\``;
}

/** A command that they may not use is answered like one that there is not. */
function renderOne(typed: string, standing: Standing): string {
  const command = findCommand(typed.replace(/^\//, '').toLowerCase());
  if (command === null || !mayUse(command, standing)) {
    return `There is no command ${quote(typed)} for you. /help lists those that there are.`;
  }
  return `${renderUsage(command)}: ${command.help}.`;
}

/** In the right place, if not here. */
function mayUse(rule: Command, standing: Standing): boolean {
  const plan = planCommand({ ...standing, rule: { ...rule, where: 'anywhere' } });
  return plan.kind === 'run';
}
