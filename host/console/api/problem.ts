/** How the API says no: one shape, with what was wrong, what was expected and what to do next. */
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ZodError } from 'zod';
import { Fault, toDiskFault } from '../../config/errors.ts';
import { commandsFor } from '../../config/home.ts';
import { consoleLog } from '../../observe/logger.ts';
import type { Env } from './door.ts';
import type { ErrorBody } from './schemas.ts';

export class Problem extends Error {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly more: { expected?: string; next?: string; revision?: number };

  constructor(
    status: ContentfulStatusCode,
    code: string,
    message: string,
    more: { expected?: string; next?: string; revision?: number } = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.more = more;
  }
}

export function notFound(what: string): Problem {
  return new Problem(404, 'not_found', `There is no such ${what}.`);
}

const STATUS_OF_FAULT: Record<string, ContentfulStatusCode> = {
  disk_full: 507,
  message_too_long: 413,
  session_busy: 503,
  still_running: 409,
  session_corrupt: 409,
  session_quarantined: 409,
  session_missing: 404,
};

/** Any error as an answer, its commands for this home; bugs are logged here, and say nothing of themselves to the caller. */
export function answerProblem(c: Context<Env>, error: unknown, home: string): Response {
  const problem = toProblem(error);
  if (problem.more.revision !== undefined) c.header('ETag', `"${problem.more.revision}"`);
  if (problem.status === 401) c.header('WWW-Authenticate', 'Bearer');
  if (problem.status === 429 || problem.status === 503) c.header('Retry-After', '6');
  const { next } = problem.more;
  // Where this host keeps things is for those who see everything.
  const isNamed = next !== undefined && c.var.standing?.isGlobalAdmin === true;
  const more = isNamed ? { ...problem.more, next: commandsFor(home, next) } : problem.more;
  const body: ErrorBody = { error: { code: problem.code, message: problem.message, ...more } };
  return c.json(body, problem.status);
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const fault = error instanceof Fault ? error : toDiskFault(error);
  if (fault !== null) {
    if (fault.code === 'disk_failed') consoleLog.error({ err: fault }, 'a request met a failing disk');
    const more = fault.hint === undefined ? {} : { next: fault.hint };
    return new Problem(STATUS_OF_FAULT[fault.code] ?? 503, fault.code, fault.message, more);
  }
  if (error instanceof HTTPException) return translateHono(error);
  consoleLog.error({ err: error }, 'a request failed');
  return new Problem(500, 'failed', 'The host failed at this; its log says why.', { next: 'npx portolan logs' });
}

/** Hono's own refusals: a body that is not JSON (400), a content type that the route does not take (415). */
function translateHono(error: HTTPException): Problem {
  if (error.status === 415) {
    return new Problem(415, 'wrong_content_type', 'The body is of a type that is not taken here.', {
      expected: 'Content-Type: application/json',
    });
  }
  return new Problem(400, 'bad_json', 'The body is not JSON.', { expected: 'a JSON object' });
}

/** The validator's complaint as one sentence. `target` is the part of the request: query, param, json, header. */
export function badInput(error: ZodError, target: string): Problem {
  const issues = error.issues.slice(0, 3).map((issue) => {
    const where = issue.path.join('.').slice(0, 100);
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  const part = { json: 'body', form: 'body', param: 'address' }[target] ?? target;
  return new Problem(400, 'bad_input', `The ${part} is not as expected.`, { expected: issues.join('; ') });
}
