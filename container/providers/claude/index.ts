/** Thinks with Claude, through the Claude Agent SDK: its own tools for files, shell and web, and Portolan's. */
import type { Provider, ProviderEvent, ProviderTurn, QueryInput } from '../provider.ts';
import { ClaudeTurn } from './turn.ts';

export const claudeProvider: Provider = {
  name: 'claude',
  supportsPush: true,
  query: (input) => new ClaudeTurn(input),
  compact: (input) => new CompactTurn(input),
};

/** The SDK's own `/compact`, with what people are told about it. */
class CompactTurn implements ProviderTurn {
  readonly #turn: ClaudeTurn;

  constructor(input: QueryInput) {
    const wish = input.prompt.text.replace(/^\s*\/compact\b\s*/, '').trim();
    this.#turn = new ClaudeTurn(input, `/compact ${wish}`.trim());
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ProviderEvent> {
    for await (const event of this.#turn) {
      yield event.kind === 'result' ? { ...event, text: this.#describe(event.text) } : event;
    }
  }

  push(): boolean {
    return false;
  }

  interrupt(): void {
    this.#turn.interrupt();
  }

  end(): void {
    this.#turn.end();
  }

  #describe(said: string): string {
    const { compacted } = this.#turn;
    if (compacted === null) return said === '' ? 'There was nothing to compact.' : said;
    const { beforeTokens, afterTokens } = compacted;
    const after = afterTokens === null ? '' : `, now about ${afterTokens}`;
    return `Compacted: the conversation had about ${beforeTokens} tokens${after}.`;
  }
}
