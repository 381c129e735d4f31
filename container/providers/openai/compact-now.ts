/** `/compact`: a person asks that the conversation be made short. */
import type { ProviderEvent, QueryInput } from '../provider.ts';
import type { Control } from './control.ts';
import { Conversation } from './conversation.ts';
import { openTurn } from './open.ts';
import type { ProviderSettings } from './settings.ts';
import { failed, toUsage } from './turn.ts';

/** Below this there is nothing to win. */
const WORTH_TOKENS = 500;

export async function* compactNow(
  input: QueryInput,
  settings: ProviderSettings,
  control: Control,
): AsyncGenerator<ProviderEvent> {
  control.close();
  if (input.continuation === null) {
    yield { kind: 'result', text: NOTHING };
    return;
  }
  const opened = openTurn(input, settings, control.signal);
  if (opened.kind === 'failed') yield failed({ kind: 'final', message: opened.message });
  if (opened.kind === 'invalid') yield { kind: 'continuation_invalid' };
  if (opened.kind !== 'open') return;
  yield { kind: 'init', continuation: opened.parts.transcript.id };
  const conversation = new Conversation(opened.parts);
  const compacting = conversation.compact('asked', []);
  let next = await compacting.next();
  for (; !next.done; next = await compacting.next()) yield { kind: 'progress' };
  const end = next.value;
  if (end.kind === 'interrupted') return;
  if (end.kind === 'failed') yield failed(end.failure);
  else {
    const text = end.kind === 'nothing' ? NOTHING : describe(end.tokensBefore, end.tokensAfter);
    yield { kind: 'result', text, usage: toUsage(conversation.usage) };
  }
}

const NOTHING = 'There is nothing to compact yet: the conversation is short.';

function describe(before: number, after: number): string {
  const round = (tokens: number) => `${Math.max(1, Math.round(tokens / 100) / 10)}k`;
  const sizes = before - after > WORTH_TOKENS ? ` About ${round(before)} tokens became ${round(after)}.` : '';
  return `Compacted: what was said so far is now a summary, which the agent goes on from.${sizes}`;
}
