/**
 * `node /app/runner.mjs --probe`: one real call of the agent's model, by the way that its turns go: loopback port,
 * socket, gateway, service. What comes of it is one line of JSON (`probeAnswerSchema`), of which the host makes
 * sentences. No database is opened.
 */
import { request } from 'node:http';
import { gatewayUrl } from '../../shared/gateway.ts';
import type { ProbeAnswer, ProbeError } from '../../shared/probe.ts';
import type { SessionFile } from '../../shared/protocol.ts';
import { RUNNER_HEADER } from './gateway-port.ts';
import { describeError } from './log.ts';
import {
  familyOf,
  findNewest,
  type ProbeCall,
  planCall,
  planListing,
  planSecondCall,
  readAnswer,
  readProblem,
} from './probe-call.ts';
import { readRefusal } from './refusals.ts';
import { readRetryAfter } from './retry-after.ts';

/** For the whole probe. Higher: a person waits for a dead server. Lower: a local model that is loaded first fails. */
const TIMEOUT_MS = 60_000;
/** Of an answer. A list of models is the largest: higher is memory only. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Of a server's words. Higher: its whole page on a terminal. Lower: its reason is cut. */
const MAX_MESSAGE_CHARS = 1_000;

interface Heard {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  text: string;
  json: unknown;
}

/** `port` is where the gateway is reached. Never throws for what the world does. */
export async function probeModel(session: SessionFile, port: number): Promise<ProbeAnswer> {
  const startedAt = performance.now();
  const answer = await tryModel(session, new Line(session.service, port, AbortSignal.timeout(TIMEOUT_MS)));
  return { ...EMPTY, model: session.model, ...answer, ms: Math.round(performance.now() - startedAt) };
}

const EMPTY: ProbeAnswer = {
  ...{ ok: false, status: null, refusal: null, model: null, ms: 0, error: null, message: null, next: null },
  ...{ retryAfterMs: null, inputTokens: null, outputTokens: null },
};

type Outcome = Partial<ProbeAnswer>;

async function tryModel(session: SessionFile, line: Line): Promise<Outcome> {
  const { api, service } = session;
  if (api === null || service === '') {
    return fail('bad_answer', `The provider ${session.provider} has no model service, so there is nothing to call.`);
  }
  try {
    const family = familyOf(session);
    let model = session.model;
    if (family !== null) {
      const listed = await line.ask('GET', planListing(api));
      if (listed.status !== 200) return judge(listed);
      model = findNewest(family, listed.json);
      if (model === null)
        return { ...fail('bad_answer', `${service} lists no model of the family ${family}.`), status: 200 };
    }
    if (model === null) return fail('bad_answer', 'No model is chosen.');
    const call = planCall(api, model);
    let heard = await line.ask('POST', call);
    const second = planSecondCall(call, heard.status, heard.json);
    if (second !== null) heard = await line.ask('POST', second);
    if (heard.status !== 200) return { model, ...judge(heard) };
    const words = readAnswer(api, heard.json);
    const status = heard.status;
    if (words === null) return { model, status, ...fail('bad_answer', readProblem(heard.json) ?? heard.text) };
    return { ok: true, status, ...words, model: words.model ?? model };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return line.hasTimedOut ? fail('timed_out', null) : fail('broken', describeError(error));
  }
}

/** An answer that is no success. */
function judge({ status, headers, text, json }: Heard): Outcome {
  const retryAfter = headers['retry-after'];
  const retryAfterMs = readRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined, Date.now());
  const refusal = readRefusal(headers, text);
  if (refusal === null) return { status, retryAfterMs, ...fail('status', readProblem(json) ?? text) };
  const { reason, message, next } = refusal;
  // The runner's own word for a socket that is not there, and the gateway's for a server that is not.
  const error = headers[RUNNER_HEADER] !== undefined ? 'no_gateway' : 'refused';
  return { status, retryAfterMs, refusal: reason, next, ...fail(error, message) };
}

function fail(error: ProbeError, message: string | null): Outcome {
  const words = message?.trim().slice(0, MAX_MESSAGE_CHARS) || null;
  return { error, message: words };
}

/** Requests to one service through the loopback port, one after the other. */
class Line {
  readonly #base: URL;
  readonly #deadline: AbortSignal;

  constructor(service: string, port: number, deadline: AbortSignal) {
    this.#base = new URL(gatewayUrl(port, 'model', service, null));
    this.#deadline = deadline;
  }

  get hasTimedOut(): boolean {
    return this.#deadline.aborted;
  }

  async ask(
    method: 'GET' | 'POST',
    { path, headers, body }: Omit<ProbeCall, 'body'> & Partial<ProbeCall>,
  ): Promise<Heard> {
    const { hostname, port, pathname } = this.#base;
    const options = { hostname, port, path: pathname + path, method, headers, agent: false, signal: this.#deadline };
    const json = body === undefined ? '' : JSON.stringify(body);
    return await new Promise<Heard>((resolve, reject) => {
      const asked = request(options, (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_BODY_BYTES) asked.destroy(new Error('the answer has no end'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
        });
      });
      asked.on('error', reject);
      asked.end(json);
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
