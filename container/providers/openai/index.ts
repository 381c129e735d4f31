/**
 * Any model that speaks OpenAI's Chat Completions or Anthropic's Messages, through the host's gateway, with tools
 * of its own in the container. A bundle of its own: who does not use it does not load it.
 */
import { randomBytes } from 'node:crypto';
import type { Provider } from '../provider.ts';
import { compactNow } from './compact-now.ts';
import { makeTurn } from './control.ts';
import { PATIENCE, type Patience } from './limits.ts';
import type { ProviderSettings } from './settings.ts';
import { converse } from './turn.ts';

/** Tests may be less patient. */
export function makeOpenAiProvider(patience: Patience = PATIENCE): Provider {
  const settings: ProviderSettings = {
    patience,
    makeCallId: () => `c${randomBytes(4).toString('hex')}`,
    makeTranscriptId: () => `t-${randomBytes(12).toString('hex')}`,
    withoutEffort: new Set(),
  };
  return {
    name: 'openai',
    supportsPush: true,
    query: (input) => makeTurn((control) => converse(input, settings, control)),
    compact: (input) => makeTurn((control) => compactNow(input, settings, control)),
  };
}

export const openAiProvider: Provider = makeOpenAiProvider();
