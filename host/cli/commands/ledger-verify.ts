/**
 * `portolan ledger verify`: has the script that stands alone check the file, so that neither this program nor the
 * host has to be believed; the host may run or not.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { projectRoot } from '../../config/home.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT, type ExitCode } from '../errors.ts';
import { oneLine } from '../output/text.ts';

interface VerifyOptions {
  expect?: string;
  since?: string;
}

/** How the script ends. */
const [HOLDS, BROKEN, USAGE] = [0, 1, 2];

export async function verifyLedger(context: Context, { expect, since }: VerifyOptions): Promise<ExitCode> {
  const words = [
    join(projectRoot(), 'scripts', 'verify-ledger.mjs'),
    context.paths.centralDb,
    ...(expect === undefined ? [] : ['--expect', expect]),
    ...(since === undefined ? [] : ['--since', since]),
    ...(context.json ? ['--json'] : []),
  ];
  const { code, out, err } = await run(words);
  if (code === HOLDS || code === BROKEN) {
    context.print(out.trimEnd());
    return code === HOLDS ? EXIT.ok : EXIT.checkFailed;
  }
  if (code === USAGE) {
    throw new CliError(EXIT.usage, 'usage', 'A hash or an entry is not of the shape it has.', {
      expected: '--expect <64 hex digits>, --since <position>:<64 hex digits>',
      next: 'portolan ledger verify --help',
    });
  }
  throw new CliError(EXIT.failed, 'ledger_unreadable', `The ledger cannot be read: ${oneLine(err)}.`, {
    next: 'portolan doctor',
  });
}

function run(words: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}
