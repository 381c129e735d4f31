/** What was decided about one request, by its head, and whether that still holds. An exchange has one, so has a tunnel. */
import type { Passage } from './plan.ts';
import { type Refusal, refuse } from './refusal.ts';
import { checkAddresses, covers, judge, lookUp, type Scope } from './scope.ts';
import { type Head, parseHead, type RawHead } from './target.ts';
import { Visit } from './visit.ts';

export interface Judged {
  kind: 'judged';
  head: Head;
  passage: Passage;
}

/** Each of the addresses may be connected to. */
export interface Located {
  kind: 'located';
  passage: Passage;
  addresses: readonly string[];
}

export class Judgement {
  readonly #scope: Scope;
  /** What the log will say. */
  readonly visit: Visit;
  #judged: Judged | null = null;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.visit = new Visit(scope.who, scope.parts);
  }

  /** As it was decided last; null: not yet, or it was refused. */
  get passage(): Passage | null {
    return this.#judged?.passage ?? null;
  }

  decide(request: RawHead): Judged | Refusal {
    const parsed = parseHead(request);
    if (parsed.kind === 'refused') return parsed;
    const { head } = parsed;
    this.visit.asks(head);
    const passage = judge(this.#scope, head);
    if (passage.kind === 'refused') return passage;
    this.visit.goes(passage);
    this.#judged = { kind: 'judged', head, passage };
    return this.#judged;
  }

  /**
   * Where what was decided leads. A name can take half a minute to look up: it is decided anew behind that, so that
   * what was taken back meanwhile opens nothing.
   */
  async locate(): Promise<Located | Refusal> {
    if (this.#judged === null) throw new Error('what was not decided leads nowhere');
    const addresses = await lookUp(this.#scope, this.#judged.passage);
    if ('kind' in addresses) return addresses;
    if (!this.holds()) return refuse('not_allowed', 'What allowed this was taken back meanwhile.');
    const { passage } = this.#judged;
    return checkAddresses(this.#scope, passage, addresses) ?? { kind: 'located', passage, addresses };
  }

  /** Null: it may stay connected there. */
  connected(address: string | null): Refusal | null {
    this.visit.address = address;
    return this.#mayStay() ? null : refuse('private_address', 'What was connected to is not allowed.');
  }

  /** By the tables as they are now; what was not decided yet holds. */
  holds(): boolean {
    if (this.#judged === null) return true;
    const { head, passage } = this.#judged;
    const now = judge(this.#scope, head);
    if (now.kind === 'refused' || now.upstream.host.text !== passage.upstream.host.text) return false;
    this.#judged = { kind: 'judged', head, passage: now };
    return this.#mayStay();
  }

  /** What it is connected to is an address that its rule, as it is now, covers. */
  #mayStay(): boolean {
    const { address } = this.visit;
    return address === null || this.#judged === null || covers(this.#scope, this.#judged.passage, address);
  }
}
