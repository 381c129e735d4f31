/** Prices of models that people set: of services that the host knows no prices of, or another than the list's. */
import type { CentralDb } from './database.ts';

/** Nano-dollars per token. */
export interface OwnPrice {
  service: string;
  /** As the provider names it. */
  model: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  changedBy: string;
  /** Epoch ms. */
  changedAt: number;
  revision: number;
}

interface Row {
  service: string;
  model: string;
  input_nanousd: number;
  output_nanousd: number;
  cache_read_nanousd: number;
  cache_write_nanousd: number;
  changed_by: string;
  changed_at: number;
  revision: number;
}

export class ModelPriceStore {
  readonly #db: CentralDb;
  readonly #get;

  constructor(db: CentralDb) {
    this.#db = db;
    this.#get = db.prepare<[string, string], Row>('SELECT * FROM model_prices WHERE service = ? AND model = ?');
  }

  list(): OwnPrice[] {
    return this.#db.prepare<[], Row>('SELECT * FROM model_prices ORDER BY service, model').all().map(toPrice);
  }

  get(service: string, model: string): OwnPrice | null {
    const row = this.#get.get(service, model);
    return row === undefined ? null : toPrice(row);
  }

  put({
    service,
    model,
    input,
    output,
    cacheRead,
    cacheWrite,
    changedBy,
    changedAt,
  }: Omit<OwnPrice, 'revision'>): void {
    this.#db
      .prepare(
        `INSERT INTO model_prices (service, model, input_nanousd, output_nanousd, cache_read_nanousd,
           cache_write_nanousd, changed_by, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (service, model) DO UPDATE SET input_nanousd = excluded.input_nanousd,
           output_nanousd = excluded.output_nanousd, cache_read_nanousd = excluded.cache_read_nanousd,
           cache_write_nanousd = excluded.cache_write_nanousd, changed_by = excluded.changed_by,
           changed_at = excluded.changed_at, revision = revision + 1`,
      )
      .run(service, model, input, output, cacheRead, cacheWrite, changedBy, changedAt);
  }

  /** Whether it was there. */
  remove(service: string, model: string): boolean {
    return this.#db.prepare('DELETE FROM model_prices WHERE service = ? AND model = ?').run(service, model).changes > 0;
  }
}

function toPrice(row: Row): OwnPrice {
  return {
    service: row.service,
    model: row.model,
    input: row.input_nanousd,
    output: row.output_nanousd,
    cacheRead: row.cache_read_nanousd,
    cacheWrite: row.cache_write_nanousd,
    changedBy: row.changed_by,
    changedAt: row.changed_at,
    revision: row.revision,
  };
}
