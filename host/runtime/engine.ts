/** Whether the container engine answers; while it does not, looks for it with back-off. */
import { type EpochMs, epochMs } from '../../shared/ids.ts';
import type { ContainerDriver } from './drivers/driver.ts';
import type { Desired } from './facts.ts';
import { ENGINE_RETRY_MAX_MS, ENGINE_RETRY_MS } from './policy.ts';
import type { RuntimeClock, RuntimeLog } from './ports.ts';

export interface EngineParts {
  driver: ContainerDriver;
  clock: RuntimeClock;
  log: RuntimeLog;
  /** It answers again. */
  onBack: () => void;
}

export class Engine {
  readonly #parts: EngineParts;
  #away: { sinceMs: EpochMs; retryAtMs: EpochMs; reason: string } | null = null;
  #tries = 0;
  #cancel: (() => void) | null = null;
  #closed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  get isAway(): boolean {
    return this.#away !== null;
  }

  /** One sentence for people; '' while it answers. */
  get reason(): string {
    return this.#away?.reason ?? '';
  }

  describe(now: EpochMs): Desired['engine'] {
    if (this.#away === null) return { kind: 'up' };
    // A look that is under way takes as long as it takes: ask again a little later.
    return { kind: 'away', retryAtMs: epochMs(Math.max(this.#away.retryAtMs, now + ENGINE_RETRY_MS)) };
  }

  /** Somebody got no answer. Says whether that is news. */
  lose(message: string, hint: string | undefined): boolean {
    if (this.#away !== null || this.#closed) return false;
    const now = this.#parts.clock.now();
    const reason = hint === undefined ? `${message}.` : `${message}: ${hint}`;
    this.#away = { sinceMs: now, retryAtMs: now, reason };
    this.#tries = 0;
    this.#parts.log.warn({ reason: message, hint }, 'the container engine is away');
    this.#arm();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #arm(): void {
    if (this.#away === null || this.#closed) return;
    const delayMs = Math.min(ENGINE_RETRY_MS * 2 ** this.#tries, ENGINE_RETRY_MAX_MS);
    this.#tries++;
    this.#away.retryAtMs = epochMs(this.#parts.clock.now() + delayMs);
    this.#cancel = this.#parts.clock.at(this.#away.retryAtMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const found = await this.#parts.driver.available();
    if (this.#away === null || this.#closed) return;
    if (found.kind === 'away') {
      this.#away.reason = `${found.reason}: ${found.hint}`;
      this.#arm();
      return;
    }
    this.#parts.log.info({ awayMs: this.#parts.clock.now() - this.#away.sinceMs }, 'the container engine is back');
    this.#away = null;
    this.#parts.onBack();
  }
}
