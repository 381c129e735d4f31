/** `/approvals`, `/approve` and `/reject`: what waits for this person, and their decision by its code. */
import type { UserId } from '../../../shared/ids.ts';
import type { Approval } from '../../store/approvals.ts';
import { MAX_ANSWER_LENGTH, MAX_LISTED, MAX_LOOKED_THROUGH } from '../limits.ts';
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
  const lines = fitLines(open.slice(0, MAX_LISTED).map(describeApproval), MAX_ANSWER_LENGTH - head.length - MAX_TAIL);
  const left = open.length - lines.length;
  const tail = left === 0 ? [] : [`… and ${left} more: the console shows all.`];
  return { kind: 'said', text: [head, [...lines, ...tail].join('\n')].join('\n\n') };
}

/** Characters of what approving does, that a list has room for. Nothing is cut: half of a command is another command. */
const MAX_SHOWN_CONSEQUENCE = 300;
/** Of the line that says how many are left out. */
const MAX_TAIL = 60;

/** Those that fit, whole, in their order. */
function fitLines(lines: readonly string[], room: number): string[] {
  let left = room;
  const end = lines.findIndex((line) => {
    left -= line.length + 1;
    return left < 0;
  });
  return lines.slice(0, end === -1 ? lines.length : end);
}

/** Titles and consequences are the host's words, with what others wrote made safe when they were asked. */
function describeApproval({ code, title, consequence, options }: Approval): string {
  const does = consequence.join('; ');
  const shown = does.length > MAX_SHOWN_CONSEQUENCE ? 'too long for this list, its card shows it' : does;
  return `- \`${code}\` ${title}${shown === '' ? '' : `: ${shown}`} (${options.map(({ text }) => text).join(', ')})`;
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
