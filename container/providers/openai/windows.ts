/** How much a model takes, in tokens. Pure. */
import { DEFAULT_WINDOW_TOKENS } from './limits.ts';
import type { TranscriptRecord } from './records.ts';

/** By the first that matches; a service may put a maker's name before the model's. */
const KNOWN: readonly (readonly [RegExp, number])[] = [
  [/claude/, 200_000],
  [/gpt-4\.1/, 1_000_000],
  [/gpt-5/, 272_000],
  [/gpt-4o|gpt-4-turbo|chatgpt-4o/, 128_000],
  [/gpt-4(?!\d)/, 8_192],
  [/gpt-3\.5/, 16_385],
  [/(^|\/)o[134](-|$)/, 200_000],
  [/gpt-oss/, 131_072],
  [/gemini/, 1_000_000],
  [/llama-?3(?!\.)/, 8_192],
  [/mixtral|mistral-7b/, 32_768],
  [/gemma-?2/, 8_192],
];

/** What a server said counts; else what is known; else a usual size. */
export function windowOf(model: string, records: readonly TranscriptRecord[]): number {
  const said = records.findLast((record) => record.kind === 'window' && record.model === model);
  if (said?.kind === 'window') return said.tokens;
  const name = model.toLowerCase();
  return KNOWN.find(([pattern]) => pattern.test(name))?.[1] ?? DEFAULT_WINDOW_TOKENS;
}
