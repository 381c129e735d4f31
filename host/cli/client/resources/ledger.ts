/** The ledger of decisions and deliveries. */
import type { Query, Requests } from '../requests.ts';
import type { LedgerEntry, Page } from '../types.ts';

export function ledgerCalls(requests: Requests) {
  return {
    /** Newest first; the calls go on until there are so many, or the ledger's beginning is reached. */
    listLedger(query: Query, limit: number): Promise<Page<LedgerEntry>> {
      return requests.list('/ledger', query, limit);
    },
  };
}
