/** A host with an agent, a chat and a model door; calls of models by hand, or to a model server on loopback. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Meter, ModelCall, ModelService } from '../../../../host/egress/model/door.ts';
import type { Refusal } from '../../../../host/egress/refusal.ts';
import type { ModelCallRecord } from '../../../../host/store/model-calls.ts';
import type { MessageId, UserId } from '../../../../shared/ids.ts';
import { NANOUSD_PER_USD } from '../../../../shared/money.ts';
import type { ModelServer } from '../../../support/model-servers/answers.ts';
import { Spine } from '../../../support/spine.ts';

export const ANTHROPIC: ModelService = { name: 'anthropic', api: 'anthropic', isPrivate: false };
export const OPENAI: ModelService = { name: 'openai', api: 'openai', isPrivate: false };
export const OLLAMA: ModelService = { name: 'ollama', api: 'openai', isPrivate: true };
export const ADA = 'test:ada' as UserId;
export const USD = NANOUSD_PER_USD;
/** Noon of a Saturday, in UTC. */
export const NOON = Date.UTC(2026, 10, 21, 12);

const PATHS = { anthropic: '/v1/messages', openai: '/v1/chat/completions' } as const;

/** $2 and $10 per million tokens. */
export const PRICED = 'claude-sonnet-5-5';

export interface Asked {
  service?: ModelService;
  model?: string;
  messageId?: string | null;
  path?: string;
  bodyBytes?: number | null;
  sessionId?: ModelCall['sessionId'];
  agentGroupId?: ModelCall['agentGroupId'];
}

export class Counter {
  readonly spine = new Spine();
  readonly agent = this.spine.addAgent('main');
  readonly chat = this.spine.addChat(this.agent, 'test', 'room');
  at = NOON;
  session!: ModelCall['sessionId'];
  messageId!: MessageId;

  async open(): Promise<this> {
    this.spine.addChannel('test');
    this.spine.now = () => this.at;
    this.spine.users.ensure(ADA, 'Ada', 0);
    ({ sessionId: this.session, messageId: this.messageId } = await this.say('hello'));
    return this;
  }

  async say(text: string, senderId: UserId = ADA, chat = this.chat) {
    const { session, messageId } = await this.spine.say(chat, text, { senderId });
    return { sessionId: session.id, messageId };
  }

  admit({ service = ANTHROPIC, messageId = null, path, bodyBytes = null, ...of }: Asked = {}) {
    return this.spine.modelDoor.admit({
      ...{
        agentGroupId: of.agentGroupId ?? this.agent.id,
        sessionId: of.sessionId ?? this.session,
        messageId,
        service,
      },
      ...{ method: 'POST', path: path ?? PATHS[service.api ?? 'openai'], bodyBytes },
    });
  }

  /** Let in, with its body sent. */
  begin(asked: Asked = {}): Meter {
    const admitted = this.admit(asked);
    if (admitted.kind === 'refused') throw new Error(`refused: ${admitted.message}`);
    const refused = admitted.meter.sent(Buffer.from(JSON.stringify({ model: asked.model ?? PRICED, max_tokens: 100 })));
    if (refused !== null) throw new Error(`refused: ${refused.message}`);
    return admitted.meter;
  }

  /** A whole call of the Messages API, answered at once. */
  spend(input: number, output: number, asked: Asked = {}): void {
    this.answer(this.begin(asked), input, output, asked.model);
  }

  answer(meter: Meter, input: number, output: number, model = PRICED): void {
    meter.answered(200, { 'content-type': 'application/json' });
    const usage = { input_tokens: input, output_tokens: output, prompt_tokens: input, completion_tokens: output };
    meter.received(Buffer.from(JSON.stringify({ model, usage })));
    meter.end('whole');
  }

  /** Why a call is refused now; null: it is not. */
  refusal(asked: Asked = {}): Refusal | null {
    const admitted = this.admit(asked);
    if (admitted.kind === 'refused') return admitted;
    const refused = admitted.meter.sent(Buffer.from(JSON.stringify({ model: asked.model ?? PRICED })));
    // Nothing of it was answered: like a call that the server refused.
    admitted.meter.answered(500, {});
    admitted.meter.end('whole');
    return refused;
  }

  /** As it stands on the disk, oldest first. */
  rows(): (Omit<ModelCallRecord, 'isEstimated'> & { isEstimated: number })[] {
    this.spine.modelDoor.flush();
    return this.spine.db
      .prepare<[], Omit<ModelCallRecord, 'isEstimated'> & { isEstimated: number }>(
        `SELECT at, agent_group_id AS agentGroupId, session_id AS sessionId, message_id AS messageId, user_id AS userId,
           service, model, input_tokens AS inputTokens, output_tokens AS outputTokens,
           cache_read_tokens AS cacheReadTokens, cache_write_tokens AS cacheWriteTokens, cost_nanousd AS costNanousd,
           is_estimated AS isEstimated, status, first_byte_ms AS firstByteMs, duration_ms AS durationMs
         FROM model_calls ORDER BY id`,
      )
      .all();
  }

  /** A real call of a server on loopback, each byte past a meter. Resolves when it has ended, whole or broken. */
  async call(server: ModelServer, body: Record<string, unknown>, asked: Asked = {}): Promise<string> {
    const service = asked.service ?? ANTHROPIC;
    const bytes = Buffer.from(JSON.stringify(body));
    const admitted = this.admit({ ...asked, bodyBytes: bytes.length });
    if (admitted.kind === 'refused') throw new Error(`refused: ${admitted.message}`);
    const { meter } = admitted;
    const refused = meter.sent(bytes);
    if (refused !== null) throw new Error(`refused: ${refused.message}`);
    const outgoing = request(`${server.url}${asked.path ?? PATHS[service.api ?? 'openai']}`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
        ...{ 'x-api-key': server.key, authorization: `Bearer ${server.key}` },
      },
    });
    outgoing.end(bytes);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    meter.answered(answer.statusCode ?? 0, answer.headers);
    const chunks: Buffer[] = [];
    answer.on('error', () => undefined);
    answer.on('data', (chunk: Buffer) => {
      meter.received(chunk);
      chunks.push(chunk);
    });
    await new Promise<void>((resolve) => answer.once('close', resolve));
    meter.end(answer.complete ? 'whole' : 'broken');
    return Buffer.concat(chunks).toString('utf8');
  }
}
