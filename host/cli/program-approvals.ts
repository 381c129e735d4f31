/** The commands about decisions: what waits for a person, deciding it, and how decisions are made. */
import { type Add, limitOption } from './add.ts';

export function addApprovalCommands(add: Add): void {
  add(
    'approvals list',
    'what waits for an admin',
    ['approvals', 'approvals list --all --json'],
    (command) => async (context) => (await import('./commands/approvals.ts')).listApprovals(context, command.opts()),
    true,
  )
    .option('--all', 'those that were decided or expired too')
    .addOption(limitOption());
  add(
    'approvals show <approval>',
    'one, by its code or id: what approving does, exactly what is approved, who voted, all that happened',
    ['approvals show 7K2Q', 'approvals show 9z1c4k --json'],
    () =>
      async (context, approval = '') =>
        (await import('./commands/approval-show.ts')).showApproval(context, approval),
  );
  add(
    'approvals approve <approval> [choice...]',
    'approve, by its code or id; name the choice when several approve',
    ['approvals approve 7K2Q', 'approvals approve 7K2Q main --because "she is new in the team"'],
    (command) =>
      async (context, approval = '', ...words) =>
        (await import('./commands/approvals.ts')).approve(context, approval, words.join(' '), command.opts()),
  ).option('--because <words>', 'why: shown with the decision, and told to the agent that asked');
  add(
    'approvals reject <approval>',
    'reject, by its code or id',
    ['approvals reject 7K2Q --because "use jq instead"'],
    (command) =>
      async (context, approval = '') =>
        (await import('./commands/approvals.ts')).reject(context, approval, command.opts()),
  ).option('--because <words>', 'why: shown with the decision, and told to the agent that asked');
  add(
    'approvals decide <approval> <choice...>',
    'decide: with the text of a choice, or its number',
    ['approvals decide 9z1c4k 1', 'approvals decide 7K2Q "Let in"'],
    (command) =>
      async (context, approval = '', ...words) =>
        (await import('./commands/approvals.ts')).decideApproval(context, approval, words.join(' '), command.opts()),
  ).option('--because <words>', 'why');
  addPolicy(add);
  add(
    'answer <message> <choice...>',
    'answer a question, by its id or "last": with the text of a choice, or its number',
    ['answer last 2', 'answer 9z1c4k Blue'],
    () =>
      async (context, message = '', ...words) =>
        (await import('./commands/approvals.ts')).answerQuestion(context, message, words.join(' ')),
  );
}

function addPolicy(add: Add): void {
  add(
    'approvals policy [action]',
    'how many people must approve each action, how long it waits, when the next one is asked; owners change it',
    [
      'approvals policy',
      'approvals policy install_packages --approvals 2',
      'approvals policy install_packages --expires 24h --ask-next 30m',
    ],
    (command) =>
      async (context, action = '') =>
        (await import('./commands/approval-policy.ts')).runPolicy(context, action, command.opts()),
  )
    .option('--approvals <n>', 'different people who must approve, 1 to 5')
    .option('--expires <time>', 'a request that nobody decides ends after this: 1m to 7d')
    .option('--ask-next <time>', 'one more person is asked when nobody decided for this long: 1m to 7d');
}
