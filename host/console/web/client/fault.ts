import { describeNext } from './next-step.ts';

/**
 * The host answered with an error, in the API's own words.
 * `status` is the HTTP status; `next` says what to do, when the host knows.
 */
export class ApiFault extends Error {
  override readonly name = 'ApiFault';
  readonly status: number;
  readonly code: string;
  readonly expected: string | null;
  readonly next: string | null;
  /** Trying the same request again can help. */
  readonly retryable: boolean;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.status = status;
    this.code = body.code;
    this.expected = body.expected;
    this.next = body.next;
    this.retryable = status === 429 || status >= 500;
  }
}

/** The host could not be reached at all; whether it took the request is not known. */
export class HostAwayFault extends Error {
  override readonly name = 'HostAwayFault';
  readonly retryable = true;

  constructor(cause: unknown) {
    super('The host did not answer', { cause });
  }
}

/** Waits for a `fetch` or a read of its body; a lost or cut connection becomes HostAwayFault. */
export async function overNetwork<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    // `fetch` reports an unreachable host as TypeError, a cut or abandoned connection as one of these.
    if (error instanceof TypeError) throw new HostAwayFault(error);
    if (error instanceof DOMException && (error.name === 'AbortError' || error.name === 'NetworkError')) {
      throw new HostAwayFault(error);
    }
    throw error;
  }
}

/** The host is there, and what it was asked for is not, or no more. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiFault && error.status === 404;
}

export interface ErrorBody {
  code: string;
  message: string;
  expected: string | null;
  next: string | null;
}

/** Text for a person, about a failure they caused or can see. Unknown errors are bugs: rethrown. */
export interface Problem {
  message: string;
  /** What to do, or what was expected. */
  hint: string | null;
  retryable: boolean;
  /** The host was not there: the same request is sent again by itself when it is back. */
  hostAway: boolean;
}

export function describeProblem(error: unknown): Problem {
  if (error instanceof HostAwayFault) {
    return {
      message: 'The host did not answer',
      hint: 'Try again when it is back.',
      retryable: true,
      hostAway: true,
    };
  }
  if (error instanceof ApiFault) {
    return {
      message: error.message,
      hint: describeHint(error),
      retryable: error.retryable,
      hostAway: false,
    };
  }
  throw error;
}

function describeHint({ next, expected }: ApiFault): string | null {
  if (next !== null) return describeNext(next);
  return expected === null ? null : `Expected: ${expected}`;
}

/** Reads `{error:{code, message, expected?, next?}}`; a proxy's or a crash's page becomes a plain sentence. */
export function parseErrorBody(status: number, text: string): ErrorBody {
  const fallback: ErrorBody = {
    code: `http_${status}`,
    message: `The host answered ${status}`,
    expected: null,
    next: null,
  };
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return fallback;
    throw error;
  }
  if (!isRecord(body) || !isRecord(body.error)) return fallback;
  const { code, message, expected, next } = body.error;
  return {
    code: typeof code === 'string' ? code : fallback.code,
    message: typeof message === 'string' && message !== '' ? message : fallback.message,
    expected: typeof expected === 'string' ? expected : null,
    next: typeof next === 'string' ? next : null,
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
