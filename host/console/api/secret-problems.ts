/** Why something about secrets, services or the vault was not done, as an answer. */
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Refused } from '../../vault/state.ts';
import { Problem } from './problem.ts';

const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  bad_name: 400,
  bad_secret: 400,
  bad_passphrase: 400,
  bad_url: 400,
  private_url: 400,
  bad_header: 400,
  passphrase_needed: 400,
  wrong_passphrase: 403,
  secret_not_found: 404,
  service_not_found: 404,
  agent_not_found: 404,
  vault_locked: 423,
  slow_down: 429,
};

export function toProblem({ code, why, expected, next, untilMs }: Refused): Problem {
  const advice = next ?? (untilMs === undefined ? undefined : 'wait a moment, then try again');
  return new Problem(STATUS[code] ?? 409, code, why, {
    ...(expected === undefined ? {} : { expected }),
    ...(advice === undefined ? {} : { next: advice }),
  });
}
