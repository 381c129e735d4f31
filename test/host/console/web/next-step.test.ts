/** What the host says in commands, as the page says it. */
import { describe, expect, it } from 'vitest';
import { ApiFault, describeProblem } from '../../../../host/console/web/client/fault.ts';
import { describeNext, findNextStep } from '../../../../host/console/web/client/next-step.ts';

describe('what to do next', () => {
  it.each([
    ['portolan secrets set anthropic', 'Owners set the secret “anthropic” on the page Secrets.', '/secrets'],
    ['npx portolan --home /srv/p secrets unlock', 'Owners unlock the vault on the page Secrets.', '/secrets'],
    [
      "npx portolan --home '/srv/my host' services add a",
      'Owners see and change services on the page Secrets.',
      '/secrets',
    ],
    ['portolan provider set main claude', 'Change it at “Thinks with” on the agent’s page.', null],
    ['portolan provider test main', 'Test it again, at “Thinks with” on the agent’s page.', null],
    ['portolan egress list --agent main', 'See its requests on the page Egress.', '/egress'],
    ['portolan budget list', 'See “Budgets” on the page Usage.', '/usage'],
    [
      'portolan price set openai gpt --input 3 --output 15',
      'Owners and admins of all agents set prices on the page Usage.',
      '/usage',
    ],
    ['portolan agents', 'See the page Agents.', '/agents'],
  ])('is said as the page does it: %s', (next, words, to) => {
    expect(findNextStep(next)).toEqual({ words, to });
    expect(describeNext(next)).toBe(words);
  });

  it.each([
    ['portolan doctor', 'Type: portolan doctor'],
    ['portolan destinations add main sea', 'Type: portolan destinations add main sea'],
    ['cp /backup/key /home/key && portolan secrets unlock', 'cp /backup/key /home/key && portolan secrets unlock'],
    ['wait until it is over', 'wait until it is over'],
    ['ask an owner of this host for it', 'ask an owner of this host for it'],
  ])('stays what it is where the page has no way: %s', (next, said) => {
    expect(findNextStep(next)).toEqual({ words: null, to: null });
    expect(describeNext(next)).toBe(said);
  });

  it('stands beneath what the host said no to', () => {
    const body = { code: 'secret_not_found', message: 'There is no such secret.', expected: null };
    const problem = describeProblem(new ApiFault(404, { ...body, next: 'npx portolan secrets list' }));
    expect(problem).toMatchObject({
      message: 'There is no such secret.',
      hint: 'Owners do it on the page Secrets.',
    });
    const expected = describeProblem(new ApiFault(400, { ...body, expected: 'a name', next: null }));
    expect(expected.hint).toBe('Expected: a name');
  });
});
