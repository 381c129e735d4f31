/**
 * A rule-based assistant that needs no model and no key, for trying the host out. It acts only through
 * the tools and blocks that a model would use, and says what it is.
 */
import type { Provider, QueryInput } from '../provider.ts';
import { DemoTurn } from './turn.ts';

export const demoProvider: Provider = {
  name: 'demo',
  supportsPush: true,
  query: (input: QueryInput) => new DemoTurn(input),
};
