/** The price that holds for a model of a service: the one that people set, else the list's, else none. */
import type { ModelPriceStore } from '../../store/model-prices.ts';
import type { ModelService } from './door.ts';
import { knownPrice } from './known-prices.ts';
import { FREE, findPrice, type ModelPrice } from './price.ts';

export class Prices {
  readonly #own: Pick<ModelPriceStore, 'get'>;

  constructor(own: Pick<ModelPriceStore, 'get'>) {
    this.#own = own;
  }

  /** Null: nobody knows what it costs. What runs on this machine or network costs nothing unless a price was set. */
  find(service: Pick<ModelService, 'name' | 'isPrivate'>, model: string): ModelPrice | null {
    const price = findPrice(model, (name) => this.#ownPrice(service.name, name) ?? knownPrice(service.name, name));
    return price ?? (service.isPrivate ? FREE : null);
  }

  #ownPrice(service: string, model: string): ModelPrice | null {
    const own = this.#own.get(service, model);
    if (own === null) return null;
    const { input, output, cacheRead, cacheWrite } = own;
    return { input, output, cacheRead, cacheWrite, long: null };
  }
}
