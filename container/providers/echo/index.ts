/** Answers at once: every message goes back to where it came from. For benchmarks and tests. */
import { formatBlock } from '../../runner/blocks/index.ts';
import type { Prompt, Provider, ProviderEvent, ProviderTurn, QueryInput } from '../provider.ts';

export const echoProvider: Provider = {
  name: 'echo',
  supportsPush: false,
  query(input: QueryInput): ProviderTurn {
    let isInterrupted = false;
    return {
      async *[Symbol.asyncIterator](): AsyncGenerator<ProviderEvent> {
        yield { kind: 'init', continuation: 'echo' };
        if (!isInterrupted) yield { kind: 'result', text: echoPrompt(input.prompt) };
      },
      push: () => false,
      interrupt() {
        isInterrupted = true;
      },
      end() {},
    };
  },
};

function echoPrompt(prompt: Prompt): string {
  const blocks: string[] = [];
  for (const message of prompt.messages) {
    if (message.from === null || message.kind === 'system') continue;
    const text = message.text.trim() || message.attachments.map((file) => `[${file.name}]`).join(' ');
    if (text) blocks.push(formatBlock({ to: message.from, replyTo: String(message.seq), text }));
  }
  return blocks.join('\n');
}
