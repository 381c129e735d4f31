/** A store with agents and people, and what they type to the host. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { projectRoot } from '../../../host/config/home.ts';
import { People, type PersonGrant } from '../../../host/people/apply.ts';
import { PeopleCommands } from '../../../host/people/commands.ts';
import type { Speaker } from '../../../host/people/speaker.ts';
import { AgentStore } from '../../../host/store/agents.ts';
import { ChatStore } from '../../../host/store/chats.ts';
import { openCentralDb } from '../../../host/store/database.ts';
import { IdentityCodeStore } from '../../../host/store/identity-codes.ts';
import { Ledger } from '../../../host/store/ledger.ts';
import { LoginStore } from '../../../host/store/logins.ts';
import { PersonStore } from '../../../host/store/persons.ts';
import { UserStore } from '../../../host/store/users.ts';
import { WiringStore } from '../../../host/store/wirings.ts';
import type { UserId } from '../../../shared/ids.ts';
import { makeTempHome } from '../../support/temp-home.ts';

export const OWNER = 'web:owner' as UserId;
export const ANNA = 'telegram:1' as UserId;
export const ANNA_SLACK = 'slack:U1' as UserId;
export const BEN = 'telegram:2' as UserId;
export const CLEO = 'telegram:3' as UserId;
export const MALLORY = 'telegram:666' as UserId;

export class Town {
  readonly home = makeTempHome();
  readonly db = openCentralDb(this.home.centralDb, join(projectRoot(), 'migrations', 'central'));
  readonly users = new UserStore(this.db);
  readonly persons = new PersonStore(this.db);
  readonly agents = new AgentStore(this.db);
  readonly chats = new ChatStore(this.db);
  readonly wirings = new WiringStore(this.db);
  readonly ledger = new Ledger(this.db);
  readonly logins = new LoginStore(this.db);
  readonly identityCodes = new IdentityCodeStore(this.db);
  time = 1_700_000_000_000;
  reachable = 0;
  readonly now = () => this.time;
  readonly commit = <T>(work: () => T): T => this.db.transaction(work)();
  readonly people = new People(this);
  readonly commands = new PeopleCommands({ ...this.#parts(), onReachable: () => void this.reachable++ }, this.people);
  readonly main = this.agents.create({ name: 'main', folder: 'main', now: this.time });
  readonly cook = this.agents.create({ name: 'Ship cook', folder: 'ship-cook', now: this.time });

  constructor() {
    onTestFinished(() => void this.db.close());
    for (const [id, name] of [
      [OWNER, 'Owner'],
      [ANNA, 'Anna'],
      [BEN, 'Ben'],
      [CLEO, 'Cleo'],
    ] as const) {
      this.users.ensure(id, name, this.time++);
    }
    this.users.grant(OWNER, 'owner', null, null, this.time);
  }

  #parts() {
    const { users, persons, agents, wirings, ledger, logins, identityCodes, commit, now } = this;
    return { users, persons, agents, wirings, ledger, logins, identityCodes, commit, now };
  }

  /** Somebody in a private chat with the host. */
  as(id: UserId, more: Partial<Speaker> = {}): Speaker {
    const name = this.users.get(id)?.displayName ?? 'Mallory';
    return { id, name, isPrivate: true, channelType: id.split(':')[0] ?? '', chatId: null, ...more };
  }

  say(id: UserId, command: 'grant' | 'revoke' | 'link' | 'unlink' | 'claim', typed = '', more: Partial<Speaker> = {}) {
    return this.commands[command](this.as(id, more), typed).text;
  }

  grant(userId: UserId, grant: PersonGrant, by = OWNER) {
    return this.people.grant({ by: { userId: by, isMachine: false }, userId, grant });
  }

  revoke(userId: UserId, grant: PersonGrant, by = OWNER) {
    return this.people.revoke({ by: { userId: by, isMachine: false }, userId, grant });
  }

  /** The whole ceremony, begun by `one`. */
  link(one: UserId, other: UserId) {
    const first = readCode(this.say(one, 'link'));
    const second = readCode(this.say(other, 'link', first));
    this.say(one, 'link', second);
    return this.say(one, 'link', `${second} yes`);
  }

  roles(id: UserId): string[] {
    return this.users.rolesOf(id).map(({ role, agentGroupId }) => `${role} ${agentGroupId ?? 'all'}`);
  }

  /** Kinds of all entries about people. */
  recorded(): string[] {
    return this.db.prepare<[], string>('SELECT kind FROM ledger ORDER BY position').pluck().all();
  }
}

export function readCode(text: string): string {
  const code = /\/link ([0-9A-Z]{5}-[0-9A-Z]{5})/.exec(text)?.[1];
  if (code === undefined) throw new Error(`no code in: ${text}`);
  return code;
}
