/** Services over the API: seen by admins, changed by owners. */
import type { ListedService } from '../../../egress/services.ts';
import { newApi } from '../api.ts';
import { readIfMatch, refuseChange, setEtag } from '../conditions.ts';
import type { ApiParts } from '../ports.ts';
import { notFound } from '../problem.ts';
import { toProblem } from '../secret-problems.ts';
import * as routes from '../secret-routes.ts';
import type { Service } from '../secret-schemas.ts';

export function serviceRoutes(parts: ApiParts) {
  const { services } = parts;
  return newApi()
    .openapi(routes.listServices, (c) => c.json({ items: presentServices(services.list(), parts) }, 200))
    .openapi(routes.addService, (c) => {
      const { name, url, api = null, header = null, private: isPrivate = false } = c.req.valid('json');
      const outcome = services.add({ name, url, api, header, isPrivate }, c.var.userId);
      if (outcome.kind === 'refused') throw toProblem(outcome);
      const [shown] = presentServices([outcome.service], parts);
      if (shown === undefined) throw new Error('a service that was added is not shown');
      if (shown.revision !== null) setEtag(c, { revision: shown.revision });
      return c.json(shown, 201);
    })
    .openapi(routes.removeService, (c) => {
      const { name } = c.req.valid('param');
      const listed = services.list().find((service) => service.name === name);
      if (listed === undefined) throw notFound('service');
      // A known one has no revision: it is refused for what it is.
      const revision = listed.row === null ? 0 : readIfMatch(c);
      const outcome = services.remove(name, revision, c.var.userId);
      if (outcome.kind === 'refused') throw toProblem(outcome);
      if (outcome.kind === 'stale') throw refuseChange('service', listed.row);
      return c.body(null, 204);
    });
}

function presentServices(listed: readonly ListedService[], { assignments }: ApiParts): Service[] {
  const uses = assignments.list();
  return listed.map(({ row, baseUrl, ...service }) => {
    const own = uses.filter((use) => use.service === service.name);
    const isForAll = own.some(({ agentGroupId }) => agentGroupId === null);
    return {
      ...service,
      baseUrl: baseUrl.href.replace(/\/$/, ''),
      secretFor: isForAll ? 'all' : own.length > 0 ? 'some' : 'none',
      createdAt: row?.createdAt ?? null,
      revision: row?.revision ?? null,
    };
  });
}
