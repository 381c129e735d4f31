/** `portolan provider test`: one real call to an agent's model, and what came of it. */
import { modelServiceOf } from '../../../shared/providers.ts';
import type { Context } from '../context.ts';
import { EXIT, type ExitCode } from '../errors.ts';
import { findAgent } from '../find.ts';
import { oneLine } from '../output/text.ts';

/** `failed` when the call did not go through. Throws CliError of `findAgent`, and the API's `busy`, `too_often`. */
export async function testProvider(context: Context, name: string): Promise<ExitCode> {
  const { api, style, terminal } = context;
  const agent = await findAgent(api, name);
  const isCalled = modelServiceOf(agent) !== null;
  if (isCalled && !context.json && terminal.isInteractive) {
    context.print(style.dim('Trying one call, in a container of its own …'));
  }
  const { ok, code, text, said, next, models } = await api.testProvider(agent.id);
  if (context.json) {
    context.printJson({ ok, code, text, said, next, models });
    return ok ? EXIT.ok : EXIT.failed;
  }
  context.print(`${ok ? style.green('✓') : style.red('✗')} ${oneLine(text)}`);
  if (said !== null) context.print(`  ${style.dim('it said:')} ${oneLine(said)}`);
  if (models.length > 0) context.print(`  ${style.dim('it has:')} ${models.map(oneLine).join(', ')}`);
  if (next !== null) context.print(`\nNext, type:\n  ${context.typeable(oneLine(next))}`);
  return ok ? EXIT.ok : EXIT.failed;
}
