/** The commands about conversations: talking, what goes on in them, and what becomes of messages. */
import { Option } from 'commander';
import { type Add, limitOption, parseCount } from './add.ts';

export function addConversationCommands(add: Add): void {
  addTalk(add);
  addSessions(add);
  addDeliveries(add);
}

function addTalk(add: Add): void {
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

function addSessions(add: Add): void {
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
    'restart-session <session>',
    "stop a session's container; its next message starts a fresh one",
    ['restart-session 7h3kq0'],
    () =>
      async (context, session = '') =>
        (await import('./commands/sessions.ts')).restartSession(context, session),
  );
  add(
    'release <session>',
    'let a quarantined or failed session work again',
    ['release 7h3kq0'],
    () =>
      async (context, session = '') =>
        (await import('./commands/sessions.ts')).releaseSession(context, session),
  );
}

function addDeliveries(add: Add): void {
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
