/** `portolan approvals` and `portolan answer`: what the host and its agents ask of people, and the answers. */
import { isId } from '../../../shared/ids.ts';
import type { Approval } from '../client/types.ts';
import type { Context } from '../context.ts';
import { CliError, EXIT } from '../errors.ts';
import { findMessage } from '../find.ts';
import { isIdPart } from '../match.ts';
import { formatTable } from '../output/table.ts';
import { oneLine, truncate } from '../output/text.ts';
import { formatAge } from '../output/units.ts';

export interface ApprovalFilter {
  limit: number;
  all?: boolean;
}

/** What stands on a card. */
const CODE = /^[0-9a-z]{4}$/i;
/** How far back a shortened id is looked for. */
const RECENT_APPROVALS = 1_000;

/** Those that wait, or all, newest first. */
export async function listApprovals(context: Context, { limit, all }: ApprovalFilter): Promise<void> {
  const page = await context.api.listApprovals({ state: all === true ? undefined : 'pending' }, limit);
  if (context.json) {
    context.printJson(page);
    return;
  }
  if (page.items.length === 0) {
    context.print(all === true ? 'Nothing was asked of an admin yet.' : 'Nothing waits for an admin.');
    return;
  }
  const now = context.terminal.now();
  const columns = [
    { title: 'CODE', value: ({ code }: Approval) => code },
    { title: 'STATE', value: describeState },
    { title: 'ASKED', value: ({ createdAt }: Approval) => formatAge(createdAt, now) },
    { title: 'WHAT', value: describeApproval, minColumns: 16 },
    { title: 'IF APPROVED', value: ({ consequence }: Approval) => consequence.join('; '), minColumns: 12 },
    { title: 'CHOICES', value: ({ options }: Approval) => listOptions(options), minColumns: 12 },
  ];
  context.print(formatTable(page.items, columns, context.style, context.tableColumns()));
  if (page.nextCursor !== null) context.print(context.style.dim('… more; ask for them with --limit'));
}

export interface Because {
  because?: string;
}

/** `choice` is an option's text or its number. Throws CliError `approval_not_found`, `ambiguous`, and the API's. */
export async function decideApproval(
  context: Context,
  id: string,
  choice: string,
  { because }: Because,
): Promise<void> {
  const { id: whole } = await findApproval(context, id);
  const approval = await context.api.decideApproval(whole, choice, because);
  if (context.json) return context.printJson(approval);
  const title = truncate(oneLine(approval.title), 60);
  if (approval.state === 'pending') {
    const approved = approval.votes.filter(({ counts }) => counts).length;
    context.print(`Your voice counts for ${title}: ${approved} of ${approval.quorum} approved.`);
  } else {
    const isOpen = approval.state === 'approved' || approval.state === 'rejected';
    const more = isOpen ? ` What comes of it: ${context.typeable(`portolan approvals show ${approval.code}`)}` : '';
    context.print(
      `${oneLine(approval.choice ?? choice)}: ${title}${/[.?!]$/.test(title) ? '' : '.'} It is ${approval.state}.${more}`,
    );
  }
}

/** `choice` '': the one that approves. */
export function approve(context: Context, id: string, choice: string, because: Because): Promise<void> {
  return decideApproval(context, id, choice === '' ? 'approve' : choice, because);
}

export function reject(context: Context, id: string, because: Because): Promise<void> {
  return decideApproval(context, id, 'reject', because);
}

/** Answers the question of a message; `last` is the newest that waits. */
export async function answerQuestion(context: Context, id: string, choice: string): Promise<void> {
  const { id: whole } = await findMessage(context.api, id, (message) => message.question?.state === 'pending');
  const message = await context.api.answerMessage(whole, choice);
  if (context.json) context.printJson(message);
  else context.print(`Answered: “${oneLine(message.question?.answer ?? choice)}”.`);
}

/** By code, id, or a part of an id. Throws CliError `approval_not_found`, `ambiguous`. */
export async function findApproval({ api }: Context, text: string): Promise<Approval> {
  if (isId('approval', text)) return api.readApproval(text);
  const [named] = CODE.test(text) ? (await api.listApprovals({ code: text }, 1)).items : [];
  if (named !== undefined) return named;
  const { items } = await api.listApprovals({}, RECENT_APPROVALS);
  const found = items.filter(({ id }) => isIdPart(id, text));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  const expected = 'a code, or an id, or its beginning or end, from `portolan approvals`';
  if (first === undefined) {
    throw new CliError(EXIT.notFound, 'approval_not_found', `There is no approval "${oneLine(text)}".`, {
      expected,
      next: 'portolan approvals',
    });
  }
  throw new CliError(EXIT.usage, 'ambiguous', `"${oneLine(text)}" fits ${found.length} approvals.`, { expected });
}

function describeState({ state, quorum, votes }: Approval): string {
  if (state !== 'pending' || quorum === 1) return state;
  return `${state} ${votes.filter(({ counts }) => counts).length}/${quorum}`;
}

function describeApproval({ title, outcome }: Approval): string {
  return outcome === null ? title : `${title}: ${outcome}`;
}

function listOptions(options: Approval['options']): string {
  return options.map(({ text }, at) => `${at + 1} ${text}`).join(', ');
}
