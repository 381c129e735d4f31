import { expect, test } from 'vitest';
import { MAX_PENDING_CALLS } from '../../../../host/egress/model/limits.ts';
import { makeId } from '../../../../shared/ids.ts';
import type { ModelAnswer, ModelServer } from '../../../support/model-servers/answers.ts';
import { startAnthropic } from '../../../support/model-servers/anthropic.ts';
import { startOpenAiServer } from '../../../support/model-servers/openai.ts';
import { until } from '../../../support/until.ts';
import { ADA, ANTHROPIC, Counter, OLLAMA, OPENAI, PRICED } from './counter.ts';

const MESSAGES = { model: PRICED, max_tokens: 100, messages: [{ role: 'user', content: 'Say something.' }] };
const CHAT = { model: 'gpt-5.2', messages: [{ role: 'user', content: 'Say something.' }] };

const ANSWERS: readonly ModelAnswer[] = [
  { kind: 'text', text: 'Grüße, 世界 🙂'.repeat(9), usage: { input: 1_234, output: 77, cached: 1_000 } },
  { kind: 'tools', calls: [{ name: 'look', input: { usage: { output_tokens: 9 } } }], usage: { input: 9, output: 31 } },
  { kind: 'text', text: 'again', usage: { input: 3, output: 1 } },
];

function sumTold({ told }: ModelServer) {
  return told.reduce((sum, { input, output }) => ({ input: sum.input + input, output: sum.output + output }), {
    input: 0,
    output: 0,
  });
}

function sumRows(counter: Counter) {
  return counter.rows().reduce(
    (sum, row) => ({
      input: sum.input + row.inputTokens + row.cacheReadTokens + row.cacheWriteTokens,
      output: sum.output + row.outputTokens,
    }),
    { input: 0, output: 0 },
  );
}

test('real servers of both APIs, streamed and not: what is written down sums up to what they told, exactly', async () => {
  const counter = await new Counter().open();
  await using anthropic = await startAnthropic();
  await using openai = await startOpenAiServer();
  for (const stream of [true, false]) {
    anthropic.answer(...ANSWERS);
    openai.answer(...ANSWERS);
    for (const _ of ANSWERS) {
      await counter.call(anthropic, { ...MESSAGES, stream });
      const options = stream ? { stream_options: { include_usage: true } } : {};
      await counter.call(openai, { ...CHAT, stream, ...options }, { service: OPENAI });
    }
  }
  expect(anthropic.wrong.concat(openai.wrong)).toEqual([]);
  const [one, other] = [sumTold(anthropic), sumTold(openai)];
  expect(sumRows(counter)).toEqual({ input: one.input + other.input, output: one.output + other.output });
  expect(counter.rows().every(({ isEstimated, status }) => isEstimated === 0 && status === 200)).toBe(true);
  expect(new Set(counter.rows().map(({ model }) => model))).toEqual(new Set([PRICED, 'gpt-5.2']));
});

test('what messages cost, and what has no message, sums up to all calls', async () => {
  const counter = await new Counter().open();
  const second = await counter.say('and this');
  counter.spend(100, 10, { messageId: counter.messageId });
  counter.spend(200, 20, { messageId: counter.messageId });
  counter.spend(300, 30, { messageId: second.messageId });
  counter.spend(400, 40);
  const rows = counter.rows();
  const byMessage = counter.spine.modelCalls.ofMessages([counter.messageId, second.messageId]);
  const none = rows.filter(({ messageId }) => messageId === null);
  const told = [...byMessage.values()];
  for (const field of ['inputTokens', 'outputTokens', 'costNanousd'] as const) {
    const ofMessages = told.reduce((sum, one) => sum + one[field], 0);
    const rest = none.reduce((sum, row) => sum + (row[field] ?? 0), 0);
    expect(ofMessages + rest).toBe(rows.reduce((sum, row) => sum + (row[field] ?? 0), 0));
  }
  expect(byMessage.get(counter.messageId)).toMatchObject({
    calls: 2,
    inputTokens: 300,
    costNanousd: 300 * 2_000 + 30 * 10_000,
  });
  const { sum } = counter.spine.usage.report({ by: 'day', days: 1, agents: null, sessionId: null, person: null });
  expect(sum).toMatchObject({ calls: 4, inputTokens: 1_000, outputTokens: 100 });
});

