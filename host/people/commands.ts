/** What people type about people, in any chat: the rules are those of `apply.ts`, the answers are for whoever reads them there. */
import type { AgentGroupId } from '../../shared/ids.ts';
import { mayDecide } from '../access/answer.ts';
import { mayGive } from '../access/people.ts';
import { showSafely } from '../approvals/show.ts';
import type { AgentGroup, AgentStore } from '../store/agents.ts';
import type { WiringStore } from '../store/wirings.ts';
import type { People, PeopleOutcome, PersonGrant } from './apply.ts';
import { describeById, describeChange, TWO_VOICES } from './change-words.ts';
import { Claiming, type ClaimParts } from './claiming.ts';
import { type GrantReading, readGrant } from './grant-words.ts';
import { describeClaim, describeLink } from './link-words.ts';
import { Linking } from './linking.ts';
import { findMeant, listPeople, type Meant, showGrants, showPerson } from './names.ts';
import { type PeopleReply, refuse, type Speaker, say } from './speaker.ts';
import { Tries } from './tries.ts';

/** Members named in one answer. */
const MAX_LISTED = 30;
/** Agents that one answer tells the members of. */
const MAX_AGENTS_LISTED = 10;

/** Channels where this host is the platform: no chat there is the one where somebody is asked. */
const OWN_CHANNELS: ReadonlySet<string> = new Set(['web', 'terminal']);

export interface PeopleCommandParts extends ClaimParts {
  agents: Pick<AgentStore, 'get' | 'getArchived' | 'findByName' | 'list'>;
  wirings: Pick<WiringStore, 'listFor'>;
  /** Somebody can be asked in a chat where they could not be before. */
  onReachable: () => void;
}

type Found = Extract<Meant, { kind: 'found' }>;
type Target = { kind: 'found'; meant: Found; grant: PersonGrant } | { kind: 'reply'; reply: PeopleReply };

export class PeopleCommands {
  readonly #parts: PeopleCommandParts;
  readonly #people: People;
  readonly #linking: Linking;
  readonly #claiming: Claiming;

  constructor(parts: PeopleCommandParts, people: People) {
    this.#parts = parts;
    this.#people = people;
    this.#linking = new Linking(parts, people, new Tries());
    this.#claiming = new Claiming(parts, people, new Tries());
  }

  /** Where others read along, who they are elsewhere is left out: that is theirs to tell. */
  whoAmI({ id, name, isPrivate }: Speaker): PeopleReply {
    const person = this.#people.get(id);
    const here = showPerson({ identities: [{ userId: id, displayName: name }] });
    if (person === null || !this.#parts.users.isKnownAnywhere(id)) {
      return say(`You are ${here}. Nobody has given you a role here; an admin can, by this id.`);
    }
    return say(`You are ${isPrivate ? showPerson(person) : here}: ${showGrants(person.grants, this.#nameOf)}.`);
  }

