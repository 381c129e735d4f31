/** The model of a session through the host's gateway: which API, which address, how hard it thinks. */

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import type { LanguageModelV3, SharedV3ProviderOptions } from '@ai-sdk/provider';
import { gatewayUrl, PLACEHOLDER_KEY } from '../../../shared/gateway.ts';
import type { Effort, ModelApi } from '../../../shared/providers.ts';
import { shellWord } from '../../../shared/shell-word.ts';
import type { QueryInput } from '../provider.ts';
import { MAX_OUTPUT_TOKENS } from './limits.ts';
import type { Metadata } from './records.ts';

export interface Model {
  language: LanguageModelV3;
  api: ModelApi;
  /** As the config names it. */
  name: string;
  service: string;
  effort: Effort | null;
}

export type ModelChoice = { kind: 'model'; model: Model } | { kind: 'incomplete'; message: string };

export function chooseModel({ session, gateway, messageId }: QueryInput): ModelChoice {
  const { service, api, model: name, agentName, effort } = session;
  const next = `An admin can say which: \`portolan provider set ${shellWord(agentName)} openai --service … --model …\`.`;
  if (service === '' || api === null)
    return { kind: 'incomplete', message: `This agent has no model service. ${next}` };
  if (name === null) return { kind: 'incomplete', message: `This agent has no model. ${next}` };
  const baseURL = gatewayUrl(gateway.port, 'model', service, messageId);
  const language = api === 'anthropic' ? anthropic(baseURL, name) : openai(baseURL, name);
  return { kind: 'model', model: { language, api, name, service, effort } };
}

/** The service's own address has no version in it. */
function anthropic(baseURL: string, name: string): LanguageModelV3 {
  return createAnthropic({ baseURL: `${baseURL}/v1`, apiKey: PLACEHOLDER_KEY })(name);
}

/** Under this name the SDK gives and takes what only this API has. */
const OWN_OPTIONS = 'compatible';

function openai(baseURL: string, name: string): LanguageModelV3 {
  const options = { name: OWN_OPTIONS, baseURL, apiKey: PLACEHOLDER_KEY, includeUsage: true };
  return createOpenAICompatible(options)(name);
}

/** Thinking budgets of models that have no other measure, in tokens. */
const BUDGETS: Readonly<Record<Effort, number>> = { low: 2_048, medium: 8_192, high: 16_384, max: 32_000 };
/** Models of Anthropic from before there were efforts. */
const BUDGETED = /claude-(3-7|sonnet-4-(0|2|5)|opus-4-(0|1|2)|haiku-4-5)/;

/** What the call says beside the prompt. `usesEffort: false`: the model did not take it. */
export function callSettings(
  { api, name, effort }: Model,
  usesEffort: boolean,
): { maxOutputTokens?: number; providerOptions?: SharedV3ProviderOptions } {
  const asked = usesEffort ? effort : null;
  if (api === 'openai') {
    // The API's own measure ends at `high`.
    const reasoningEffort = asked === 'max' ? 'high' : asked;
    return reasoningEffort === null ? {} : { providerOptions: { [OWN_OPTIONS]: { reasoningEffort } } };
  }
  const limit = { maxOutputTokens: MAX_OUTPUT_TOKENS };
  if (asked === null) return limit;
  if (!BUDGETED.test(name)) return { ...limit, providerOptions: { anthropic: { effort: asked } } };
  const thinking = { type: 'enabled', budgetTokens: BUDGETS[asked] };
  return { ...limit, providerOptions: { anthropic: { thinking } } };
}

/** What a server wants to see again, as the SDK takes it back: one kind it gives under another name. */
export function keepMetadata(metadata: Metadata): Metadata {
  if (metadata === undefined || Object.keys(metadata).length === 0) return undefined;
  const { [OWN_OPTIONS]: own, ...rest } = metadata;
  return own === undefined ? rest : { ...rest, google: own };
}
