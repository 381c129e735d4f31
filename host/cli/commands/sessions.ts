/** `portolan release` and `portolan restart-session`. */
import type { Context } from '../context.ts';
import { findSession } from '../find.ts';
import { oneLine } from '../output/text.ts';

/** Lets a quarantined or failed session work again. */
export async function releaseSession(context: Context, id: string): Promise<void> {
  const session = await findSession(context.api, id);
  const released = await context.api.releaseSession(session.id);
  if (context.json) return context.printJson(released);
  context.print(`Released: ${session.id} of ${oneLine(session.agentName)} is ${released.state}.`);
}

/** Stops the session's container; the next message, or one that waits, starts a fresh one. */
export async function restartSession(context: Context, id: string): Promise<void> {
  const session = await findSession(context.api, id);
  const stopped = await context.api.stopSession(session.id);
  if (context.json) return context.printJson(stopped);
  context.print(`Stopped: ${session.id} of ${oneLine(session.agentName)}. Its next message starts a fresh container.`);
}
