/** The commands about what was decided: the ledger, why a message went where it went, who was turned away. */
import { type Add, limitOption } from './add.ts';

export function addLedgerCommands(add: Add): void {
  add(
    'ledger list',
    'what was decided and delivered, newest first',
    [
      'ledger',
      'ledger list --kind role. --since 7d',
      'ledger list --agent main --search family',
      'ledger list --about apr_0mb2k9x0q1… --json',
    ],
    (command) => async (context) => (await import('./commands/ledger.ts')).listLedger(context, command.opts()),
    true,
  )
    .option('--kind <kind>', 'a kind, or the beginning of several: delivery. role. approval. config.')
    .option('--agent <agent>', 'its doings, its sessions, and what names it')
    .option('--session <session>', 'only of this session')
    .option('--actor <id>', 'whose doing it was: the id of a person or an agent')
    .option('--about <id>', 'the id of a message, approval, destination, wiring, chat, agent or person')
    .option('--since <time>', 'from then on: 2h, 7d, 2026-11-21 or 2026-11-21T14:00')
    .option('--until <time>', 'before then')
    .option('--search <text>', 'somewhere in an entry')
    .addOption(limitOption());
  add(
    'ledger why <message>',
    'what allowed or refused a message, who decided that, and when',
    ['ledger why last', 'ledger why msg_0mb2k9x0q1…'],
    () =>
      async (context, message = '') =>
        (await import('./commands/ledger.ts')).showWhy(context, message),
  );
  add(
    'ledger verify',
    'does the chain hold: nothing changed, taken out or put in; also when the host is down',
    ['ledger verify', 'ledger verify --expect 3f9a…', 'ledger verify --since 1200:3f9a… --json'],
    (command) => async (context) => (await import('./commands/ledger-verify.ts')).verifyLedger(context, command.opts()),
  )
    .option('--expect <hash>', 'an entry with this hash must be there: a head that was written down elsewhere')
    .option('--since <position:hash>', 'only what comes after this entry, which must be there');
  add(
    'dropped',
    'messages that were turned away, and what agents were refused: who, where, why, when',
    ['dropped', 'dropped --json'],
    (command) => async (context) => (await import('./commands/dropped.ts')).listDropped(context, command.opts()),
  ).addOption(limitOption());
}
