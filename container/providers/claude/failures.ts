/** What went wrong with a call of the model, in words for people, and whether it may pass by itself. Pure. */
import { shellWord } from '../../../shared/shell-word.ts';
import { MAX_WORDS_CHARS } from './limits.ts';

export interface FailedCall {
  /** HTTP status; null: no answer came. */
  status: number | null;
  /** The SDK's word for it; null: it has none. */
  problem: string | null;
  /** The server's own words, or those of the gateway. */
  words: string;
}

/** Whom the words are about. */
export interface CallPlace {
  service: string;
  model: string | null;
  agentName: string;
}

export interface Failure {
  retryable: boolean;
  message: string;
}

/** That do not pass by themselves: no second call is made for them. */
const FINAL_STATUSES: readonly number[] = [400, 401, 402, 403, 404, 413, 422];
const FINAL_PROBLEMS: readonly string[] = [
  ...['authentication_failed', 'oauth_org_not_allowed', 'account_on_hold', 'verification_required'],
  ...['billing_error', 'invalid_request', 'model_not_found'],
];

export function isFinal({ status, problem }: Pick<FailedCall, 'status' | 'problem'>): boolean {
  if (status !== null) return FINAL_STATUSES.includes(status);
  return problem !== null && FINAL_PROBLEMS.includes(problem);
}

export function describeFailure(call: FailedCall, place: CallPlace): Failure {
  const retryable = !isFinal(call);
  const [what, advice] = retryable ? [describePassing(call, place), ''] : describeFinal(call, place);
  const words = oneLine(call.words);
  return { retryable, message: [addWords(what, words, call.status), advice].filter(Boolean).join(' ') };
}

/** Who refuses a call may be the server or the gateway: both are heard, and neither is named. */
function addWords(what: string, words: string, status: number | null): string {
  if (words === '') return `${what}.`;
  return status === 403 ? `${what}: “${words}”` : `${what}. It says: “${words}”`;
}

function describePassing({ status }: FailedCall, { service }: CallPlace): string {
  if (status === null) return `The answer of ${service} broke off, or none came`;
  if (status === 429) return `${service} gets too many requests`;
  return `${service} is ${status === 529 ? 'overloaded' : 'out of order'} (${status})`;
}

function describeFinal({ status, problem }: FailedCall, { service, model, agentName }: CallPlace): [string, string] {
  if (status === 401) return [`${service} does not take the key that it was given`, KEY_ADVICE];
  if (status === 402 || problem === 'billing_error') return [`${service} wants to be paid first`, ''];
  if (status === 404 || problem === 'model_not_found') {
    const advice = `An admin can choose another: \`portolan provider set ${shellWord(agentName)} claude --model …\`.`;
    return [`${service} has no model ${model ?? 'of that name'}`, advice];
  }
  if (status === 403) return [`A call to ${service} was refused`, ''];
  if (status === 413) return [`The conversation is too long for ${service}`, LENGTH_ADVICE];
  return [`${service} does not take the request${status === null ? '' : ` (${status})`}`, LENGTH_ADVICE];
}

const KEY_ADVICE = 'An admin can set another with `portolan secrets set`.';
const LENGTH_ADVICE =
  'Where the conversation has become too long, `/compact` makes it shorter and `/clear` begins anew.';

/** The SDK puts its own words before the server's, and after them advice that nobody outside its container can take. */
const PREFIX = /^(?:Failed to authenticate\.\s*)?(?:API Error:\s*)?(?:Request rejected\s*)?\(?(?:\d{3})?\)?[\s·:.]*/;
const SUFFIX = /\.? This is a server-side issue, usually temporary.*$/;

function oneLine(text: string): string {
  const line = text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .replace(PREFIX, '')
    .replace(SUFFIX, '');
  return line.length > MAX_WORDS_CHARS ? `${line.slice(0, MAX_WORDS_CHARS).replace(/\p{Surrogate}$/u, '')}…` : line;
}
