/** The provider `openai` keeps the contract over both protocols that it speaks. */
import { loadProvider } from '../../container/providers/index.ts';
import { openModelWorld } from './model-world.ts';
import { describeProvider } from './provider-contract.ts';

const HABITS = {
  provider: 'openai',
  shell: (command: string) => ({ name: 'bash', input: { command } }),
  shellTool: 'bash',
  toolName: (name: string) => name,
};

for (const api of ['openai', 'anthropic'] as const) {
  describeProvider(
    `openai, over the API of ${api}`,
    async () => {
      const provider = await loadProvider('openai');
      if (provider === null) throw new Error('the table has no provider openai');
      return provider;
    },
    () => openModelWorld(api, HABITS),
  );
}
