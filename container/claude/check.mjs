/** Runs in the build of the image: the program for this processor must be there, and must start. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(import.meta.url);
const program = resolve(`@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}/claude`);
console.log(execFileSync(program, ['--version'], { encoding: 'utf8', timeout: 60_000 }).trim());
await import(pathToFileURL(resolve('@anthropic-ai/claude-agent-sdk')).href);
