/**
 * One request, from its head to the end of its answer. Bytes pass as they come, in both directions.
 *
 *   begins ─▶ refused                                     nothing went out
 *     └─▶ locating ─▶ asking ─▶ answering ─▶ whole
 *            └──────────┴──────────┴────────▶ broken      either side went away, or nothing allows it any more
 *
 * I1. Its end is told once: to the meter of a model, and to the log.
 * I2. An answer that breaks off ends in a broken connection, never as if it were whole.
 * I3. What a service sends back is looked through for the credential that it was given (I7 of the architecture).
 * I4. What goes wrong about one request, in a part of ours too, ends that request and nothing else.
 */
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { errorCode } from '../config/errors.ts';
import { egressLog } from '../observe/logger.ts';
import type { Credential } from './credentials.ts';
import { decode } from './decode.ts';
import { describeFailure } from './failure.ts';
import { drain, letFinishSending, writeRefusal } from './farewell.ts';
import { inboundHeaders, outboundHeaders } from './headers.ts';
import { Judgement } from './judgement.ts';
import type { CallEnd, Meter } from './model/door.ts';
import type { Passage } from './plan.ts';
import { pump, sendHead } from './pump.ts';
import { Redactor, redactText, secretsOf } from './redact.ts';
import { outcomeOf, type Refusal, refuse } from './refusal.ts';
import type { CutReason, Passing, Scope } from './scope.ts';
import type { Head } from './target.ts';
import { hostHeader } from './upstreams.ts';
import type { Visit } from './visit.ts';

/** Answers of a server that only say that one will come (1xx). Higher: who sends them without end takes the host's time. Lower: an odd server fails. */
const MAX_ANNOUNCED = 16;

type Given = Exclude<Credential, { kind: 'missing' }>;

/** What takes a credential out of what comes back. */
interface Cleaning {
  /** For headers. */
  secrets: readonly string[];
  /** For the body; null: there is none to be found. */
  redactor: Redactor | null;
}

interface Way {
  head: Head;
  passage: Passage;
  credential: Given;
  addresses: readonly string[];
}

export class Exchange implements Passing {
  readonly #scope: Scope;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #expectsContinue: boolean;
  readonly #judgement: Judgement;
  readonly #visit: Visit;
  #meter: Meter | null = null;
  #upstream: ClientRequest | null = null;
  #answer: IncomingMessage | null = null;
  #cleaning: Cleaning | null = null;
  #isOver = false;

  constructor(scope: Scope, request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    this.#scope = scope;
    this.#request = request;
    this.#response = response;
    this.#expectsContinue = expectsContinue;
    this.#judgement = new Judgement(scope);
    this.#visit = this.#judgement.visit;
  }

