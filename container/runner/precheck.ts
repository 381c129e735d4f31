/**
 * A task's own check: a script of the agent that runs before the agent is woken, and may decide that it is
 * not. Its last line of output is JSON: `{"wake": false}`, or `{"wake": true, "data": …}`.
 *
 * I1. Only for tasks, which the host alone makes: what people and other agents write is never run.
 * I2. Whatever goes wrong wakes the agent and tells it: a broken check must not silence a task.
 * I3. Nothing of a check outlives it: its whole process group is killed.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { SCRIPT_TIMEOUT_MS } from '../../shared/limits.ts';
import { type BoundedRun, runBounded } from './bounded-run.ts';
import type { CheckResult } from './format.ts';
import { describeError, log } from './log.ts';
import type { InboundMessage } from './message.ts';
import { cleanEnvironment, type ProgramPlace } from './process-group.ts';

/** What a check may print. Higher: memory, and long prompts. Lower: a list of new mails does not fit. */
const MAX_OUTPUT_BYTES = 64 * 1024;
/** What the agent sees of a failed check. Higher: long prompts. Lower: the error is cut off. */
const MAX_TAIL_CHARS = 2_000;
/** Checks that run at once. Higher: a burst of tasks fills memory. Lower: people wait behind it. */
const MAX_PARALLEL = 4;
/** What is declared beyond the checks' own time: starting and killing them. */
const SLACK_MS = 5_000;

const verdictSchema = z.object({ wake: z.boolean(), data: z.unknown().optional() });

export interface CheckPlace extends ProgramPlace {
  agentFolder: string;
  /** Says that the turn may take this long; disposed when the checks are over. */
  declare: (timeoutMs: number) => Disposable;
  signal: AbortSignal;
}

export interface Checked {
  message: InboundMessage;
  result: CheckResult | { kind: 'quiet' };
}

/** Runs the checks of a batch; messages without one are not in the result. */
export async function runPrechecks(batch: readonly InboundMessage[], place: CheckPlace): Promise<Checked[]> {
  const waiting = batch.filter((message) => scriptOf(message) !== null);
  if (waiting.length === 0) return [];
  using _declared = place.declare(Math.ceil(waiting.length / MAX_PARALLEL) * SCRIPT_TIMEOUT_MS + SLACK_MS);
  const checked: Checked[] = [];
  const work = async (): Promise<void> => {
    for (let message = waiting.shift(); message && !place.signal.aborted; message = waiting.shift()) {
      checked.push({ message, result: await runCheck(scriptOf(message) ?? '', place) });
    }
  };
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, waiting.length) }, work));
  return checked;
}

/** I1. */
function scriptOf({ kind, sourceSessionId, content }: InboundMessage): string | null {
  return kind === 'task' && sourceSessionId === null ? (content.task?.script ?? null) : null;
}

async function runCheck(script: string, place: CheckPlace): Promise<Checked['result']> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'portolan-check-'));
  try {
    const file = join(folder, 'check.sh');
    await writeFile(file, script, { mode: 0o600 });
    const run = await runBounded({
      command: '/bin/sh',
      args: [file],
      cwd: place.agentFolder,
      env: { ...cleanEnvironment(place), TMPDIR: folder },
      timeoutMs: SCRIPT_TIMEOUT_MS,
      maxOutputBytes: MAX_OUTPUT_BYTES,
      signal: place.signal,
    });
    const result = judge(run);
    const ms = Math.round(performance.now() - startedAt);
    log.info('a task was checked', { result: result.kind, ms, bytes: run.output.length });
    return result;
  } catch (error) {
    // No room for the file, no more processes.
    if (!(error instanceof Error && 'code' in error)) throw error;
    log.warn('a task could not be checked', { error: describeError(error) });
    return { kind: 'failed', problem: `the check could not be run (${String(error.code)})`, output: '' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function judge({ ended, stdout, output }: BoundedRun): Checked['result'] {
  const failed = (problem: string): CheckResult => ({ kind: 'failed', problem, output: tail(output) });
  switch (ended.kind) {
    case 'timeout':
      return failed(`it did not end within ${SCRIPT_TIMEOUT_MS / 1_000} s`);
    case 'flood':
      return failed(`it printed more than ${MAX_OUTPUT_BYTES / 1_024} KiB`);
    case 'signal':
      return failed(`it was ended by ${ended.signal}`);
    case 'exit':
      if (ended.code !== 0) return failed(`it ended with exit code ${ended.code}`);
  }
  const verdict = parseVerdict(stdout);
  if (verdict === null) return failed('its last line is not JSON with "wake": true or false');
  if (!verdict.wake) return { kind: 'quiet' };
  return { kind: 'data', json: verdict.data === undefined ? null : JSON.stringify(verdict.data) };
}

function parseVerdict(stdout: string): z.infer<typeof verdictSchema> | null {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const parsed = verdictSchema.safeParse(JSON.parse(last));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function tail(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= MAX_TAIL_CHARS ? trimmed : `…${trimmed.slice(-MAX_TAIL_CHARS)}`;
}
