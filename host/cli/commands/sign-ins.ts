/** `portolan people sign-ins` and `sign-out`: the browsers that somebody is signed in with. */
import type { SignIn } from '../client/types.ts';
import type { Context } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { plainText } from '../output/text.ts';
import { formatAge } from '../output/units.ts';

export async function listSignIns(context: Context, person: string): Promise<void> {
  const found = await context.api.listSignIns(toUserId(person));
  if (context.json) return context.printJson(found);
  if (found.items.length === 0) return context.print('Signed in nowhere.');
  const now = context.terminal.now();
  const columns = [
    { title: 'AS', value: (one: SignIn) => one.userId, minColumns: 8 },
    { title: 'SIGNED IN', value: (one: SignIn) => formatAge(one.createdAt, now) },
    { title: 'ENDS', value: (one: SignIn) => formatAge(one.expiresAt, now) },
    { title: 'ID', value: (one: SignIn) => one.id },
  ];
  context.print(formatTable(found.items, columns, context.style, context.tableColumns()));
}

export async function signOut(context: Context, person: string): Promise<void> {
  const { ended } = await context.api.endSignIns(toUserId(person));
  if (context.json) return context.printJson({ ended });
  const where = ended === 1 ? '1 browser' : `${ended} browsers`;
  context.print(plainText(`${toUserId(person)} is signed out of ${where}; links that were not used are void.`));
}

/** People of the page are named without their channel too. */
function toUserId(person: string): string {
  return person.includes(':') ? person : `web:${person}`;
}