test('a message’s row is told anew when what it cost changes', async () => {
  const counter = await new Counter().open();
  const told: string[] = [];
  counter.spine.transcript.flush();
  counter.spine.transcript.onFlush((messages) => told.push(...messages.map(({ id }) => id)));
  counter.spend(100, 10, { messageId: counter.messageId });
  await until('the row to be told', () => told.includes(counter.messageId));
  expect(counter.spine.modelCalls.ofMessages([counter.messageId]).size).toBe(1);
});

test('a container is believed only about messages that came into its own session', async () => {
  const counter = await new Counter().open();
  const { spine } = counter;
  const elsewhere = await counter.say('secret', ADA, spine.addChat(counter.agent, 'test', 'elsewhere'));
  expect(elsewhere.sessionId).not.toBe(counter.session);
  const wrong = [elsewhere.messageId, makeId('message'), counter.session, '../../etc', '', 'x'.repeat(5_000)];
  for (const messageId of wrong) counter.spend(1, 1, { messageId });
  counter.spend(1, 1, { messageId: counter.messageId });
  expect(counter.rows().map(({ messageId, userId }) => [messageId, userId])).toEqual([
    ...wrong.map(() => [null, null]),
    [counter.messageId, ADA],
  ]);
});

test('a stream that breaks keeps what was read, and its answer is guessed upwards', async () => {
  const counter = await new Counter().open();
  await using server = await startAnthropic();
  server.answer({ kind: 'broken', text: 'half of an answer that will never be whole' });
  await counter.call(server, { ...MESSAGES, stream: true });
  const [row] = counter.rows();
  expect(row).toMatchObject({ isEstimated: 1, status: 200, model: PRICED });
  expect(row?.inputTokens).toBeGreaterThan(0);
  expect(row?.outputTokens).toBeGreaterThanOrEqual(10);
});

test('a container that asks for no numbers is charged by its bytes, not nothing', async () => {
  const counter = await new Counter().open();
  await using server = await startOpenAiServer();
  const text = 'There is no number at the end of this. '.repeat(40);
  server.answer({ kind: 'text', text, usage: { input: 300, output: 400 } });
  await counter.call(server, { ...CHAT, stream: true }, { service: OPENAI });
  const [row] = counter.rows();
  expect(row).toMatchObject({ isEstimated: 1, status: 200 });
  expect(row?.outputTokens).toBeGreaterThanOrEqual(400);
  expect(row?.outputTokens).toBeLessThan(400 * 5);
  expect(row?.inputTokens).toBeGreaterThanOrEqual(Math.ceil(JSON.stringify(CHAT).length / 4));
});

test('a call that the container cuts off before a word came is charged for what could have been written', async () => {
  const counter = await new Counter().open();
  const meter = counter.begin();
  counter.at += 60_000;
  meter.end('broken');
  // 100 tokens at most: the request said so.
  expect(counter.rows()).toMatchObject([{ isEstimated: 1, status: 0, outputTokens: 100 }]);
});

