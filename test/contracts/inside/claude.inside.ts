/** The contract of providers, kept by `claude`: the real SDK, and a server that speaks its API on loopback. */
import { loadProvider } from '../../../container/providers/index.ts';
import { describeProvider } from '../provider-contract.ts';
import { openClaudeWorld } from './claude-world.ts';

describeProvider(
  'claude',
  async () => {
    const provider = await loadProvider('claude');
    if (provider === null) throw new Error('the table has no provider claude');
    return provider;
  },
  openClaudeWorld,
);
