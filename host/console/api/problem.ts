/** How the API says no: one shape, with what was expected and what to do next. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ZodError } from 'zod';
import { Fault } from '../../config/errors.ts';
import { consoleLog } from '../../observe/logger.ts';

export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly expected: string | undefined;
  readonly next: string | undefined;

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    more: { expected?: string; next?: string } = {},
  ) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.expected = more.expected;
    this.next = more.next;
  }
}

export function notFound(what: string): Problem {
  return new Problem(404, 'not_found', `There is no such ${what}.`);
}

const STATUS_OF_FAULT: Record<string, ContentfulStatusCode> = {
  disk_full: 507,
  message_too_long: 413,
  session_busy: 503,
  session_corrupt: 409,
  session_missing: 404,
};

export function answerProblem(c: Context, error: unknown): Response {
  const problem = toProblem(error);
  return c.json(
    {
      error: {
        code: problem.code,
        message: problem.message,
        ...(problem.expected === undefined ? {} : { expected: problem.expected }),
        ...(problem.next === undefined ? {} : { next: problem.next }),
      },
    },
    problem.status,
  );
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Fault) {
    const more = error.hint === undefined ? {} : { next: error.hint };
    return new Problem(STATUS_OF_FAULT[error.code] ?? 503, error.code, error.message, more);
  }
  if (error instanceof SyntaxError || isMalformedJson(error)) {
    return new Problem(400, 'bad_json', 'The body is not JSON.', { expected: 'a JSON object' });
  }
  consoleLog.error({ err: error }, 'a request failed');
  return new Problem(500, 'failed', 'The host failed at this; its log says why.', {
    next: 'portolan logs --level error',
  });
}

/** Hono reports a body that is not JSON as its own HTTPException of status 400. */
function isMalformedJson(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 400;
}

/** The validator's complaint as one sentence. */
export function badInput(error: ZodError): Problem {
  const issues = error.issues.slice(0, 3).map((issue) => {
    const where = issue.path.join('.');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  return new Problem(400, 'bad_input', `The request is not as expected: ${issues.join('; ')}.`, {
    expected: 'see /api/v1/openapi.json',
  });
}
