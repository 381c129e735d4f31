/** One call to an agent's model: what it may come to, and what people are told of it. */
import type { GatewayRefusal } from '../../../shared/gateway.ts';
import type { ProbeAnswer } from '../../../shared/probe.ts';

/** Which agent, and what it thinks with. */
export interface Probed {
  agentName: string;
  provider: string;
  /** Null: its provider needs no model. */
  service: string | null;
  /** `host:port` of the service, or its name when its port is the usual one. */
  place: string | null;
  model: string | null;
  /** Whether the gateway had a key to add. */
  hasKey: boolean;
}

export type ProbeOutcome =
  /** Its provider thinks without a model. */
  | { kind: 'no-model' }
  /** Known before anything starts: the gateway would have nothing to add. */
  | { kind: 'no-key'; why: string; next: string }
  | { kind: 'image-waiting' | 'image-failed'; reason: string }
  | { kind: 'engine-away'; reason: string; hint: string }
  | { kind: 'not-started'; reason: string; hint: string | null }
  | { kind: 'timed-out'; afterMs: number }
  /** Its runner ended without a word that can be read. */
  | { kind: 'silent'; exitCode: number | null }
  /** `models`: what the service lists, when the model is one that it does not know; null: it lists none. */
  | { kind: 'answered'; answer: ProbeAnswer; models: readonly string[] | null };

/** For programs. */
export type ProbeCode =
  | 'works'
  | 'no_model'
  | 'image_waiting'
  | 'image_failed'
  | 'engine_away'
  | 'not_started'
  | 'timed_out'
  | 'no_answer'
  | 'no_key'
  | 'bad_key'
  | 'not_permitted'
  | 'unknown_model'
  | 'rate_limited'
  | 'no_credit'
  | 'overloaded'
  | 'server_failed'
  | 'bad_request'
  | 'bad_answer'
  | GatewayRefusal;

export interface ProbeReport {
  /** The call went through, or none is needed. */
  ok: boolean;
  code: ProbeCode;
  /** One or two sentences. */
  text: string;
  /** In the words of the server, in one line; null when it said nothing. */
  said: string | null;
  /** What to type; null when nothing is left to do. */
  next: string | null;
  /** Names that the service lists, when that is the question. */
  models: readonly string[];
}

/** A report's sentence, with its code and what to type. */
export type Words = Pick<ProbeReport, 'code' | 'text' | 'next'>;
