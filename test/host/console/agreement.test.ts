/** The page and the command line read what the API sends: their own types must take the API's. Checked by tsc. */
import { expectTypeOf, it } from 'vitest';
import type * as cli from '../../../host/cli/client/types.ts';
import type * as api from '../../../host/console/api/schemas.ts';
import type * as page from '../../../host/console/web/client/types.ts';

it('the command line takes every resource as the API sends it', () => {
  expectTypeOf<api.Status>().toExtend<cli.Status>();
  expectTypeOf<api.Agent>().toExtend<cli.Agent>();
  expectTypeOf<api.Chat>().toExtend<cli.Chat>();
  expectTypeOf<api.Wiring>().toExtend<cli.Wiring>();
  expectTypeOf<api.Destination>().toExtend<cli.Destination>();
  expectTypeOf<api.Session>().toExtend<cli.Session>();
  expectTypeOf<api.Message>().toExtend<cli.Message>();
  expectTypeOf<api.Trace>().toExtend<cli.Trace>();
  expectTypeOf<api.Dropped>().toExtend<cli.DroppedMessages>();
  expectTypeOf<api.SignInLink>().toExtend<cli.SignInLink>();
});

it('the page takes every resource as the API sends it', () => {
  expectTypeOf<api.Me>().toExtend<page.Me>();
  expectTypeOf<api.Agent>().toExtend<page.Agent>();
  expectTypeOf<api.Destination>().toExtend<page.Destination>();
  expectTypeOf<api.Session>().toExtend<page.Session>();
  expectTypeOf<api.Message>().toExtend<page.Message>();
  expectTypeOf<api.Trace>().toExtend<page.Trace>();
});
