/** Stands where the runner stands in the image of the hostile suite. The agent's name names the attack. */
import { setTimeout as delay } from 'node:timers/promises';
import { Attacker, touchDoorbell } from './attacker.ts';
import { DATABASE_ATTACKS } from './database-attacks.ts';
import { FILE_ATTACKS } from './file-attacks.ts';
import { RESOURCE_ATTACKS } from './resource-attacks.ts';

const ATTACKS = { ...DATABASE_ATTACKS, ...FILE_ATTACKS, ...RESOURCE_ATTACKS };

const attacker = new Attacker();
const name = attacker.session.agentName;
process.on('SIGTERM', () => {
  if (name !== 'ignores-sigterm') process.exit(0);
});
attacker.hello();
// An agent's name may carry a variant: `forged-seq--even`.
const attack = ATTACKS[name.split('--')[0] ?? ''];
if (attack === undefined) throw new Error(`no attack ${name}`);
// The first message only wakes it, so that the attack itself comes from a container that runs.
attacker.mark((await attacker.nextTask()).id, 'done');
touchDoorbell();
await attack(attacker, await attacker.nextTask());
touchDoorbell();
await delay(2 ** 30);
