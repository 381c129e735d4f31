/** `portolan approvals show`: one approval with all that decides it and all that happened to it. */
import type { ApprovalDetail } from '../client/types.ts';
import type { Context } from '../context.ts';
import { formatFields, formatTable } from '../output/table.ts';
import { oneLine, plainText, safeJson } from '../output/text.ts';
import { formatAge, formatClock } from '../output/units.ts';
import { findApproval } from './approvals.ts';

/** Throws CliError `approval_not_found`, `ambiguous`. */
export async function showApproval(context: Context, text: string): Promise<void> {
  const { id } = await findApproval(context, text);
  const approval = await context.api.readApproval(id);
  if (context.json) return context.printJson(approval);
  const { style } = context;
  const now = context.terminal.now();
  context.print(style.bold(oneLine(approval.title)));
  context.print(plainText(approval.question));
  context.print('');
  context.print(formatFields(listFields(approval, now), style));
  if (approval.consequence.length > 0) {
    const heading = approval.state === 'pending' ? 'If approved:' : 'Approving meant:';
    context.print(`\n${heading}\n${approval.consequence.map((line) => `- ${oneLine(line)}`).join('\n')}`);
  }
  context.print(`\nExactly:\n${safeJson(approval.payload)}\n`);
  const columns = [
    { title: 'WHEN', value: ({ at }: ApprovalDetail['history'][number]) => formatClock(at, now) },
    { title: 'WHAT', value: ({ kind }: ApprovalDetail['history'][number]) => kind.replace(/^approval\./, '') },
    { title: 'BY', value: ({ by }: ApprovalDetail['history'][number]) => (by === null ? '–' : by.name || by.id) },
    { title: 'DETAIL', value: describeDetail, minColumns: 20 },
  ];
  context.print(formatTable(approval.history, columns, style, context.tableColumns()));
  if (approval.state === 'pending') {
    const next = [`approve ${approval.code}`, `reject ${approval.code} --because "…"`];
    const commands = next.map((words) => `  ${context.typeable(`portolan approvals ${words}`)}`);
    context.print(`\nNext, type:\n${commands.join('\n')}`);
  }
}

function listFields(approval: ApprovalDetail, now: number): (readonly [string, string])[] {
  const { code, state, quorum, votes, options, reason, note, outcome, decidedBy, decidedAt, expiresAt } = approval;
  const voted = votes.map(
    ({ name, id, choice, counts }) => `${name || id}: ${choice}${counts ? '' : ' (counts no more)'}`,
  );
  const isOpen = state === 'pending';
  return [
    ['code', code],
    ['state', state],
    ['asked by', describeAsker(approval)],
    ['choices', options.map(({ text }, at) => `${at + 1} ${oneLine(text)}`).join(', ')],
    ...(quorum > 1 || voted.length > 0
      ? ([['votes', `${quorum} needed; ${oneLine(voted.join(', ')) || 'none yet'}`]] as const)
      : []),
    ...(reason === null ? [] : ([['reason', `“${oneLine(reason)}”, in the agent’s words`]] as const)),
    ...(decidedBy === null
      ? []
      : ([['decided', `${oneLine(decidedBy.name || decidedBy.id)}, ${formatClock(decidedAt ?? 0, now)}`]] as const)),
    ...(note === null ? [] : ([['because', oneLine(note)]] as const)),
    ...(outcome === null ? [] : ([['outcome', plainText(outcome)]] as const)),
    ...(isOpen ? ([['expires', formatAge(expiresAt, now)]] as const) : []),
  ];
}

function describeAsker({ requester }: ApprovalDetail): string {
  if (requester === null || !requester.isAgent) return 'the host';
  const { agentName, chatName } = requester;
  return `the agent ${oneLine(agentName ?? 'that is gone')}${chatName === null ? '' : `, in “${oneLine(chatName)}”`}`;
}

/** What the other columns do not say already. */
function describeDetail({ detail }: ApprovalDetail['history'][number]): string {
  const told = ['choice', 'note', 'why', 'outcome', 'code'] as const;
  return told.flatMap((key) => (typeof detail[key] === 'string' ? [`${key} ${oneLine(detail[key])}`] : [])).join('; ');
}
