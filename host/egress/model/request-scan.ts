/**
 * What of a request decides what it costs, read as it goes out: the container writes it, and the container is hostile.
 *
 * I1. The body is one JSON object in UTF-8. In any other form (packed, UTF-16, a form) the provider might read what
 *     is not seen here.
 * I2. Where a key stands twice each of its values is looked at: which of them a provider takes is its own affair.
 * I3. Whatever is wrong is known at the latest with the bracket that closes the object, before that goes out.
 */
import { JsonScanner, type Scalar, wantPaths } from './json-scan.ts';

export interface RequestFacts {
  /** Every model that was named, in order; the last is the one that counts. */
  models: readonly string[];
  /** The most that the model may write, of all answers together; null: not said. */
  maxOutput: number | null;
  /** Answered at once, and worked on later: nobody would see the numbers. */
  isBackground: boolean;
  /** An option that changes the price, by its name; null: none. */
  priceOption: string | null;
  /** It is no JSON object in UTF-8. */
  isUnreadable: boolean;
  /** The object is closed. */
  isWhole: boolean;
}

const TREE = wantPaths([
  'model',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'background',
  'service_tier',
  'speed',
  'inference_geo',
]);
/** Values that leave the price as it stands in the list, or lower it. */
const PLAIN: Record<string, ReadonlySet<Scalar>> = {
  service_tier: new Set([null, 'auto', 'default', 'standard', 'standard_only', 'flex']),
  speed: new Set([null, 'standard']),
  inference_geo: new Set([null, 'global']),
};
const OPEN_OBJECT = 0x7b;

export class RequestScan {
  readonly #scanner = new JsonScanner(TREE, { value: (path, value) => this.#note(path, value) });
  readonly #models: string[] = [];
  #hasBadModel = false;
  #maxTokens: number | null = null;
  #answers = 1;
  #isBackground = false;
  #priceOption: string | null = null;
  #hasNull = false;

  push(chunk: Buffer): void {
    // No JSON in UTF-8 holds one; the other encodings of Unicode are full of them.
    this.#hasNull ||= chunk.includes(0);
    this.#scanner.push(chunk);
  }

  get facts(): RequestFacts {
    const first = this.#scanner.firstByte;
    return {
      models: this.#models,
      maxOutput: this.#maxTokens === null ? null : this.#maxTokens * this.#answers,
      isBackground: this.#isBackground,
      priceOption: this.#priceOption,
      isUnreadable: this.#hasNull || this.#hasBadModel || (first !== null && first !== OPEN_OBJECT),
      isWhole: this.#scanner.isDone,
    };
  }

  /** I2 */
  #note(path: string, value: Scalar | undefined): void {
    switch (path) {
      case 'model':
        if (typeof value === 'string' && value !== '') this.#models.push(value);
        else this.#hasBadModel = true;
        return;
      case 'background':
        this.#isBackground ||= value !== false && value !== null;
        return;
      case 'n':
        if (isCount(value)) this.#answers = Math.max(this.#answers, value);
        return;
      case 'max_tokens':
      case 'max_completion_tokens':
      case 'max_output_tokens':
        if (isCount(value)) this.#maxTokens = Math.max(this.#maxTokens ?? 0, value);
        return;
      default:
        if (value === undefined || PLAIN[path]?.has(value) === false) this.#priceOption = path;
    }
  }
}

function isCount(value: Scalar | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1e9;
}
