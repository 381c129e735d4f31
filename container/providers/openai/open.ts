/** Finds the conversation of a turn: the one of its continuation, the one that a kill left, or a fresh one. */
import { join } from 'node:path';
import { log } from '../../runner/log.ts';
import type { QueryInput } from '../provider.ts';
import type { ConversationParts } from './conversation.ts';
import { formatSystem } from './instructions.ts';
import { MediaFolder } from './media.ts';
import { chooseModel } from './model.ts';
import type { ProviderSettings } from './settings.ts';
import { Transcript } from './transcript.ts';

export type TurnParts = ConversationParts;

export type Opened =
  | { kind: 'open'; parts: TurnParts }
  /** The continuation leads nowhere. */
  | { kind: 'invalid' }
  | { kind: 'failed'; message: string };

/** In the session's `state/`. */
const FOLDER = 'openai';

export function openTurn(input: QueryInput, settings: ProviderSettings, signal: AbortSignal): Opened {
  const choice = chooseModel(input);
  if (choice.kind === 'incomplete') return { kind: 'failed', message: choice.message };
  const folder = join(input.paths.state, FOLDER);
  const transcript = findTranscript(folder, input, settings);
  if (transcript === null) return { kind: 'invalid' };
  return {
    kind: 'open',
    parts: {
      transcript,
      model: choice.model,
      media: new MediaFolder(join(folder, 'media')),
      instructions: formatSystem(input),
      agentName: input.session.agentName,
      patience: settings.patience,
      makeCallId: settings.makeCallId,
      withoutEffort: settings.withoutEffort,
      signal,
    },
  };
}

/** Null: there is none of that continuation. */
function findTranscript(
  folder: string,
  { continuation, messageId }: QueryInput,
  settings: ProviderSettings,
): Transcript | null {
  if (continuation !== null) {
    const opened = Transcript.open(folder, continuation);
    if (opened.kind !== 'open') log.warn('the conversation cannot be read', { why: opened.kind });
    return opened.kind === 'open' ? opened.transcript : null;
  }
  // Named after the message that begins it, so that a first turn that was killed is found again.
  const id = messageId ?? settings.makeTranscriptId();
  const opened = Transcript.open(folder, id);
  return opened.kind === 'open' ? opened.transcript : Transcript.create(folder, id);
}