  /** Null: of all agents whose people the speaker may see. */
  listMembers({ id }: Speaker, agent: AgentGroup | null): PeopleReply {
    const roles = this.#parts.users.rolesOf(id);
    const mine = (agent === null ? this.#parts.agents.list(MAX_AGENTS_LISTED) : [agent]).filter((one) =>
      mayDecide(roles, one.id),
    );
    if (mine.length === 0) return refuse('The people of an agent are shown to its admins.');
    return say(mine.map((one) => this.#listOf(one)).join('\n\n'));
  }

  #listOf({ id, name }: AgentGroup): string {
    const people = this.#people.list(MAX_LISTED + 1, null, { agentGroupIds: [id] });
    const lines = people.slice(0, MAX_LISTED).map((person) => {
      const here = person.grants.filter(({ agentGroupId }) => agentGroupId === null || agentGroupId === id);
      return `· ${showPerson(person)}: ${showGrants(here, this.#nameOf)}`;
    });
    const more = people.length > MAX_LISTED ? ['· … and more; all of them: `npx portolan people --agent`'] : [];
    return [`${showSafely(name)}:`, ...lines, ...more].join('\n');
  }

  grant(speaker: Speaker, typed: string): PeopleReply {
    return this.#change(speaker, typed, 'grant');
  }

  revoke(speaker: Speaker, typed: string): PeopleReply {
    return this.#change(speaker, typed, 'revoke');
  }

  #change(speaker: Speaker, typed: string, verb: 'grant' | 'revoke'): PeopleReply {
    const target = this.#readTarget(speaker, typed, verb);
    if (target.kind === 'reply') return target.reply;
    const { meant, grant } = target;
    const { userId } = meant;
    if (verb === 'grant' && this.#needsId(speaker, meant, grant)) return say(describeById(meant, grant, this.#nameOf));
    const outcome = this.#people[verb]({ by: { userId: speaker.id, isMachine: false }, userId, grant });
    return describeChange(outcome, verb, grant, this.#nameOf);
  }

  /** Who is to decide is named by id; who may not give that hears so first. */
  #needsId({ id }: Speaker, { isByName }: Found, grant: PersonGrant): boolean {
    if (!isByName || grant.role === 'member') return false;
    return mayGive({ personId: id, grants: this.#people.get(id)?.grants ?? [], isMachine: false }, grant);
  }

  /** The one reading that names an agent and a person that there are; else what is wrong with the likeliest. */
  #readTarget(speaker: Speaker, typed: string, verb: string): Target {
    const readings = readGrant(typed).map((reading) => this.#resolve(speaker, reading));
    const found = readings.filter((one) => one.kind === 'found');
    const [only, ...others] = found;
    if (only !== undefined && others.length === 0) return only;
    if (only !== undefined) return ask('This can be read in more than one way: name the person by id.');
    return readings[0] ?? ask(`Whom, and as what? /${verb} <person> owner, admin <agent> (or all), or member <agent>.`);
  }

  #resolve(speaker: Speaker, { who, role, of }: GrantReading): Target {
    const grant = this.#readGrant(speaker, role, of);
    if (typeof grant === 'string') return ask(grant);
    const meant = findMeant(who, speaker, {
      get: (id) => this.#people.get(id),
      findNamed: (name, limit, knownOnly) => this.#parts.persons.findNamed(name, limit, knownOnly),
    });
    return meant.kind === 'found' ? { kind: 'found', meant, grant } : ask(this.#explain(who, meant));
  }

  /** Text: what is missing. */
  #readGrant(speaker: Speaker, role: GrantReading['role'], of: string): PersonGrant | string {
    if (role === 'owner')
      return of === '' ? { role, agentGroupId: null } : 'An owner is owner of everything: name no agent.';
    if (role === 'admin' && /^(all|everything)$/i.test(of)) return { role, agentGroupId: null };
    if (role === 'admin' && of === '') return 'Admin of which agent? Name it after "admin", or say "admin all".';
    const agent = of === '' ? this.#onlyAgentHere(speaker) : this.#findAgent(of);
    if (agent !== null) return { role, agentGroupId: agent.id };
    if (of === '') return 'Member of which agent? Name it after "member".';
    return `There is no agent “${showSafely(of)}”. /agents lists them.`;
  }

  #onlyAgentHere({ chatId }: Speaker): { id: AgentGroupId } | null {
    const [wiring, ...others] = chatId === null ? [] : this.#parts.wirings.listFor(chatId);
    return wiring === undefined || others.length > 0 ? null : { id: wiring.agentGroupId };
  }

  #findAgent(text: string): AgentGroup | null {
    return this.#parts.agents.findByName(
      text
        .replace(/^["“”„]+|["“”]+$/gu, '')
        .normalize('NFKC')
        .trim(),
    );
  }

  #explain(who: string, meant: Exclude<Meant, { kind: 'found' }>): string {
    const shown = showSafely(who);
    switch (meant.kind) {
      case 'none':
        return `I know nobody called “${shown}”. Whoever wrote to me once can be named by id; they see theirs with /whoami.`;
      case 'ambiguous':
        return `“${shown}” are several. Name one by id:\n${listPeople(meant.people, this.#nameOf)}`;
      case 'stranger':
        return (
          `“${shown}” has no role here, and anybody may call themselves so. If this is who you mean, name them by id:\n` +
          listPeople(meant.people, this.#nameOf)
        );
    }
  }

  /** '' asks for a code; `CODE` and `CODE yes` go on. */
  link(speaker: Speaker, typed: string): PeopleReply {
    const words = typed.trim();
    if (words === '') return describeLink(this.#linking.start(speaker), this.#nameOf);
    const yes = /\s+yes$/i.exec(words);
    const code = yes === null ? words : words.slice(0, yes.index);
    const outcome = this.#linking.type(speaker, code, yes !== null);
    if (outcome.kind === 'joined') this.#noteReachable(speaker);
    return describeLink(outcome, this.#nameOf);
  }

  /** Without words: the identity that speaks leaves; else the named one, of the speaker's own. */
  unlink(speaker: Speaker, typed: string): PeopleReply {
    const own = this.#people.get(speaker.id)?.identities ?? [];
    const text = typed.trim().replace(/^`|`$/g, '');
    const other = text === '' || /^me$/i.test(text) ? speaker.id : own.find(({ userId }) => userId === text)?.userId;
    if (other === undefined) {
      return say(`You have no identity “${showSafely(text)}” here. Yours: ${showPerson({ identities: own })}.`);
    }
    return this.#describeUnlink(this.#linking.unlink(speaker, other));
  }

  #describeUnlink(outcome: PeopleOutcome): PeopleReply {
    if (outcome.kind === 'changed') {
      return say(
        `Done: ${showPerson(outcome.person)} is on its own: ${showGrants(outcome.person.grants, this.#nameOf)}.`,
      );
    }
    if (outcome.kind === 'refused') {
      return refuse(outcome.reason === 'two_voices' ? TWO_VOICES : 'That is not yours to part.');
    }
    return say('You are not linked with any other identity. /link begins that.');
  }

  claim(speaker: Speaker, typed: string): PeopleReply {
    const outcome = this.#claiming.claim(speaker, typed);
    if (outcome.kind === 'claimed') this.#noteReachable(speaker);
    return describeClaim(outcome);
  }

  /** They may be asked here from now on. */
  #noteReachable({ id, channelType, chatId, isPrivate }: Speaker): void {
    if (!isPrivate || chatId === null || OWN_CHANNELS.has(channelType)) return;
    // After the commit that this is in.
    if (this.#parts.users.notePrivateChat(id, channelType, chatId)) queueMicrotask(() => this.#parts.onReachable());
  }

  readonly #nameOf = (id: AgentGroupId): string | null =>
    this.#parts.agents.get(id)?.name ?? this.#parts.agents.getArchived(id)?.name ?? null;
}

function ask(text: string): Target {
  return { kind: 'reply', reply: say(text) };
}
