/** What the demo provider does with what lies outside: looks at an address through the gateway, and asks to be let out. */
import { type IncomingMessage, request } from 'node:http';
import { describeError } from '../../runner/log.ts';
import { readRefusal } from '../../runner/refusals.ts';
import type { PromptMessage, QueryInput } from '../provider.ts';
import type { Answer } from './answer.ts';
import * as answers from './reach-answers.ts';
import type { ReachIntent } from './reach-intents.ts';
import { describeCause, formatAsked } from './self-answers.ts';

/** How long an address may take to answer. Higher: people wait for one that hangs. Lower: slow ones fail. */
const FETCH_TIMEOUT_MS = 20_000;
/** What is read of an answer. Higher: memory. Lower: its first lines are missing. */
const MAX_BODY_BYTES = 64 * 1024;

export class Reach {
  readonly #input: QueryInput;

  constructor(input: QueryInput) {
    this.#input = input;
  }

  async act(intent: ReachIntent, message: PromptMessage, from: string): Promise<string | Answer> {
    switch (intent.kind) {
      case 'fetch-unclear':
        return answers.FETCH_UNCLEAR;
      case 'fetch':
        return { kind: 'wait', work: async (signal) => await this.#fetch(new URL(intent.url), signal) };
      case 'ask-access-unclear':
        return answers.ASK_ACCESS_UNCLEAR;
      case 'ask-access': {
        const reason = intent.reason ?? describeCause(message, from);
        return formatAsked(await this.#input.tools.call('request_access', { ...intent.place, reason }));
      }
    }
  }

  async #fetch(url: URL, signal: AbortSignal): Promise<string> {
    try {
      const { status, headers, body, isWhole } = await this.#get(url, signal);
      const refusal = readRefusal(headers, body.toString('utf8'));
      if (refusal !== null) return answers.formatRefused(url, refusal);
      return answers.formatFetched({ url, status, headers, body, isWhole });
    } catch (error) {
      // The turn is over: nobody reads it.
      if (signal.aborted) return '';
      if (!(error instanceof Error)) throw error;
      return answers.formatUnreachable(url, error.name === 'TimeoutError' ? 'it took too long' : describeError(error));
    }
  }

  async #get(url: URL, signal: AbortSignal) {
    const timeout = AbortSignal.timeout(FETCH_TIMEOUT_MS);
    const { port } = this.#input.gateway;
    // What the gateway reaches by TLS, it is asked for by path: then its refusal can be read, which a tunnel's cannot.
    const path = url.protocol === 'https:' ? `/https/${url.host}${url.pathname}${url.search}` : url.href.split('#')[0];
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, agent: false, signal: AbortSignal.any([signal, timeout]) };
      // A base URL is the gateway's own; through the proxy the name is the server's.
      const host = url.protocol === 'https:' ? `127.0.0.1:${port}` : url.host;
      const asked = request({ ...options, headers: { host, 'user-agent': 'portolan-demo' } }, resolve);
      asked.on('error', (error) => reject(timeout.aborted ? timeout.reason : error));
      asked.end();
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > MAX_BODY_BYTES) break;
    }
    const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES);
    return { status: response.statusCode ?? 0, headers: response.headers, body, isWhole: bytes <= MAX_BODY_BYTES };
  }
}
