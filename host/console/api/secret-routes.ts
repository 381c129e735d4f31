/** The routes about secrets, services and the vault, without handlers. Values go in, and never come out. */
import { createRoute, z } from '@hono/zod-openapi';
import { body, empty, ifMatch, made, ok } from './route-parts.ts';
import { vaultSchema } from './schemas.ts';
import * as secrets from './secret-schemas.ts';

export const listSecrets = createRoute({
  method: 'get',
  path: '/secrets',
  summary: 'Names, and where they are used',
  responses: ok(z.object({ items: z.array(secrets.secretSchema) })),
});
export const setSecret = createRoute({
  method: 'put',
  path: '/secrets/{name}',
  summary:
    'A new secret, or a new value, which holds from the next request on. A new one with the name of a service goes to that service',
  request: { params: secrets.secretParams, body: body(secrets.secretBody) },
  responses: ok(secrets.secretSetSchema),
});
export const removeSecret = createRoute({
  method: 'delete',
  path: '/secrets/{name}',
  summary: 'With its assignments',
  request: { params: secrets.secretParams, headers: ifMatch },
  responses: empty('Removed'),
});
export const assignSecret = createRoute({
  method: 'put',
  path: '/services/{name}/secrets/{of}',
  summary: 'Which secret requests for the service get: those of an agent, or of all that have none of their own',
  request: { params: secrets.useParams, body: body(secrets.useBody) },
  responses: ok(secrets.secretUseSchema),
});
export const unassignSecret = createRoute({
  method: 'delete',
  path: '/services/{name}/secrets/{of}',
  request: { params: secrets.useParams },
  responses: empty('It gets that secret no more; the secret stays'),
});
export const listServices = createRoute({
  method: 'get',
  path: '/services',
  summary: 'Places to which the gateway adds a credential: those that every host knows, then own ones',
  responses: ok(z.object({ items: z.array(secrets.serviceSchema) })),
});
export const addService = createRoute({
  method: 'post',
  path: '/services',
  summary: 'A service of one’s own. To change it, remove it and add it: its secrets are assigned anew',
  request: { body: body(secrets.serviceBody) },
  responses: made(secrets.serviceSchema),
});
export const removeService = createRoute({
  method: 'delete',
  path: '/services/{name}',
  summary: 'Refused while an agent uses it; its assignments go along',
  request: { params: secrets.secretParams, headers: ifMatch },
  responses: empty('Removed'),
});
export const getVault = createRoute({ method: 'get', path: '/vault', responses: ok(vaultSchema) });
export const unlockVault = createRoute({
  method: 'post',
  path: '/vault/unlock',
  summary: 'Open it with its passphrase; without one, look at its files again. Wrong ones are slowed down',
  request: { body: body(secrets.unlockBody) },
  responses: ok(vaultSchema),
});
export const lockVault = createRoute({
  method: 'post',
  path: '/vault/lock',
  summary:
    'Forget the key until the passphrase is given again. Calls under way go on; agents that think with its secrets wait',
  responses: ok(vaultSchema),
});
export const setPassphrase = createRoute({
  method: 'put',
  path: '/vault/passphrase',
  summary: 'Close the key with a passphrase, which every start then asks for (Unix socket or bearer token only)',
  request: { body: body(secrets.passphraseBody) },
  responses: ok(vaultSchema),
});
export const removePassphrase = createRoute({
  method: 'delete',
  path: '/vault/passphrase',
  summary: 'Back to a key in a file (Unix socket or bearer token only)',
  responses: ok(vaultSchema),
});
export const rotateVaultKey = createRoute({
  method: 'post',
  path: '/vault/rotate-key',
  summary: 'Another key, and every secret sealed with it (Unix socket or bearer token only)',
  request: { body: body(secrets.unlockBody) },
  responses: ok(vaultSchema),
});
