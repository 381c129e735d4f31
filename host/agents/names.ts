/**
 * Names of agents, and the folders made from them. Pure.
 *
 * A name is what people read, in any script; a folder is one path component of a–z, 0–9 and "-".
 *
 * I1. A folder name comes out of `planFolder` alone, and matches FOLDER_NAME: it cannot leave groups/.
 * I2. Two agents' names never look alike, so that nobody writes to one and means the other; nor does one look like
 *     the host's.
 */
import type { AgentGroupId } from '../../shared/ids.ts';
import { LOCAL_NAME } from '../../shared/protocol.ts';
import { MAX_FOLDER_LENGTH, MAX_NAME_LENGTH } from './limits.ts';
import { CONFUSABLE_SCRIPTS, foldLookAlikes, spellInAscii } from './look-alikes.ts';

/** The same shape as a destination's name, so that a folder can be one. */
const FOLDER_NAME = LOCAL_NAME;

/**
 * Folders that mean something else: the host's own in groups/, and names that other systems cannot hold, so
 * that a home can be copied to them. Source: Windows' reserved device names.
 */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d|template|making|archive|groups|node-modules|git)$/;

/** Names, as `foldName` shapes them, under which the host speaks: to people in chats, and to agents as the sender of a message. */
const HOST_NAMES = /^(portolan(-.*)?|host|schedule)$/;

export type NameCheck = { kind: 'fine'; name: string } | { kind: 'refused'; reason: string; suggestion: string | null };

/**
 * Whether an agent may be called this, among `others` (names of the agents that there are). A fine name comes
 * back in its normal form (NFKC, single spaces). `reason` says what was wrong and what is expected.
 */
export function checkName(text: string, others: readonly string[]): NameCheck {
  const name = text.normalize('NFKC').replace(/\s+/gu, ' ').trim();
  const problem = findProblem(name);
  if (problem !== null) return { kind: 'refused', reason: problem, suggestion: null };
  const folder = toFolder(name);
  if (folder !== null && RESERVED.test(folder)) {
    return { kind: 'refused', reason: `"${name}" is a reserved name`, suggestion: suggest(`${name} agent`, others) };
  }
  const shape = foldName(name);
  if (HOST_NAMES.test(shape)) {
    return { kind: 'refused', reason: `"${name}" reads like the host itself`, suggestion: null };
  }
  const twin = others.find((other) => foldName(other) === shape);
  if (twin === undefined) return { kind: 'fine', name };
  const reason = twin === name ? `there is an agent "${twin}" already` : `"${name}" looks like the agent "${twin}"`;
  return { kind: 'refused', reason, suggestion: suggest(name, others) };
}

function findProblem(name: string): string | null {
  // Joiners are part of many emoji; anywhere else what cannot be seen makes names that look alike.
  const visible = name.replace(EMOJI_SEQUENCE, '*');
  if (name === '') return 'a name needs at least one letter or digit';
  if ([...name].length > MAX_NAME_LENGTH) return `a name is at most ${MAX_NAME_LENGTH} characters`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u.test(visible)) return 'a name has no invisible characters';
  if (/[/\\]/.test(name)) return 'a name is not a path: it has no "/" and no "\\"';
  if (!/[\p{L}\p{N}]/u.test(name)) return 'a name needs at least one letter or digit';
  if (/\p{Script=Latin}/u.test(name) && CONFUSABLE_SCRIPTS.test(name)) {
    return 'a name does not mix Latin letters with letters of another script that look like them';
  }
  return null;
}

const EMOJI_SEQUENCE =
  /\p{Extended_Pictographic}(?:\p{EMod}|\ufe0f)*(?:\u200d\p{Extended_Pictographic}(?:\p{EMod}|\ufe0f)*)*/gu;

/** Names that people could take for each other have one shape (I2). Modifier letters look like punctuation. */
function foldName(name: string): string {
  return foldLookAlikes(name)
    .replace(/(?:[^\p{L}\p{N}]|[\u02b0-\u02ff])+/gu, '-')
    .replace(/^-|-$/g, '');
}

function suggest(name: string, others: readonly string[]): string {
  const taken = new Set(others.map(foldName));
  for (let number = 2; ; number++) {
    const suffix = ` ${number}`;
    const candidate = `${[...name]
      .slice(0, MAX_NAME_LENGTH - suffix.length)
      .join('')
      .trimEnd()}${suffix}`;
    if (number === 2 && !taken.has(foldName(name)) && [...name].length <= MAX_NAME_LENGTH) return name;
    if (!taken.has(foldName(candidate))) return candidate;
  }
}

/**
 * The folder of an agent of this name (which `checkName` found fine): from its Latin letters and digits, or
 * from its id when it has none; numbered while `isTaken`, which must not regard case.
 */
export function planFolder(name: string, id: AgentGroupId, isTaken: (folder: string) => boolean): string {
  const spelt = toFolder(name);
  const base = spelt === null || RESERVED.test(spelt) ? `agent-${id.slice(-8)}` : spelt;
  for (let number = 1; ; number++) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!FOLDER_NAME.test(folder)) throw new Error(`not a folder name: ${folder}`);
    if (!isTaken(folder)) return folder;
  }
}

/** Null when too little of the name can be spelt in ASCII to know it by. */
function toFolder(name: string): string | null {
  const slug = spellInAscii(name)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_FOLDER_LENGTH)
    .replace(/-+$/, '');
  const isForeign = /[^\p{ASCII}]/u.test(spellInAscii(name).replace(/[^\p{L}\p{N}]/gu, ''));
  if (slug === '' || (isForeign && !/[a-z]/.test(slug))) return null;
  return slug;
}
