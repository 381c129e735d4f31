/** The routes about the ledger, without handlers. */
import { createRoute } from '@hono/zod-openapi';
import * as ledger from './ledger-schemas.ts';
import { messageParams, ok } from './route-parts.ts';
import { pageOf } from './schema-parts.ts';

export const listLedger = createRoute({
  method: 'get',
  path: '/ledger',
  summary: 'Newest first; a page may be short, or empty, and go on at its nextCursor',
  request: { query: ledger.ledgerQuery },
  responses: ok(pageOf(ledger.ledgerEntrySchema)),
});
export const getLedgerHead = createRoute({
  method: 'get',
  path: '/ledger/head',
  summary: 'The newest entry: written down elsewhere, it proves later that nothing was cut off',
  responses: ok(ledger.ledgerLinkSchema),
});
export const verifyLedger = createRoute({
  method: 'get',
  path: '/ledger/verify',
  summary: 'Check a part of the chain; go on with `next` until it is null',
  request: { query: ledger.ledgerVerifyQuery },
  responses: ok(ledger.ledgerCheckSchema),
});
export const getWhy = createRoute({
  method: 'get',
  path: '/messages/{id}/why',
  summary: 'What allowed or refused it, who decided that, and when; also for requests, which are no messages of a chat',
  request: { params: messageParams },
  responses: ok(ledger.whySchema),
});
