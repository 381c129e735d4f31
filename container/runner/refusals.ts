/** What the gateway says instead of a server outside, in words for the agent. Pure. */
import { z } from 'zod';
import { GATEWAY_REFUSALS, type GatewayRefusal, REFUSAL_HEADER, splitMessage } from '../../shared/gateway.ts';

export interface RefusedByGateway {
  reason: GatewayRefusal;
  message: string;
  /** What to do next; null when nothing helps. */
  next: string | null;
}

/** Of a refusal's body, in words. Higher: a wall of text. Lower: what to do next is cut off. */
const MAX_WORDS = 1_000;

const bodySchema = z.object({
  error: z.object({ message: z.string() }),
  next: z.string().nullable().default(null),
});

/** Null for the answer of a server outside: the gateway takes this header off those. `body` may be cut short. */
export function readRefusal(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: string,
): RefusedByGateway | null {
  const reason = GATEWAY_REFUSALS.find((word) => word === headers[REFUSAL_HEADER]);
  if (reason === undefined) return null;
  const said = parseBody(body);
  return { reason, message: splitMessage(said).slice(0, MAX_WORDS), next: said.next?.slice(0, MAX_WORDS) ?? null };
}

function parseBody(body: string): z.infer<typeof bodySchema> {
  const unsaid = { error: { message: 'The gateway refused, and gave no reason.' }, next: null };
  try {
    const parsed = bodySchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : unsaid;
  } catch (error) {
    if (error instanceof SyntaxError) return unsaid;
    throw error;
  }
}
