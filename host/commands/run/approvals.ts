/** `/approvals`, `/approve` and `/reject`: what waits for this person, and their decision by its code. */
import type { UserId } from '../../../shared/ids.ts';
import type { Approval } from '../../store/approvals.ts';
import { MAX_LISTED, MAX_LOOKED_THROUGH } from '../limits.ts';
import { parseDecision } from '../parse.ts';
import type { Call, CommandParts, Reply } from '../ports.ts';
import { count } from '../words.ts';

/** What waits for this person, newest first. */
export function listDecidable(approvals: CommandParts['approvals'], by: UserId): Approval[] {
  return approvals.list(MAX_LOOKED_THROUGH, null, 'pending').filter(({ id }) => approvals.mayDecide(id, by));
}

export function listApprovals({ speaker }: Call, { approvals }: CommandParts): Reply {
  const open = listDecidable(approvals, speaker.id);
  if (open.length === 0) return { kind: 'said', text: 'Nothing waits for your decision.' };
  const head = `${count(open.length, 'approval waits', 'approvals wait')} for your decision:`;
  return { kind: 'said', text: [head, open.slice(0, MAX_LISTED).map(describeApproval).join('\n')].join('\n\n') };
}

/** Titles and consequences are the host's words, with what others wrote made safe when they were asked. */
function describeApproval({ code, title, consequence, options }: Approval): string {
  const what = consequence.length === 0 ? '' : `: ${consequence.join('; ')}`;
  return `- \`${code}\` ${title}${what} (${options.map(({ text }) => text).join(', ')})`;
}

export function approve(call: Call, parts: CommandParts): Reply {
  const { code, option, because } = parseDecision(call.rest);
  if (code === '') return { kind: 'usage', text: 'Which one? Its card shows the code.' };
  return decide(call, parts, code, option === '' ? 'approve' : option, because);
}

export function reject(call: Call, parts: CommandParts): Reply {
  const { code, option, because } = parseDecision(call.rest);
  if (code === '') return { kind: 'usage', text: 'Which one? Its card shows the code.' };
  // "because" is easily forgotten; what follows the code can be nothing else.
  return decide(call, parts, code, 'reject', because === '' ? option : because);
}

function decide(
  { speaker, chat }: Call,
  { approvals }: CommandParts,
  code: string,
  choice: string,
  note: string,
): Reply {
  const { id: by, name: byName } = speaker;
  const { kind, words } = approvals.decideByCode({ code, choice, note, by, byName, from: chat?.id ?? null });
  return { kind: kind === 'accepted' ? 'said' : 'refused', text: words };
}
