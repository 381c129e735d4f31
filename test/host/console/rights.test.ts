import { describe, expect, it } from 'vitest';
import { RIGHTS } from '../../../host/access/console.ts';
import { API_BASE, buildApp } from '../../../host/console/api/app.ts';
import { EventStreams } from '../../../host/console/api/event-stream.ts';
import { type ApiFixture, BEARER, startApi } from '../../support/api-server.ts';

/** Every route that the app answers, as the table names them. */
function listRoutes(api: ApiFixture): string[] {
  const { routes } = buildApp(api.parts, new EventStreams(api.parts), BEARER);
  const own = routes.filter(({ method, path }) => method !== 'ALL' && path.startsWith(`${API_BASE}/`));
  return [
    ...new Set(own.map(({ method, path }) => `${method} ${path.slice(API_BASE.length).replace(/:(\w+)/g, '{$1}')}`)),
  ];
}

describe('rights', () => {
  it('are declared for every route, and for nothing else', async () => {
    const api = await startApi();
    expect(listRoutes(api).sort()).toEqual(Object.keys(RIGHTS).sort());
  });
});
