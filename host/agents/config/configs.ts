/**
 * Every change of what an agent's containers are made of, whoever makes it.
 *
 * I1. The config, its history and the ledger's entry are one commit, and the revision rises by one.
 * I2. An approval changes a config once, however often it is carried out.
 * I3. Work that builds before it changes is done one after another per agent, each on top of the config then.
 * I4. After the commit the agent's sessions are rung: containers of another revision are replaced when idle.
 */
import type { AgentGroupId } from '../../../shared/ids.ts';
import { failpoint } from '../../observe/failpoint.ts';
import type { AgentGroup, AgentStore, ConfigContent } from '../../store/agents.ts';
import type { ConfigChangeNote, ConfigHistoryStore } from '../../store/config-history.ts';
import type { Ledger } from '../../store/ledger.ts';
import { diffConfigs, formatDifference } from './diff.ts';
import { MAX_CHANGE_TEXT } from './limits.ts';

export interface ConfigParts {
  agents: AgentStore;
  configHistory: ConfigHistoryStore;
  ledger: Pick<Ledger, 'append'>;
  /** Runs `work` in one transaction of the central database, or in the one that is under way. */
  commit: <T>(work: () => T) => T;
  /** The agent's sessions are to follow: their containers have another config now. */
  onConfigChanged: (id: AgentGroupId) => void;
  now: () => number;
}

export type ConfigOutcome =
  | { kind: 'changed'; agent: AgentGroup; changes: string[] }
  /** It is so already, or this approval made it so before. */
  | { kind: 'same'; agent: AgentGroup }
  /** The revision that it was based on no longer holds. */
  | { kind: 'stale'; agent: AgentGroup }
  | { kind: 'gone' };

export interface ConfigAuthor extends ConfigChangeNote {
  /** The config's revision that the change is based on; whichever holds when absent. */
  ifRevision?: number;
}

export class AgentConfigs {
  readonly #parts: ConfigParts;
  readonly #queues = new Map<AgentGroupId, Promise<unknown>>();

  constructor(parts: ConfigParts) {
    this.#parts = parts;
  }

  /** Changes what the patch names; the caller has checked that it may be so. */
  change(id: AgentGroupId, patch: Partial<ConfigContent>, author: ConfigAuthor): ConfigOutcome {
    return this.#tell(this.#parts.commit(() => this.#commitChange(id, patch, author)));
  }

  /** Of a living agent: its name too, on top of the group's revision. `stale` when that no longer holds. */
  changeAgent(
    id: AgentGroupId,
    revision: number,
    { name, ...patch }: Partial<ConfigContent> & { name?: string },
    by: string,
  ): ConfigOutcome {
    const { agents, commit } = this.#parts;
    const outcome = commit((): ConfigOutcome => {
      const agent = agents.get(id);
      if (agent === null) return { kind: 'gone' };
      if (agent.revision !== revision) return { kind: 'stale', agent };
      const isRenamed = name !== undefined && name !== agent.name;
      if (isRenamed) agents.rename(id, name);
      const renaming = isRenamed ? [`name: ${agent.name} → ${name}`] : [];
      return this.#commitChange(id, patch, { by, approvalId: null, reason: renaming[0] ?? 'set by hand' }, renaming);
    });
    return this.#tell(outcome);
  }

  /** I4 */
  #tell(outcome: ConfigOutcome): ConfigOutcome {
    if (outcome.kind !== 'changed') return outcome;
    failpoint('config.changed');
    this.#parts.onConfigChanged(outcome.agent.id);
    return outcome;
  }

  /** Work of one agent that takes time before it changes anything, one after another (I3). */
  inTurn<T>(id: AgentGroupId, work: () => Promise<T>): Promise<T> {
    const before = this.#queues.get(id) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.#queues.set(id, mine);
    const leave = () => {
      if (this.#queues.get(id) === mine) this.#queues.delete(id);
    };
    mine.then(leave, leave);
    return mine;
  }

  #commitChange(
    id: AgentGroupId,
    patch: Partial<ConfigContent>,
    { ifRevision, ...note }: ConfigAuthor,
    others: readonly string[] = [],
  ): ConfigOutcome {
    const { agents, configHistory, ledger, now } = this.#parts;
    const agent = agents.get(id);
    if (agent === null) return { kind: 'gone' };
    // I2
    if (note.approvalId !== null && configHistory.findByApproval(note.approvalId) !== null) {
      return { kind: 'same', agent };
    }
    if (ifRevision !== undefined && agent.config.revision !== ifRevision) return { kind: 'stale', agent };
    const content = contentOf(agent);
    const wanted: ConfigContent = { ...content, ...patch };
    const changes = [...others, ...diffConfigs(content, wanted).map(formatDifference)];
    if (changes.length === 0) return { kind: 'same', agent };
    const at = now();
    agents.change(id, wanted, note, at);
    const revision = agent.config.revision + 1;
    const text = changes.join('; ');
    ledger.append(
      {
        kind: 'config.changed',
        sessionId: null,
        messageId: id,
        actor: note.by,
        detail: {
          agent: agent.name,
          revision,
          changes: text.length > MAX_CHANGE_TEXT ? `${text.slice(0, MAX_CHANGE_TEXT)}…` : text,
          approval: note.approvalId,
          reason: note.reason,
        },
      },
      at,
    );
    return { kind: 'changed', agent: agents.get(id) ?? agent, changes };
  }
}

/** The part of an agent's config that changes and histories are about. */
export function contentOf({ config }: Pick<AgentGroup, 'config'>): ConfigContent {
  const { revision: _, image: __, ...content } = config;
  return content;
}
