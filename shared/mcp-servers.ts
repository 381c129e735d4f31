/** MCP servers that run inside an agent's container, as its config names them. */
import { z } from 'zod';

/** Servers of one agent. Higher: processes and memory of its container. Lower: rich agents do not fit. */
export const MAX_MCP_SERVERS = 20;

/** One word, because tools are called `mcp__<server>__<tool>`. */
export const MCP_SERVER_NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** One line that a person can read whole on the card: no control, invisible or direction characters. */
const word = (length: number) =>
  z
    .string()
    .max(length)
    .regex(/^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u, 'no control or invisible characters');

export const mcpServerSchema = z.object({
  name: z.string().regex(MCP_SERVER_NAME, 'a name is 1 to 32 of a–z, 0–9 and "-", starting with a letter'),
  /** A program of the container, by name or path; never a shell line. */
  command: word(200)
    .min(1)
    .regex(/^[^\s-]\S*$/, 'one program, without spaces: its arguments go to args'),
  args: z.array(word(1_000)).max(32).default([]),
  /** Never a secret: the card, the ledger and the config show it whole. */
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a name of letters, digits and "_"'), word(1_000))
    .refine((env) => Object.keys(env).length <= 32, 'at most 32 variables')
    .default({}),
});
export type McpServer = z.infer<typeof mcpServerSchema>;
