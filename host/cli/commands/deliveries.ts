/** `portolan resend` and `portolan drop`: a person settles what the host could not. */
import type { Message } from '../client/types.ts';
import type { Context } from '../context.ts';
import { findMessage } from '../find.ts';
import { oneLine, truncate } from '../output/text.ts';

/** Sends once more; where the first did arrive after all, people get it twice. */
export async function resendMessage(context: Context, id: string): Promise<void> {
  const message = await findMessage(context.api, id);
  tell(context, 'Sends again', await context.api.resendMessage(message.id));
}

export async function dropMessage(context: Context, id: string): Promise<void> {
  const message = await findMessage(context.api, id);
  tell(context, 'Dropped', await context.api.dropMessage(message.id));
}

function tell(context: Context, what: string, message: Message): void {
  if (context.json) context.printJson(message);
  else context.print(`${what}: ${message.id} “${truncate(oneLine(message.text), 40)}” is ${message.state}.`);
}
