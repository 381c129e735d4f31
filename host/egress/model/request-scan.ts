/**
 * What of a request decides what it costs, read as it goes out: the container writes it, and the container is hostile.
 *
 * I1. The body is one JSON object in UTF-8. In any other form (packed, UTF-16, a form) the provider might read what
 *     is not seen here.
 * I2. Where a key stands twice each of its values is looked at: which of them a provider takes is its own affair.
 * I3. Whatever is wrong is known at the latest with the bracket that closes the object, before that goes out.
 */
import { JsonScanner, type Scalar, wantPaths } from './json-scan.ts';
import { MAX_NAMED_MODELS } from './limits.ts';

export interface RequestFacts {
  /** Every model that was named, in order; the last is the one that counts. */
  models: readonly string[];
  /** The most that the model may write, of all answers together; null: not said. */
  maxOutput: number | null;
  /** Answered at once, and worked on later: nobody would see the numbers. */
  isBackground: boolean;
  /** How many answers are written side by side. */
  answers: number;
  /** An option that changes the price, or is paid apart, by its name; null: none. */
  priceOption: string | null;
  /** Pictures and documents, which are read as more than their bytes. */
  pictures: number;
  /** What names something that is not in the request, of whatever size, by its name; null: nothing does. */
  reference: string | null;
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
  'best_of',
  'background',
  'service_tier',
  'speed',
  'inference_geo',
  // Other models to go on with, and tools of the provider's own.
  'models',
  'plugins',
  'web_search_options',
  'tools[].type',
  // What the provider kept, or is to fetch.
  'previous_response_id',
  'conversation',
  'prompt.id',
  'input[].type',
  'input[].content[].file_id',
  'input[].content[].file_url',
  'messages[].content[].file.file_id',
  'messages[].content[].source.type',
  'messages[].content[].content[].source.type',
  'messages[].content[].image_url.url',
  'input[].content[].image_url',
]);
const PICTURE = /(?:source\.type|image_url(?:\.url)?)$/;
/** Values that leave the price as it stands in the list, or lower it. */
const PLAIN: Record<string, ReadonlySet<Scalar>> = {
  service_tier: new Set([null, 'auto', 'default', 'standard', 'standard_only', 'flex']),
  speed: new Set([null, 'standard']),
  inference_geo: new Set([null, 'global']),
  models: new Set([null]),
  plugins: new Set([null]),
  web_search_options: new Set([null]),
};
/** Paid by the call, without a number that tells of it. Anthropic's search has one, and its date in eight digits. */
const PAID_TOOL = /^(?:web_search(?!_20\d{6}$)|file_search|code_|image_generation|shell$)/;
/** Values that name nothing elsewhere. */
const HERE: Record<string, (value: Scalar | undefined) => boolean> = {
  'input[].type': (value) => value !== 'item_reference',
  'messages[].content[].source.type': isWithin,
  'messages[].content[].content[].source.type': isWithin,
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
  #reference: string | null = null;
  #pictures = 0;
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
      answers: this.#answers,
      reference: this.#reference,
      pictures: this.#pictures,
      priceOption: this.#priceOption,
      isUnreadable:
        this.#hasNull || this.#hasBadModel || this.#scanner.isBroken || (first !== null && first !== OPEN_OBJECT),
      isWhole: this.#scanner.isDone,
    };
  }

  /** I2 */
  #note(path: string, value: Scalar | undefined): void {
    switch (path) {
      case 'model':
        if (typeof value === 'string' && value !== '' && this.#models.length < MAX_NAMED_MODELS) {
          this.#models.push(value);
        } else this.#hasBadModel = true;
        return;
      case 'background':
        this.#isBackground ||= value !== false && value !== null;
        return;
      case 'n':
      case 'best_of':
        if (isCount(value)) this.#answers = Math.max(this.#answers, value);
        return;
      case 'max_tokens':
      case 'max_completion_tokens':
      case 'max_output_tokens':
        if (isCount(value)) this.#maxTokens = Math.max(this.#maxTokens ?? 0, value);
        return;
      default:
        this.#noteOption(path, value);
    }
  }

  #noteOption(path: string, value: Scalar | undefined): void {
    const plain = PLAIN[path];
    const isPicture = PICTURE.test(path);
    if (isPicture) this.#pictures += 1;
    if (isPicture && HERE[path] === undefined) return;
    if (path === 'tools[].type') {
      if (typeof value !== 'string' || PAID_TOOL.test(value)) this.#priceOption = 'tools';
    } else if (plain !== undefined) {
      if (value === undefined || !plain.has(value)) this.#priceOption = path;
    } else if (value !== null && HERE[path]?.(value) !== true) this.#reference = path;
  }
}

function isWithin(value: Scalar | undefined): boolean {
  return value !== 'url' && value !== 'file';
}

function isCount(value: Scalar | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1e9;
}
