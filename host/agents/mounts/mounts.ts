/** Folders of the machine in agents' containers: judged when they are given, and again before every start. */
import { realpathSync } from 'node:fs';
import { errorCode } from '../../config/errors.ts';
import type { AgentGroup, AgentStore, Mount } from '../../store/agents.ts';
import { MAX_AGENTS } from '../limits.ts';
import { readAllowlist } from './allowlist.ts';
import { lookAt } from './look.ts';
import { type MountFacts, type MountPlan, planMount, planPath } from './plan.ts';

export interface MountParts {
  agents: Pick<AgentStore, 'list'>;
  /** Of the allowlist. */
  allowlistPath: string;
  /** Whether the driver can mount; plain processes see the whole machine anyway. */
  canMount: boolean;
  home: string;
  project: string;
  userHome: string;
  hostUid: number;
}

/** As a container gets it: `identity` is what the path must still lead to when it is made. */
export interface PreparedMount {
  name: string;
  source: string;
  identity: string;
  isReadOnly: boolean;
}

export type PreparedMounts = { kind: 'ready'; folders: PreparedMount[] } | { kind: 'refused'; why: string };

export class Mounts {
  readonly #parts: MountParts;

  constructor(parts: MountParts) {
    this.#parts = parts;
  }

  /** What may be mounted now, for people. */
  allowed(): { path: string } & MountFacts['allowed'] {
    return { path: this.#parts.allowlistPath, ...this.#readAllowlist() };
  }

  /** Whether this agent may have this mount now. */
  async check(agent: AgentGroup, mount: Mount): Promise<MountPlan> {
    if (!this.#parts.canMount)
      return { kind: 'refuse', why: 'agents run as plain processes here, which have no mounts' };
    const path = planPath(mount.path);
    const found = path.kind === 'path' ? await lookAt(path.path) : ({ kind: 'missing' } as const);
    // What it is judged by is read after what it is about.
    return planMount(mount, {
      found,
      allowed: this.#readAllowlist(),
      own: this.#own(),
      userHome: toReal(this.#parts.userHome),
      writable: this.#listWritable(agent, mount),
      allowlistPath: this.#parts.allowlistPath,
    });
  }

  /** All mounts of an agent's config for a container that is about to be made. One that is refused refuses all. */
  async prepare(agent: AgentGroup): Promise<PreparedMounts> {
    const folders: PreparedMount[] = [];
    for (const mount of agent.config.mounts) {
      const plan = await this.check(agent, mount);
      if (plan.kind === 'refuse')
        return { kind: 'refused', why: `the mount ${mount.name} (${mount.path}): ${plan.why}` };
      const { source, identity, isReadOnly } = plan;
      folders.push({ name: mount.name, source, identity, isReadOnly });
    }
    return { kind: 'ready', folders };
  }

  #readAllowlist(): MountFacts['allowed'] {
    const { allowlistPath: path, hostUid, home, project } = this.#parts;
    return readAllowlist({ path, outside: [toReal(home), toReal(project)], hostUid });
  }

  #own(): string[] {
    const { home, project, allowlistPath } = this.#parts;
    return [home, project, allowlistPath].map(toReal);
  }

  /** As far as the configs ask: the allowlist may say less. */
  #listWritable(agent: AgentGroup, mount: Mount): string[] {
    return this.#parts.agents
      .list(MAX_AGENTS)
      .flatMap(({ id, config }) =>
        config.mounts
          .filter((other) => !other.isReadOnly && !(id === agent.id && other.name === mount.name))
          .map(({ path }) => toReal(path)),
      );
  }
}

/** The path itself where nothing is. */
function toReal(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (errorCode(error) === '') throw error;
    return path;
  }
}
