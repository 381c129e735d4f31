/**
 * What the host would have a person type next, in the page's own words where the page can do it. Pure.
 * The host speaks to all its clients in commands; `portolan --home <folder> …` names a host that is not the usual one.
 */
const COMMAND = /^(?:npx )?portolan (?:--home (?:'[^']*'|\S+) )?([^&|]+)$/;

export interface NextStep {
  /** A sentence; null: the page cannot do it. */
  words: string | null;
  /** Where on the page, when that is one place for all. */
  to: '/secrets' | '/agents' | '/egress' | '/usage' | '/approvals' | '/people' | null;
}

const STEPS: readonly (readonly [RegExp, (name: string) => NextStep])[] = [
  [/^secrets set (\S+)/, (name) => ({ words: `Owners set the secret “${name}” on the page Secrets.`, to: '/secrets' })],
  [/^secrets lock\b/, () => ({ words: 'Owners lock the vault on the page Secrets.', to: '/secrets' })],
  [/^secrets unlock\b/, () => ({ words: 'Owners unlock the vault on the page Secrets.', to: '/secrets' })],
  [
    /^secrets (?:list|assign|unassign|remove)\b/,
    () => ({ words: 'Owners do it on the page Secrets.', to: '/secrets' }),
  ],
  [/^services\b/, () => ({ words: 'Owners see and change services on the page Secrets.', to: '/secrets' })],
  [/^provider test\b/, () => ({ words: 'Test it again, at “Thinks with” on the agent’s page.', to: null })],
  [/^provider\b/, () => ({ words: 'Change it at “Thinks with” on the agent’s page.', to: null })],
  [/^access\b/, () => ({ words: 'See “May reach” on the agent’s page.', to: null })],
  [/^builds\b/, () => ({ words: 'See “Builds of its image” on the agent’s page.', to: null })],
  [/^egress\b/, () => ({ words: 'See its requests on the page Egress.', to: '/egress' })],
  [/^budget\b/, () => ({ words: 'See “Budgets” on the page Usage.', to: '/usage' })],
  [/^price\b/, () => ({ words: 'Owners and admins of all agents set prices on the page Usage.', to: '/usage' })],
  [/^agents\b/, () => ({ words: 'See the page Agents.', to: '/agents' })],
  [/^approvals\b/, () => ({ words: 'See the page Approvals.', to: '/approvals' })],
  [/^people\b/, () => ({ words: 'See the page People.', to: '/people' })],
  [/^resend\b/, () => ({ words: 'Send it again with the button beneath it.', to: null })],
  [/^drop\b/, () => ({ words: 'Drop it with the button beneath it.', to: null })],
];

export function findNextStep(next: string): NextStep {
  const command = COMMAND.exec(next)?.[1];
  if (command === undefined) return { words: null, to: null };
  for (const [pattern, step] of STEPS) {
    const match = pattern.exec(command);
    if (match !== null) return step(match[1] ?? '');
  }
  return { words: null, to: null };
}

/** For where nothing can be linked: the page's words, else the host's own. */
export function describeNext(next: string): string {
  return findNextStep(next).words ?? (COMMAND.test(next) ? `Type: ${next}` : next);
}
