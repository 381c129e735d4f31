/**
 * What an agent's next container needs: its image, and a vault that opens for its model. While the vault is locked,
 * whoever thinks with what lies in it waits with its messages, which a refused call would fail for good. The same
 * for containers that are there when it is locked, or that a host which starts locked adopts.
 */
import { modelServiceOf } from '../../../shared/providers.ts';
import type { ImageBuilds } from '../../images/images.ts';
import type { ImageState } from '../../images/plan.ts';
import type { AgentGroup } from '../../store/agents.ts';
import type { SecretUseStore } from '../../store/secret-uses.ts';
import { describeClosed } from '../../vault/state.ts';
import type { Vault } from '../../vault/vault.ts';

export interface VaultWaitParts {
  images: Pick<ImageBuilds, 'imageFor' | 'confirm'>;
  vault: Pick<Vault, 'state'>;
  secretUses: Pick<SecretUseStore, 'at'>;
}

export class VaultWait {
  readonly #parts: VaultWaitParts;

  constructor(parts: VaultWaitParts) {
    this.#parts = parts;
  }

  /** Whether a container of it may take more work. One that may not is ended when it is idle, and waits from then on. */
  mayGoOn(agent: AgentGroup): boolean {
    return this.#waits(agent) === null;
  }

  imageFor(agent: AgentGroup): ImageState {
    return this.#waits(agent) ?? this.#parts.images.imageFor(agent);
  }

  async confirm(agent: AgentGroup): Promise<ImageState> {
    return this.#waits(agent) ?? (await this.#parts.images.confirm(agent));
  }

  /** Null: nothing in the vault keeps it. One that is damaged is not waited for: only a person can say when it is not. */
  #waits({ id, config }: AgentGroup): ImageState | null {
    const { vault, secretUses } = this.#parts;
    if (vault.state.kind !== 'locked') return null;
    const service = modelServiceOf(config);
    if (service === null || (secretUses.at(service, id) ?? secretUses.at(service, null)) === null) return null;
    const closed = describeClosed(vault.state);
    return closed === null
      ? null
      : {
          kind: 'waiting',
          reason: `${closed.why}: an owner opens it on the console’s page Secrets, or types: ${closed.next}`,
        };
  }
}
