/** What the routes share: the type of their context, validation, and pages. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from './door.ts';
import { DEFAULT_PAGE } from './inputs.ts';
import { badInput } from './problem.ts';

/** An empty part of the API; its routes answer bad input with Problem 400. */
export function newApi(): OpenAPIHono<Env> {
  return new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (!result.success) throw badInput(result.error, result.target);
    },
  });
}

/**
 * One page: `list` is asked for one item more than the page holds, so that `nextCursor` is null exactly
 * at the end. `cursorOf` names the item after which the next page starts.
 */
export function paginate<T>(
  wanted: number | undefined,
  list: (limit: number) => T[],
  cursorOf: (last: T) => string,
): { items: T[]; nextCursor: string | null } {
  const limit = wanted ?? DEFAULT_PAGE;
  const found = list(limit + 1);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last !== undefined ? cursorOf(last) : null };
}
