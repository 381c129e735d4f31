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
    return formatCompacted(compacted);
  }
}

/** The two are counted in different ways: a short conversation may seem to have grown, which is of no use to anybody. */
export function formatCompacted(sizes: { beforeTokens: number; afterTokens: number | null }): string {
  const { beforeTokens, afterTokens } = sizes;
  const done = 'Compacted: what was said so far is now a summary, which the agent goes on from.';
  if (afterTokens === null || afterTokens >= beforeTokens) return done;
  return `${done} It had about ${beforeTokens} tokens, and has about ${afterTokens}.`;
}
