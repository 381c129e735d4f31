/** How often agents' models are tested: each test is a paid call. In memory: a restart of the host begins anew. */
import type { AgentGroupId } from '../../../shared/ids.ts';
import { MAX_PROBED_AGENTS, MAX_PROBES, MAX_PROBES_IN_WINDOW, PROBE_WINDOW_MS } from './limits.ts';

export type Paced = { kind: 'go'; done: () => void } | { kind: 'busy' } | { kind: 'too-often'; waitMs: number };

/** When the next one may begin; `past` are the earlier ones of the agent, oldest first. Pure. */
export function planNextProbe(past: readonly number[], now: number): number {
  const first = past.at(-MAX_PROBES_IN_WINDOW);
  return first === undefined ? now : Math.max(now, first + PROBE_WINDOW_MS);
}

export class ProbePace {
  readonly #past = new Map<AgentGroupId, number[]>();
  readonly #running = new Set<AgentGroupId>();

  /** The caller calls `done` when it is over. */
  begin(id: AgentGroupId, now: number): Paced {
    if (this.#running.has(id) || this.#running.size >= MAX_PROBES) return { kind: 'busy' };
    const past = this.#past.get(id) ?? [];
    const freeAt = planNextProbe(past, now);
    if (freeAt > now) return { kind: 'too-often', waitMs: freeAt - now };
    this.#past.delete(id);
    this.#past.set(id, [...past, now].slice(-MAX_PROBES_IN_WINDOW));
    const [oldest] = this.#past.keys();
    if (oldest !== undefined && this.#past.size > MAX_PROBED_AGENTS) this.#past.delete(oldest);
    this.#running.add(id);
    return { kind: 'go', done: () => void this.#running.delete(id) };
  }
}