/** A stream of OpenAI's that begins at once. */
function beginStream(counter: Counter, body: Record<string, unknown>) {
  const admitted = counter.admit({ service: OPENAI });
  if (admitted.kind === 'refused') throw new Error(admitted.message);
  const { meter } = admitted;
  expect(meter.sent(Buffer.from(JSON.stringify({ model: 'gpt-5', stream: true, ...body })))).toBeNull();
  meter.answered(200, { 'content-type': 'text/event-stream' });
  const say = (content: string) =>
    meter.received(Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`));
  say('');
  return { meter, say };
}

test('thought that nobody sees is charged by its time, in a stream that is cut off and in one without numbers', async () => {
  const counter = await new Counter().open();
  for (const how of ['broken', 'whole'] as const) {
    const { meter, say } = beginStream(counter, {});
    counter.at += 60_000;
    if (how === 'whole') say('Yes.');
    meter.end(how);
    expect(counter.rows().at(-1)).toMatchObject({ isEstimated: 1 });
    expect(counter.rows().at(-1)?.outputTokens, how).toBeGreaterThanOrEqual(6_000);
  }
  const many = beginStream(counter, { n: 8 });
  counter.at += 60_000;
  many.meter.end('broken');
  expect(counter.rows().at(-1)?.outputTokens).toBeGreaterThanOrEqual(48_000);
  const bounded = beginStream(counter, { max_completion_tokens: 500 });
  counter.at += 60_000;
  bounded.meter.end('broken');
  expect(counter.rows().at(-1)?.outputTokens).toBe(500);
});

test('pictures of few bytes are charged as pictures when no number tells of them', async () => {
  const counter = await new Counter().open();
  const picture = { type: 'image_url', image_url: { url: 'https://example.com/x.png' } };
  const { meter } = beginStream(counter, { messages: [{ role: 'user', content: [picture, picture, picture] }] });
  meter.end('broken');
  const inner = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } };
  const other = beginStream(counter, { messages: [{ content: [{ type: 'tool_result', content: [inner] }] }] });
  other.meter.end('broken');
  const [first, second] = counter.rows();
  expect(first?.inputTokens).toBeGreaterThan(12_000);
  expect(second?.inputTokens).toBeGreaterThan(4_000);
  expect(second?.inputTokens).toBeLessThan(5_000);
});

test('words that come without a pause are charged as they came, however long it took', async () => {
  const counter = await new Counter().open();
  const { meter, say } = beginStream(counter, {});
  for (let words = 0; words < 100; words += 1) {
    counter.at += 1_000;
    say('word ');
  }
  meter.end('broken');
  const [row] = counter.rows();
  expect(row?.outputTokens).toBeGreaterThanOrEqual(100);
  expect(row?.outputTokens).toBeLessThan(250);
});

test('no answer claims more searches of the web than one can make', async () => {
  const counter = await new Counter().open();
  const meter = counter.begin();
  meter.answered(200, { 'content-type': 'application/json' });
  const usage = { input_tokens: 1, output_tokens: 1, server_tool_use: { web_search_requests: 1_000_000_000 } };
  meter.received(Buffer.from(JSON.stringify({ model: PRICED, usage })));
  meter.end('whole');
  expect(counter.rows()).toMatchObject([{ costNanousd: 12_000 }]);
});

test('a call that reached nobody costs nothing, and is no row', async () => {
  const counter = await new Counter().open();
  counter.begin().end('unsent');
  expect(counter.rows()).toEqual([]);
});

test('what a provider refuses costs nothing, and is written down with its status', async () => {
  const counter = await new Counter().open();
  await using server = await startAnthropic();
  for (const status of [401, 404, 429, 500, 529]) {
    server.answer({ kind: 'status', status });
    await counter.call(server, { ...MESSAGES, stream: true });
  }
  expect(counter.rows().map(({ status, costNanousd, isEstimated }) => [status, costNanousd, isEstimated])).toEqual(
    [401, 404, 429, 500, 529].map((status) => [status, 0, 0]),
  );
});

test('counting tokens and listing models is free, and no row', async () => {
  const counter = await new Counter().open();
  const free = counter.admit({ path: '/v1/messages/count_tokens?beta=true' });
  if (free.kind === 'refused') throw new Error(free.message);
  expect(free.meter.sent(Buffer.from('{"model":"anything"}'))).toBeNull();
  free.meter.end('whole');
  expect(counter.rows()).toEqual([]);
});

test('work that answers tomorrow is not let through: nobody would count it', async () => {
  const counter = await new Counter().open();
  expect(counter.admit({ path: '/v1/messages/batches' })).toMatchObject({
    kind: 'refused',
    reason: 'not_allowed',
    status: 403,
  });
  const responses = counter.admit({ service: OPENAI, path: '/v1/responses' });
  if (responses.kind === 'refused') throw new Error(responses.message);
  expect(responses.meter.sent(Buffer.from('{"model":"gpt-5.2","background":true,'))).toMatchObject({ status: 403 });
  // Once refused, always.
  expect(responses.meter.sent(Buffer.from('}'))).toMatchObject({ status: 403 });
  responses.meter.end('broken');
  expect(counter.rows()).toEqual([]);
});

test('a body that names no model, or that cannot be read, is refused before its last byte', async () => {
  const counter = await new Counter().open();
  for (const body of ['{"messages":[]}', '[]', 'model=x', Buffer.from('{"model":"gpt-5"}', 'utf16le')]) {
    const admitted = counter.admit();
    if (admitted.kind === 'refused') throw new Error(admitted.message);
    expect(admitted.meter.sent(Buffer.from(body))).toMatchObject({ reason: 'bad_request', status: 400 });
    admitted.meter.end('broken');
  }
});

test('models on this machine cost nothing until somebody sets a price', async () => {
  const counter = await new Counter().open();
  counter.spend(1_000, 100, { service: OLLAMA, model: 'llama3.3' });
  const price = { service: 'ollama', model: 'llama3.3', input: 10, output: 20, cacheRead: 1, cacheWrite: 1 };
  counter.spine.budgetChanges.setPrice(price, ADA);
  counter.spend(1_000, 100, { service: OLLAMA, model: 'llama3.3' });
  expect(counter.rows().map(({ costNanousd }) => costNanousd)).toEqual([0, 12_000]);
});

test('a dated name has the price of the plain one, and a model that nobody knows has none', async () => {
  const counter = await new Counter().open();
  counter.spend(10, 10, { model: 'claude-haiku-4-5-20251001' });
  counter.spend(10, 10, { model: 'claude-of-tomorrow' });
  counter.spend(200_000, 10, { model: 'claude-haiku-5-5' });
  expect(counter.rows().map(({ costNanousd }) => costNanousd)).toEqual([60_000, null, 200_000 * 500 + 10 * 2_500]);
});

test('an answer under another name than was asked for has the price of what was asked', async () => {
  const counter = await new Counter().open();
  const meter = counter.begin({ model: PRICED });
  counter.answer(meter, 10, 10, 'claude-internal-name');
  expect(counter.rows()).toMatchObject([{ model: 'claude-internal-name', costNanousd: 120_000 }]);
});

test('an hour in the cache costs more than five minutes, and a search of the web is paid', async () => {
  const counter = await new Counter().open();
  const meter = counter.begin();
  meter.answered(200, { 'content-type': 'application/json' });
  const usage = {
    ...{ input_tokens: 0, output_tokens: 0, cache_creation_input_tokens: 1_000, cache_read_input_tokens: 500 },
    cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
    server_tool_use: { web_search_requests: 2 },
  };
  meter.received(Buffer.from(JSON.stringify({ model: PRICED, usage })));
  meter.end('whole');
  const expected = 400 * 2_500 + 600 * 4_000 + 500 * 100 + 2 * 10_000_000;
  expect(counter.rows()).toMatchObject([{ cacheWriteTokens: 1_000, cacheReadTokens: 500, costNanousd: expected }]);
});

test('the sums of days stay when single calls are pruned', async () => {
  const counter = await new Counter().open();
  counter.spend(100, 10);
  counter.spine.modelDoor.flush();
  counter.at += 91 * 86_400_000;
  counter.spend(7, 7);
  expect(counter.rows()).toHaveLength(1);
  const question = { by: 'day', agents: null, sessionId: null, person: null } as const;
  const { rows, sum } = counter.spine.usage.report({ ...question, days: 365 });
  expect(rows.map(({ key, calls }) => [key, calls])).toEqual([
    ['2026-11-21', 1],
    ['2027-02-20', 1],
  ]);
  expect(sum).toMatchObject({ calls: 2, inputTokens: 107, unpricedCalls: 0 });
  counter.spend(1, 1, { model: 'claude-of-tomorrow' });
  counter.spend(1, 1, { model: 'claude-of-tomorrow' });
  expect(counter.spine.usage.report({ ...question, days: 1 }).sum).toMatchObject({ calls: 3, unpricedCalls: 2 });
});

test('conversations are summed up by days: never call by call, and gone with the calls of their time', async () => {
  const counter = await new Counter().open();
  const { spine, session } = counter;
  counter.spend(100, 10);
  counter.spend(5, 5, { model: 'claude-of-tomorrow' });
  counter.at += 86_400_000;
  counter.spend(7, 7);
  const question = { days: 30, agents: null, sessionId: null, person: null } as const;
  const report = () => spine.usage.report({ ...question, by: 'session' });
  expect(report().rows).toMatchObject([{ key: session, calls: 3, inputTokens: 112, unpricedCalls: 1 }]);
  expect(report().sum).toEqual(spine.usage.report({ ...question, by: 'model' }).sum);
  expect(report().rows).toEqual(spine.usage.report({ ...question, by: 'session', sessionId: session }).rows);
  // Without the calls they are the same, until the last of a day's is too old.
  const before = report().sum;
  spine.modelCalls.prune(0, 0, 1_000);
  expect(counter.rows()).toEqual([]);
  expect(report().sum).toEqual(before);
  expect(spine.modelCalls.prune(counter.at, 0, 1)).toBe(1);
  expect(report().rows).toMatchObject([{ key: session, calls: 1, inputTokens: 7 }]);
  expect(spine.modelCalls.prune(counter.at, 0, 1)).toBe(0);
});

test('who makes up names of models, or calls without end, does not fill the disk for good', async () => {
  const counter = await new Counter().open();
  for (let index = 0; index < 300; index += 1) counter.spend(1, 1, { service: OLLAMA, model: `made-up-${index}` });
  counter.spend(1, 1, { service: OLLAMA, model: 'made-up-7' });
  expect(counter.rows()).toHaveLength(301);
  const question = { days: 1, agents: null, sessionId: null, person: null } as const;
  const { rows, sum } = counter.spine.usage.report({ ...question, by: 'model' });
  expect(rows.length).toBeLessThanOrEqual(201);
  expect(rows.find(({ key }) => key === 'ollama/others')?.calls).toBe(100);
  expect(rows.find(({ key }) => key === 'ollama/made-up-7')?.calls).toBe(2);
  expect(sum).toMatchObject({ calls: 301, inputTokens: 301, outputTokens: 301 });
  // Another agent's day is its own.
  const other = counter.spine.addAgent('other');
  counter.spend(1, 1, { service: OLLAMA, model: 'mine', agentGroupId: other.id });
  counter.spine.modelDoor.flush();
  expect(counter.spine.usage.report({ ...question, by: 'model' }).rows.map(({ key }) => key)).toContain('ollama/mine');
  expect(counter.spine.modelCalls.prune(0, 100, 50)).toBe(50);
  expect(counter.spine.modelCalls.prune(0, 100, 1_000)).toBe(152);
  expect(counter.spine.modelCalls.prune(0, 100, 1_000)).toBe(0);
  expect(counter.spine.usage.report({ ...question, by: 'model' }).sum.calls).toBe(302);
});

test('what a container calls a model says nothing to a terminal', async () => {
  const counter = await new Counter().open();
  counter.spend(1, 1, { model: 'x\u001b[2Jy\u202ez\n' });
  expect(counter.rows()).toMatchObject([{ model: 'x·[2Jy·z·' }]);
});

test('a full disk loses no call, and once too many wait no other may begin', async () => {
  const counter = await new Counter().open();
  const { db, modelDoor } = counter.spine;
  db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`);
  for (let index = 0; index < MAX_PENDING_CALLS; index += 1) counter.spend(1, 1);
  modelDoor.flush();
  expect(db.prepare('SELECT count(*) FROM model_calls').pluck().get()).toBe(0);
  expect(counter.refusal()).toMatchObject({ reason: 'too_many', status: 503 });
  db.pragma('max_page_count = 1000000');
  expect(counter.rows()).toHaveLength(MAX_PENDING_CALLS);
  expect(counter.refusal()).toBeNull();
});

test('a service without a model is no door', async () => {
  const counter = await new Counter().open();
  expect(counter.admit({ service: { ...ANTHROPIC, api: null } })).toMatchObject({ reason: 'unknown_service' });
});
