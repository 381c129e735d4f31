/** One name at a time for each agent: names that never resolve hold up their own agent alone (I10). */
import type { AgentGroupId } from '../../shared/ids.ts';
import type { Resolve } from './resolve.ts';

export class Turns {
  readonly #resolve: Resolve;
  readonly #last = new Map<AgentGroupId, Promise<unknown>>();

  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  async resolve(agentGroupId: AgentGroupId, host: string): Promise<string[]> {
    const before = this.#last.get(agentGroupId);
    const mine = this.#after(before, host);
    this.#last.set(agentGroupId, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(agentGroupId) === mine) this.#last.delete(agentGroupId);
    }
  }

  async #after(before: Promise<unknown> | undefined, host: string): Promise<string[]> {
    // How the one before ended is its own matter.
    await Promise.allSettled([before]);
    return this.#resolve(host);
  }
}
