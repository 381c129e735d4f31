/** `portolan approvals policy`: how each action's approvals are decided, and changing that. */
import type { ApprovalPolicy } from '../client/types.ts';
import type { Context } from '../context.ts';
import { formatLength, parseLength } from '../durations.ts';
import { CliError, EXIT } from '../errors.ts';
import { formatTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';

export interface PolicyOptions {
  approvals?: string;
  expires?: string;
  askNext?: string;
}

/** Without options it shows, with options it changes. Throws CliError `unknown_action`, `bad_option`, and the API's. */
export async function runPolicy(context: Context, action: string, options: PolicyOptions): Promise<void> {
  const { items } = await context.api.listApprovalPolicies();
  const patch = readPatch(options);
  if (action === '') {
    if (Object.keys(patch).length > 0) throw badAction('', items);
    return show(context, items, { items });
  }
  const known = items.find((item) => item.action === action);
  if (known === undefined) throw badAction(action, items);
  if (Object.keys(patch).length === 0) return show(context, [known], known);
  const changed = await context.api.changeApprovalPolicy(known, patch);
  show(context, [changed], changed);
}

function show(context: Context, policies: readonly ApprovalPolicy[], json: unknown): void {
  if (context.json) {
    context.printJson(json);
    return;
  }
  const columns = [
    { title: 'ACTION', value: ({ action }: ApprovalPolicy) => action },
    { title: 'APPROVALS', value: ({ quorum }: ApprovalPolicy) => String(quorum) },
    { title: 'EXPIRES', value: ({ expiresAfterMs }: ApprovalPolicy) => formatLength(expiresAfterMs) },
    { title: 'ASKS NEXT', value: ({ askNextAfterMs }: ApprovalPolicy) => formatLength(askNextAfterMs) },
  ];
  context.print(formatTable(policies, columns, context.style, context.tableColumns()));
  const moreAdmins = `Of every agent: ${context.typeable('portolan people grant <person> admin all')}`;
  for (const { action, warning } of policies) {
    if (warning !== null) context.print(`! ${action}: ${warning} ${moreAdmins}`);
  }
}

function readPatch({ approvals, expires, askNext }: PolicyOptions) {
  return {
    ...(approvals === undefined ? {} : { quorum: readCount(approvals) }),
    ...(expires === undefined ? {} : { expiresAfterMs: readTime('--expires', expires) }),
    ...(askNext === undefined ? {} : { askNextAfterMs: readTime('--ask-next', askNext) }),
  };
}

function readCount(text: string): number {
  if (/^[1-5]$/.test(text)) return Number(text);
  throw new CliError(EXIT.usage, 'bad_option', `--approvals does not take "${oneLine(text)}".`, {
    expected: 'a whole number from 1 to 5',
  });
}

function readTime(option: string, text: string): number {
  const lengthMs = parseLength(text);
  if (lengthMs !== null) return lengthMs;
  throw new CliError(EXIT.usage, 'bad_option', `${option} does not take "${oneLine(text)}".`, {
    expected: 'a length of time: 90s, 30m, 24h or 7d',
  });
}

function badAction(action: string, items: readonly ApprovalPolicy[]): CliError {
  const what = action === '' ? 'Say which action to change.' : `There is no action "${oneLine(action)}".`;
  return new CliError(EXIT.usage, 'unknown_action', what, {
    expected: `one of ${items.map((item) => item.action).join(', ')}`,
    next: 'portolan approvals policy',
  });
}
