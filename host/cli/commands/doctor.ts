/** `portolan doctor`: what is wrong, and the exact command that mends it. Works with the host down. */
import { PROTOCOL_VERSION } from '../../../shared/protocol.ts';
import type { Context } from '../context.ts';
import { gatherFacts } from '../doctor/gather.ts';
import { type Finding, planFindings } from '../doctor/plan.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { displayWidth, oneLine, pad } from '../output/text.ts';
import { typeable } from '../output/typeable.ts';

/** Returns `checkFailed` when at least one check failed; warnings alone are fine. */
export async function runDoctor(context: Context): Promise<ExitCode> {
  const { paths, terminal } = context;
  const facts = await gatherFacts({ paths, env: terminal.env, now: terminal.now() });
  const findings = planFindings(facts, PROTOCOL_VERSION);
  const failed = findings.filter((finding) => finding.verdict === 'failed').length;
  if (context.json) context.printJson({ ok: failed === 0, findings });
  else printFindings(context, findings, failed);
  return failed === 0 ? EXIT.ok : EXIT.checkFailed;
}

function printFindings(context: Context, findings: readonly Finding[], failed: number): void {
  const { style } = context;
  const marks = { ok: style.green('✓'), warning: style.yellow('!'), failed: style.red('✗') };
  const width = Math.max(...findings.map((finding) => displayWidth(finding.title)));
  for (const finding of findings) {
    context.print(`${marks[finding.verdict]} ${pad(finding.title, width)}  ${oneLine(finding.detail)}`);
    if (finding.fix !== null)
      context.print(
        `  ${' '.repeat(width)}  ${style.dim('fix:')} ${style.bold(typeable(oneLine(finding.fix), context.terminal, context.paths.home))}`,
      );
  }
  const warnings = findings.filter((finding) => finding.verdict === 'warning').length;
  const counts = [
    ...(failed > 0 ? [style.red(`${failed} failed`)] : []),
    ...(warnings > 0 ? [style.yellow(`${warnings} to look at`)] : []),
  ];
  context.print(counts.length === 0 ? `\n${style.green('All is well.')}` : `\n${counts.join(', ')}`);
}
