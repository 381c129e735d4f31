import type { QueryClient } from '@tanstack/react-query';
import { fetchMe } from '../client/api.ts';
import { ApiFault, describeProblem } from '../client/fault.ts';
import type { Me } from '../client/types.ts';
import type { Console } from '../state/console.ts';
import { ME } from './use-me.ts';

/**
 * Has an open page follow what its person may do: asks who they are, and when that is another than before, forgets
 * all that was fetched and asks for what is shown again. What the host could not answer is asked again by the next
 * call: each new connection makes one.
 */
export class RightsFollower {
  readonly #queries: QueryClient;
  readonly #console: () => Pick<Console, 'seeAnew'>;
  /** The host said that something changed, and the page does not show it yet. */
  #isBehind = false;
  #underWay: Promise<void> | null = null;

  constructor(queries: QueryClient, console: () => Pick<Console, 'seeAnew'>) {
    this.#queries = queries;
    this.#console = console;
  }

  /** `isSure`: the host said so; else it may have, while nobody listened. */
  async follow(isSure: boolean): Promise<void> {
    this.#isBehind ||= isSure;
    // What changes in the middle is looked at after that.
    while (this.#underWay !== null) await this.#underWay;
    this.#underWay = this.#look();
    await this.#underWay;
  }

  async #look(): Promise<void> {
    try {
      await this.#seeAnew();
    } catch (error) {
      describeProblem(error);
      // Signed out, which the stream hears too; or the host is away.
      if (!(error instanceof ApiFault && error.status === 401)) this.#isBehind = true;
    } finally {
      this.#underWay = null;
    }
  }

  async #seeAnew(): Promise<void> {
    const known = this.#queries.getQueryData<Me>(ME);
    const isSure = this.#isBehind;
    this.#isBehind = false;
    const me = await fetchMe();
    if (!isSure && JSON.stringify(me) === JSON.stringify(known)) return;
    this.#queries.setQueryData(ME, me);
    const others = { predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== ME[0] };
    // Forgotten, not refreshed: what is refused now would else stay on the screen.
    await Promise.all([this.#queries.resetQueries(others), this.#console().seeAnew()]);
  }
}
