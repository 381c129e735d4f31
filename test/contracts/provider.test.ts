import { describe, expect, it } from 'vitest';
import { loadProvider } from '../../container/providers/index.ts';
import type { Provider } from '../../container/providers/provider.ts';
import { formatBlock } from '../../container/runner/blocks/index.ts';
import { findModelProvider, PROVIDER_NAMES } from '../../shared/providers.ts';
import { ScriptedProvider } from '../container/scripted-provider.ts';
import { describeProvider } from './provider-contract.ts';

async function load(name: string): Promise<Provider> {
  const provider = await loadProvider(name);
  if (provider === null || provider.name !== name)
    throw new Error(`the table has no provider ${name}, or one that calls itself otherwise`);
  return provider;
}

for (const name of PROVIDER_NAMES.filter((each) => findModelProvider(each) === null)) {
  describeProvider(name, () => load(name));
}

// The fake of other suites keeps the same contract.
describeProvider('scripted', async () =>
  Promise.resolve(
    new ScriptedProvider(async function* (input) {
      yield { kind: 'init', continuation: 'script-1' };
      const blocks = input.prompt.messages.map(({ seq, text }) =>
        formatBlock({ to: 'terminal', replyTo: `${seq}`, text }),
      );
      yield { kind: 'result', text: blocks.join('\n') };
    }),
  ),
);

describe('the table of providers', () => {
  it.each(['', 'toString', '__proto__', 'Echo'])('has no %j', async (name) => {
    expect(await loadProvider(name)).toBeNull();
  });
});
