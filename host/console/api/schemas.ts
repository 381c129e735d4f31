/**
 * What the API answers, for its clients: each kind of resource is in its own file, with what is taken of it.
 * Times are epoch milliseconds; ids never change. `revision` of a mutable resource is its ETag; a
 * message's `revision` is its place in the order of changes, which the event stream resumes from.
 */
export * from './agent-schemas.ts';
export * from './approval-schemas.ts';
export * from './chat-schemas.ts';
export * from './host-schemas.ts';
export * from './ledger-schemas.ts';
export * from './message-schemas.ts';
export * from './people-schemas.ts';
export * from './schema-parts.ts';
export * from './session-schemas.ts';
export * from './sign-in-schemas.ts';
export * from './task-schemas.ts';
export * from './vault-schemas.ts';
