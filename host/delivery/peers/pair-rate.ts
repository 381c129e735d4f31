/** How many messages two agents exchanged lately, both directions together. In memory: a restart begins anew. */
import type { AgentGroupId } from '../../../shared/ids.ts';
import { PAIR_WINDOW_MS } from '../../config/limits.ts';

/** Pairs remembered, the most recently active. Higher: memory (400 bytes each). Lower: many agents at once go uncounted. */
const MAX_PAIRS = 10_000;

export class PairRate {
  /** Times of each pair's messages, oldest first; the pair that was active last is last. */
  readonly #pairs = new Map<string, number[]>();

  /** Times within the window, oldest first. */
  recent(one: AgentGroupId, other: AgentGroupId, now: number): readonly number[] {
    return (this.#pairs.get(keyOf(one, other)) ?? []).filter((at) => at > now - PAIR_WINDOW_MS);
  }

  /** One message goes. Returns the way to take it back, for one that did not go after all. */
  note(one: AgentGroupId, other: AgentGroupId, now: number): () => void {
    const key = keyOf(one, other);
    const times = [...this.recent(one, other, now), now];
    this.#pairs.delete(key);
    this.#pairs.set(key, times);
    for (const [oldest] of this.#pairs) {
      if (this.#pairs.size <= MAX_PAIRS) break;
      this.#pairs.delete(oldest);
    }
    return () => {
      const known = this.#pairs.get(key);
      const at = known?.indexOf(now) ?? -1;
      if (known !== undefined && at >= 0) this.#pairs.set(key, known.toSpliced(at, 1));
    };
  }

  clear(one: AgentGroupId, other: AgentGroupId): void {
    this.#pairs.delete(keyOf(one, other));
  }
}

function keyOf(one: AgentGroupId, other: AgentGroupId): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`;
}