  /** Resolves when it is on its way, or refused. */
  async run(): Promise<void> {
    this.#scope.passing.add(this);
    const way = await this.#findWay();
    if (this.#isOver) return;
    if (way.kind === 'refused') this.refuse(way);
    else this.#send(way, false);
  }

  recheck(): void {
    if (this.#isOver || this.#judgement.holds()) return;
    this.#end('refused', this.#answer?.statusCode ?? null, 'not_allowed');
    this.#break();
  }

  cut(why: CutReason): void {
    this.#end('failed', this.#answer?.statusCode ?? null, why);
    this.#break();
  }

  /** Answers in the gateway's own name. */
  refuse(refusal: Refusal, retryAfterMs: number | null = null): void {
    if (this.#isOver) return;
    this.#end(outcomeOf(refusal), refusal.status, refusal.reason);
    this.#upstream?.destroy();
    if (this.#response.headersSent) {
      this.#break();
      return;
    }
    letFinishSending(this.#request, this.#response);
    writeRefusal(this.#response, refusal, retryAfterMs);
    drain(this.#request, this.#scope.limits.maxBodyBytes);
  }

  async #findWay(): Promise<({ kind: 'way' } & Way) | Refusal> {
    const judged = this.#judgement.decide(this.#request);
    if (judged.kind === 'refused') return judged;
    const { head, passage } = judged;
    // Who has none hears it at once, whatever becomes of the name.
    const known = this.#findCredential(passage);
    if (known.kind === 'refused') return known;
    const wrong = this.#checkBody(passage);
    if (wrong !== null) return wrong;
    const located = await this.#judgement.locate();
    if (located.kind === 'refused') return located;
    // The one that holds by now: it may have been taken away, or the vault locked.
    const credential = this.#findCredential(located.passage);
    return credential.kind === 'refused' ? credential : { ...located, kind: 'way', head, credential };
  }

  #findCredential({ service }: Passage): Given | Refusal {
    if (service === null) return { kind: 'none' };
    const { parts, who } = this.#scope;
    const credential = parts.credentials.credentialFor(service, who.agentGroupId);
    return credential.kind === 'missing'
      ? refuse('no_secret', credential.why, `an owner types: ${credential.next}`)
      : credential;
  }

  #checkBody({ service }: Passage): Refusal | null {
    if (service === null) return null;
    const { 'content-length': length, 'content-encoding': encoding } = this.#request.headers;
    const { maxBodyBytes } = this.#scope.limits;
    if (Number(length ?? 0) > maxBodyBytes) return tooLarge(maxBodyBytes);
    // What is counted by its size must have the size that it seems to have.
    if (service.api === null || encoding === undefined || encoding === 'identity') return null;
    return refuse(
      'bad_request',
      'The body of a model call is sent as it is, not compressed.',
      'leave Content-Encoding out',
    );
  }

  #send(way: Way, isFresh: boolean): void {
    const scope = this.#scope;
    const { head, passage, credential, addresses } = way;
    const refused = this.#admit(head, passage);
    if (refused !== null) {
      this.refuse(refused);
      return;
    }
    const upstream = scope.upstreams.request(passage, {
      method: head.method,
      headers: outboundHeaders({
        raw: this.#request.rawHeaders,
        host: hostHeader(passage),
        credential: credential.kind === 'header' ? credential : null,
        credentialHeader: passage.service?.header,
        isService: passage.service !== null,
      }),
      addresses,
      isFresh,
    });
    this.#upstream = upstream;
    upstream.setNoDelay(true);
    upstream.setTimeout(scope.limits.idleMs, () => upstream.destroy(new Error('idle')));
    this.#limitConnecting(upstream, passage);
    upstream.on('response', (answer) => this.#guard(() => this.#answered(answer, passage, credential)));
    upstream.on('upgrade', (_, socket) => {
      // From here on the connection is nobody else's: what goes wrong there must not end the host.
      socket.on('error', () => undefined);
      socket.destroy();
      this.#failed(new Error('upgrade'), way, upstream);
    });
    upstream.on('error', (error) => this.#failed(error, way, upstream));
    let announced = 0;
    upstream.on('information', () => {
      announced += 1;
      if (announced > MAX_ANNOUNCED) upstream.destroy(new Error('announced'));
    });
    if (this.#hasBody()) this.#sendBody(upstream);
    else upstream.end();
    // All forms of a secret take 0.1 ms: while the server works, not when its answer is there.
    setImmediate(() => this.#guard(() => this.#prepareCleaning(way)));
  }

  /** I3: what the answer is looked through for. Once, behind what was sent. */
  #prepareCleaning({ passage, credential }: Pick<Way, 'passage' | 'credential'>): Cleaning {
    if (this.#cleaning === null) {
      const secrets =
        credential.kind === 'header' ? secretsOf(credential.value, passage.service?.headerValue ?? '{}') : [];
      this.#cleaning = { secrets, redactor: secrets.length === 0 ? null : new Redactor(secrets) };
    }
    return this.#cleaning;
  }

  /** Asks the door of models, once. */
  #admit(head: Head, { service }: Passage): Refusal | null {
    if (service === null || service.api === null || head.target.kind !== 'model' || this.#meter !== null) return null;
    const length = this.#request.headers['content-length'];
    const bodyBytes = length !== undefined ? Number(length) : this.#hasBody() ? null : 0;
    const { messageId, method } = head;
    const { path } = head.target;
    const call = { ...this.#scope.who, messageId, service, method, path, bodyBytes };
    const admitted = this.#scope.parts.model.admit(call);
    if (admitted.kind === 'refused') return admitted;
    this.#meter = admitted.meter;
    return null;
  }

  #hasBody(): boolean {
    const { 'transfer-encoding': encoding, 'content-length': length } = this.#request.headers;
    return encoding !== undefined || Number(length ?? 0) > 0;
  }

  #sendBody(upstream: ClientRequest): void {
    const isBounded = this.#judgement.passage?.service !== null;
    if (this.#expectsContinue) this.#response.writeContinue();
    const body = pump(this.#request, upstream, (chunk) => this.#guard(() => this.#passOut(chunk, isBounded)));
    // Who answers before the body has come may do so.
    sendHead(upstream, body);
    this.#request.once('end', () => {
      if (!this.#isOver) upstream.end();
    });
  }

  /** A chunk of the request's body; null when it may not go on. */
  #passOut(chunk: Buffer, isBounded: boolean): Buffer | null {
    if (this.#isOver) return null;
    const { maxBodyBytes } = this.#scope.limits;
    this.#visit.bytesOut += chunk.length;
    const refused =
      isBounded && this.#visit.bytesOut > maxBodyBytes ? tooLarge(maxBodyBytes) : (this.#meter?.sent(chunk) ?? null);
    if (refused === null) return chunk;
    this.refuse(refused);
    return null;
  }

  #limitConnecting(upstream: ClientRequest, { upstream: { scheme } }: Passage): void {
    const timer = setTimeout(() => upstream.destroy(new Error('late')), this.#scope.limits.connectMs);
    timer.unref();
    upstream.once('close', () => clearTimeout(timer));
    upstream.once('socket', (socket) => {
      const connected = () => {
        clearTimeout(timer);
        const refused = this.#judgement.connected(socket.remoteAddress ?? null);
        if (refused !== null) this.refuse(refused);
      };
      if (!socket.connecting && upstream.reusedSocket) connected();
      else socket.once(scheme === 'https' ? 'secureConnect' : 'connect', connected);
    });
  }

  #answered(answer: IncomingMessage, passage: Passage, credential: Given): void {
    if (this.#isOver) return;
    this.#answer = answer;
    answer.on('error', () => this.#brokenOff());
    const isService = passage.service !== null;
    const { secrets, redactor } = this.#prepareCleaning({ passage, credential });
    const decoded = isService ? decode(answer, this.#request.method ?? '') : { body: answer, isChanged: false };
    if (decoded === null) {
      answer.destroy();
      this.refuse(refuse('unreachable', 'The server answered in an encoding that cannot be looked through.'));
      return;
    }
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 999) {
      answer.destroy();
      this.refuse(refuse('unreachable', `The server answered with a status that is none (${status}).`));
      return;
    }
    this.#meter?.answered(status, answer.headers);
    const headers = inboundHeaders(answer.rawHeaders, isService, (text) => redactText(text, secrets));
    letFinishSending(this.#request, this.#response);
    this.#response.writeHead(status, decoded.isChanged ? withoutLength(headers) : headers);
    this.#passBody(answer, decoded.body, redactor);
  }

  #passBody(answer: IncomingMessage, body: Readable, redactor: Redactor | null): void {
    const passed = pump(body, this.#response, (chunk) => this.#guard(() => this.#passIn(chunk, redactor)));
    sendHead(this.#response, passed);
    body.once('end', () => {
      if (this.#isOver) return;
      // I2
      if (answer.complete) this.#guard(() => this.#pastLast(redactor));
      else this.#brokenOff();
    });
    body.once('error', () => this.#brokenOff());
    answer.once('close', () => {
      if (!answer.complete) this.#brokenOff();
    });
  }

  #passIn(chunk: Buffer, redactor: Redactor | null): Buffer | null {
    if (this.#isOver) return null;
    this.#visit.bytesIn += chunk.length;
    this.#meter?.received(chunk);
    return redactor === null ? chunk : redactor.push(chunk);
  }

  /** All of the answer is here. */
  #pastLast(redactor: Redactor | null): void {
    this.#response.once('finish', () => this.#finished());
    this.#response.end(redactor?.end());
    // Counted before anybody asks again, and without keeping from its end whoever waits for it.
    this.#endMeter('whole');
  }

  #finished(): void {
    this.#end('allowed', this.#answer?.statusCode ?? null, null);
    // It answered before the body had come: what comes now, nobody takes.
    if (this.#request.complete) return;
    this.#upstream?.destroy();
    drain(this.#request, this.#scope.limits.maxBodyBytes);
  }

  #failed(error: Error, way: Way, upstream: ClientRequest): void {
    // What was answered already ends as the answer says.
    if (this.#isOver || this.#answer !== null || upstream !== this.#upstream) return;
    const isStale = upstream.reusedSocket && errorCode(error) === 'ECONNRESET' && !this.#hasBody();
    if (isStale) this.#send(way, true);
    else this.refuse(refuse('unreachable', describeFailure(error, way.passage)));
  }

  /** I4 */
  #guard<T>(work: () => T): T | null {
    try {
      return work();
    } catch (error) {
      egressLog.error({ err: error, session: this.#scope.who.sessionId }, 'a request failed in the gateway');
      this.#end('failed', this.#answer?.statusCode ?? null, 'gateway_failed');
      this.#break();
      return null;
    }
  }

  /** The server outside went away in the middle. */
  #brokenOff(): void {
    if (this.#isOver) return;
    this.#end('failed', this.#answer?.statusCode ?? null, 'broken_off');
    this.#break();
  }

  /** The connection of the container is closed, for whatever reason. */
  left(): void {
    if (this.#isOver) return;
    this.#end('failed', this.#answer?.statusCode ?? null, 'container_left');
    this.#break();
  }

  /** I2 */
  #break(): void {
    this.#upstream?.destroy();
    this.#request.socket.destroy();
  }

  /** I1 */
  #end(outcome: 'allowed' | 'refused' | 'failed', status: number | null, reason: string | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#scope.passing.delete(this);
    // Without an address nothing was connected to: no model can have begun.
    this.#endMeter(this.#visit.address === null ? 'unsent' : 'broken');
    this.#visit.end(outcome, status, reason);
  }

  /** I4: it reads the host's tables, and an end may come from anywhere. */
  #endMeter(how: CallEnd): void {
    const meter = this.#meter;
    this.#meter = null;
    try {
      meter?.end(how);
    } catch (error) {
      egressLog.error({ err: error, session: this.#scope.who.sessionId }, 'a call of a model could not be counted');
    }
  }
}

function tooLarge(maxBytes: number): Refusal {
  return refuse(
    'bad_request',
    `The body is larger than ${Math.floor(maxBytes / 1024 / 1024)} MiB.`,
    'send less at once',
  );
}

function withoutLength(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const [name = '', value = ''] = [headers[at], headers[at + 1]];
    if (!/^content-(?:length|encoding)$/i.test(name)) kept.push(name, value);
  }
  return kept;
}
