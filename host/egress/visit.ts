/** What the log will say of one request: gathered while it goes on, told once at its end. */
import type { EgressKind, EgressOutcome } from '../store/egress-log.ts';
import { MAX_LOGGED_PATH } from './limits.ts';
import { splitPath } from './paths.ts';
import type { Passage } from './plan.ts';
import type { GatewayParts, Who } from './scope.ts';
import type { Head } from './target.ts';

export class Visit {
  readonly #who: Who;
  readonly #parts: Pick<GatewayParts, 'log' | 'now'>;
  readonly #startedAt = performance.now();
  #place: { kind: EgressKind; method: string; host: string; port: number; path: string } = {
    kind: 'unknown',
    method: '',
    host: '',
    port: 0,
    path: '',
  };
  #rule: string | null = null;
  #isTold = false;
  address: string | null = null;
  bytesOut = 0;
  bytesIn = 0;

  constructor(who: Who, parts: Pick<GatewayParts, 'log' | 'now'>) {
    this.#who = who;
    this.#parts = parts;
  }

  /** What it asks for, as it was understood. */
  asks({ method, target }: Head): void {
    this.#place =
      'host' in target
        ? place(target.kind, method, target.host.text, target.port, 'path' in target ? target.path : '')
        : place(target.kind, method, '', 0, `/${target.kind}/${target.name}${target.path}`);
  }

  /** Where it goes. */
  goes({ upstream, rule }: Passage): void {
    const { kind, method } = this.#place;
    this.#place = place(kind, method, upstream.host.text, upstream.port, upstream.path);
    this.#rule = rule;
  }

  /** Once; later calls change nothing. */
  end(outcome: EgressOutcome, status: number | null, reason: string | null): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#parts.log.add({
      ...this.#who,
      ...this.#place,
      at: this.#parts.now(),
      rule: this.#rule,
      address: this.address,
      outcome,
      status,
      reason,
      bytesOut: this.bytesOut,
      bytesIn: this.bytesIn,
      durationMs: Math.round(performance.now() - this.#startedAt),
      repeats: 1,
    });
  }
}

function place(kind: EgressKind, method: string, host: string, port: number, path: string) {
  return { kind, method, host, port, path: splitPath(path).pathname.slice(0, MAX_LOGGED_PATH) };
}
