/** The ledger over the API: its entries, its head, whether its chain holds, and why a message went where it went. */
import { parseId } from '../../../../shared/ids.ts';
import { LEDGER_START, type LedgerLink, type LedgerRecord } from '../../../store/ledger.ts';
import { newApi } from '../api.ts';
import { DEFAULT_PAGE } from '../inputs.ts';
import * as routes from '../ledger-routes.ts';
import { describeEntry, type NameOf } from '../ledger-words.ts';
import type { ApiParts } from '../ports.ts';
import { notFound } from '../problem.ts';
import type { LedgerCheck, LedgerEntry } from '../schemas.ts';
import { findWhyFacts, makeNameOf } from '../why/facts.ts';
import { planWhy } from '../why/plan.ts';

/** Entries checked before others have their turn. Higher: messages wait. Lower: more turns. Measured: 250 take about 3 ms. */
const CHECKED_AT_ONCE = 250;
/** Entries checked for one request. Higher: longer requests. Lower: more of them. */
const CHECKED_PER_REQUEST = 25_000;

export function ledgerRoutes(parts: ApiParts) {
  const { ledger, ledgerSearch, transcript } = parts;
  const api = newApi();
  // What was told of messages a moment ago is in it, too.
  api.use('/ledger/*', (_c, next) => {
    transcript.flushOrRetry();
    return next();
  });
  return api
    .openapi(routes.listLedger, (c) => {
      const { cursor, limit, kind, session, agent, actor, subject, since, until, q } = c.req.valid('query');
      const query = { kind, sessionId: session, agentGroupId: agent, actor, subject, since, until, text: q };
      const page = ledgerSearch.find(query, limit ?? DEFAULT_PAGE, cursor === undefined ? null : Number(cursor));
      const nameOf = makeNameOf(parts);
      const items = page.items.map((record) => presentEntry(record, nameOf));
      return c.json({ items, nextCursor: page.next === null ? null : String(page.next) }, 200);
    })
    .openapi(routes.getLedgerHead, (c) => c.json(ledger.head(), 200))
    .openapi(routes.verifyLedger, async (c) => {
      const { after } = c.req.valid('query');
      return c.json(await checkSome(parts, after === undefined ? LEDGER_START : readLink(after)), 200);
    })
    .openapi(routes.getWhy, (c) => {
      const id = parseId('message', c.req.valid('param').id);
      const facts = id === null ? null : findWhyFacts(parts, id);
      if (id === null || facts === null) throw notFound('message');
      const { message } = facts;
      const about = { id, direction: message?.direction ?? null, state: message?.state ?? null };
      return c.json({ ...about, ...planWhy(facts) }, 200);
    });
}

/** In turns with all else that the host does. */
async function checkSome({ ledger }: ApiParts, from: LedgerLink): Promise<LedgerCheck> {
  let link = from;
  // What was written down elsewhere must be here, before what comes after it can follow.
  const known = from.position === 0 ? from : ledger.get(from.position);
  if (known?.hash !== from.hash) return { entries: 0, head: from, brokenAt: from.position, next: null };
  for (let checked = 0; checked < CHECKED_PER_REQUEST; checked += CHECKED_AT_ONCE) {
    if (checked > 0) await new Promise((resolve) => setImmediate(resolve));
    const { to, brokenAt, isComplete } = ledger.verify(link, CHECKED_AT_ONCE);
    link = to;
    const entries = link.position - from.position;
    if (brokenAt !== null || isComplete) return { entries, head: link, brokenAt, next: null };
  }
  const next = `${link.position}:${link.hash}`;
  return { entries: link.position - from.position, head: link, brokenAt: null, next };
}

/** Its shape was checked with the query's. */
function readLink(text: string): LedgerLink {
  const [position = '', hash = ''] = text.split(':');
  return { position: Number(position), hash, at: null };
}

function presentEntry(record: LedgerRecord, nameOf: NameOf): LedgerEntry {
  const { position, at, kind, sessionId, messageId, actor, detail, hash } = record;
  return {
    ...{ position, at, kind, sessionId, actor, detail, hash },
    subject: messageId,
    words: describeEntry(record, nameOf),
  };
}
