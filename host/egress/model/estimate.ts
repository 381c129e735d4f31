/**
 * What a call used, when the provider did not say, or not all of it: guessed from bytes, upwards. Pure.
 *
 *   read      one token for three bytes of the request, and some thousand for each picture
 *   written   one token for three bytes of text in the answer, and at least one for each event; and for the time in
 *             which no text came what a model can write in it: it may have thought unseen
 *
 * What was said stands, and an estimate is never below it.
 */
import type { CallEnd } from './door.ts';
import { BYTES_PER_TOKEN, MAX_CLAIMED_TOKENS, TOKENS_PER_PICTURE, TOKENS_PER_SECOND } from './limits.ts';
import type { SaidUsage, Tokens } from './usage.ts';

export interface CallFacts {
  /** HTTP status; null: no answer began. */
  status: number | null;
  how: CallEnd;
  said: SaidUsage;
  sentBytes: number;
  pictures: number;
  written: { textBytes: number; events: number };
  /** In which no text came. */
  silentMs: number;
  /** That it was asked to write side by side. */
  answers: number;
  /** The most that the request let the model write; null: it did not say. */
  maxOutput: number | null;
  /** Whether the answer is about words at all: an embedding has none. */
  writes: boolean;
}

export function planUsage(facts: CallFacts): { tokens: Tokens; isEstimated: boolean } {
  const { status, how, said, writes } = facts;
  const isRefused = status !== null && status >= 400;
  // A provider charges nothing for what it refuses.
  if (isRefused && !said.saysOutput) return { tokens: NONE, isEstimated: false };
  const isSaid = said.saysInput && (said.saysOutput || !writes);
  if (isSaid && how === 'whole') return { tokens: said.tokens, isEstimated: false };
  // There is nothing that a model could have begun.
  if (how === 'unsent' || (status === null && facts.sentBytes === 0)) return { tokens: NONE, isEstimated: false };
  const input = said.saysInput ? said.tokens.input : guessInput(facts);
  const output = writes ? Math.max(said.tokens.output, guessOutput(facts)) : 0;
  return { tokens: { ...said.tokens, input, output }, isEstimated: true };
}

const NONE: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

function guessInput({ sentBytes, pictures }: CallFacts): number {
  return Math.ceil(sentBytes / BYTES_PER_TOKEN) + pictures * TOKENS_PER_PICTURE;
}

function guessOutput({ written, silentMs, answers, maxOutput }: CallFacts): number {
  const seen = Math.max(written.events, Math.ceil(written.textBytes / BYTES_PER_TOKEN));
  const unseen = Math.ceil((silentMs / 1_000) * TOKENS_PER_SECOND * answers);
  return Math.max(seen, Math.min(seen + unseen, maxOutput ?? MAX_CLAIMED_TOKENS));
}
