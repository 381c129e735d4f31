/**
 * `node mcp.mjs`: the agent's tools for a program that speaks MCP on stdio. The tools run in the runner, which
 * is the one writer of outbound.db; this process passes requests on.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CONTAINER_PATHS, RUNNER_ENV, toolSocketPath, workspaceFiles } from '../../shared/session-files.ts';
import { createServer } from './server.ts';
import { LineTransport } from './transport.ts';

const files = workspaceFiles(process.env[RUNNER_ENV.in] ?? CONTAINER_PATHS.in, '');

try {
  const { sessionId } = z.object({ sessionId: z.string() }).parse(JSON.parse(readFileSync(files.session, 'utf8')));
  await createServer(toolSocketPath(sessionId)).connect(new LineTransport(process.stdin, process.stdout));
} catch (error) {
  process.stderr.write(`mcp: ${files.session} cannot be read: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
