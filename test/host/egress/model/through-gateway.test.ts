/** The door behind a real gateway: sockets, servers and stores are real, and so are the numbers. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Credentials } from '../../../../host/egress/credentials.ts';
import { EgressLog } from '../../../../host/egress/egress-log.ts';
import { Gateway } from '../../../../host/egress/gateway.ts';
import { Services } from '../../../../host/egress/services.ts';
import { EgressLogStore } from '../../../../host/store/egress-log.ts';
import { SecretUseStore } from '../../../../host/store/secret-uses.ts';
import { ServiceStore } from '../../../../host/store/services.ts';
import { SecretValue } from '../../../../host/vault/secret-value.ts';
import { MODEL_KEY, type ModelServer } from '../../../support/model-servers/answers.ts';
import { startAnthropic } from '../../../support/model-servers/anthropic.ts';
import { until } from '../../../support/until.ts';
import { call } from '../way-out.ts';
import { ADA, Counter, PRICED, USD } from './counter.ts';

const BODY = JSON.stringify({
  ...{ model: PRICED, max_tokens: 100, stream: true },
  messages: [{ role: 'user', content: 'Say something.' }],
});
const HEADERS = { 'content-type': 'application/json', 'anthropic-version': '2023-06-01' };

/** The agent thinks through a service `lab`, which is the server. */
async function openLab(url: string) {
  const counter = await new Counter().open();
  const { spine } = counter;
  const { db, ledger, commit, agents } = spine;
  const now = () => Date.now();
  counter.at = now();
  const services = new Services({
    services: new ServiceStore(db),
    secretUses: new SecretUseStore(db),
    ledger,
    commit,
    now,
  });
  const added = services.add({ name: 'lab', url, api: 'anthropic', header: null, isPrivate: true }, ADA);
  expect(added).not.toMatchObject({ kind: 'refused' });
  spine.budgetChanges.setPrice(
    { service: 'lab', model: PRICED, input: 2_000, output: 10_000, cacheRead: 200, cacheWrite: 2_500 },
    ADA,
  );
  db.prepare(`UPDATE container_configs SET provider = 'claude', service = 'lab'`).run();
  const reveal = () => ({ kind: 'open', value: SecretValue.ofText(MODEL_KEY) }) as const;
  const log = new EgressLog(new EgressLogStore(db), now);
  const gateway = new Gateway({
    ...{ rules: spine.accessRules, services, credentials: new Credentials({ at: () => 'key' }, { reveal }) },
    ...{ model: spine.modelDoor, log, agents, now, resolve: async () => [] },
  });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    log[Symbol.dispose]();
  });
  const socketPath = join(spine.home.home, 'gateway.sock');
  await gateway.open({ sessionId: counter.session, agentGroupId: counter.agent.id }, socketPath);
  const ask = (path = `/for/${counter.messageId}/model/lab/v1/messages`, body = BODY) =>
    call(socketPath, path, { method: 'POST', headers: HEADERS, body });
  return { counter, ask };
}

async function rowsOf(counter: Counter, count: number) {
  return until(`${count} rows`, () => {
    const rows = counter.rows();
    return rows.length >= count ? rows : null;
  });
}

async function lab(work: (server: ModelServer, opened: Awaited<ReturnType<typeof openLab>>) => Promise<void>) {
  await using server = await startAnthropic();
  await work(server, await openLab(server.url));
}

test('each message has exactly the numbers that the server told for it', () =>
  lab(async (server, { counter, ask }) => {
    server.answer(
      { kind: 'text', text: 'one', usage: { input: 1_000, output: 20, cached: 400 } },
      { kind: 'tools', calls: [{ name: 'look', input: {} }], usage: { input: 2_000, output: 30 } },
    );
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(200);
    const rows = await rowsOf(counter, 2);
    expect(rows.map(({ messageId, userId, isEstimated }) => [messageId, userId, isEstimated])).toEqual([
      [counter.messageId, ADA, 0],
      [counter.messageId, ADA, 0],
    ]);
    const usage = counter.spine.modelCalls.ofMessages([counter.messageId]).get(counter.messageId);
    expect(usage).toMatchObject({ calls: 2, inputTokens: 2_600, cacheReadTokens: 400, outputTokens: 50 });
    expect(usage?.costNanousd).toBe(2_600 * 2_000 + 400 * 200 + 50 * 10_000);
  }));

test('past the cap the agent hears it in the shape that its SDK shows, and the server hears nothing', () =>
  lab(async (server, { counter, ask }) => {
    counter.spine.budgetChanges.set(
      { scope: 'agent', subject: counter.agent.id, period: 'day', unit: 'usd' },
      USD / 1_000,
      ADA,
    );
    server.answer({ kind: 'text', text: 'dear', usage: { input: 1_000, output: 20 } });
    expect((await ask()).status).toBe(200);
    await rowsOf(counter, 1);
    const refused = await ask();
    expect(refused).toMatchObject({ status: 403, headers: { 'x-portolan-refusal': 'over_budget' } });
    expect(JSON.parse(refused.body)).toMatchObject({ type: 'error', error: { type: 'over_budget' } });
    expect(JSON.parse(refused.body).next).toContain('portolan budget set main --day');
    expect(server.requests).toHaveLength(1);
  }));

test('what nobody could count, or what costs more than its price, never reaches the server whole', () =>
  lab(async (server, { counter, ask }) => {
    counter.spine.budgetChanges.set({ scope: 'host', subject: '', period: 'month', unit: 'usd' }, USD, ADA);
    const background = await ask('/model/lab/v1/messages/batches', '{"requests":[]}');
    expect(background).toMatchObject({ status: 403, headers: { 'x-portolan-refusal': 'not_allowed' } });
    const hasty = await ask('/model/lab/v1/messages', BODY.replace('"stream":true', '"stream":true,"speed":"fast"'));
    expect(hasty).toMatchObject({ status: 403, headers: { 'x-portolan-refusal': 'no_price' } });
    expect(server.requests.filter(({ text }) => text.includes('speed'))).toEqual([]);
  }));

test('a server that breaks off keeps what it said was read', () =>
  lab(async (server, { counter, ask }) => {
    server.answer({ kind: 'broken', text: 'half of it' });
    await ask().catch(() => undefined);
    const [row] = await rowsOf(counter, 1);
    expect(row).toMatchObject({ isEstimated: 1, model: PRICED, status: 200 });
    expect(row?.inputTokens).toBeGreaterThan(0);
  }));

test('a server that cannot be reached costs nothing', async () => {
  const server = await startAnthropic();
  const { counter, ask } = await openLab(server.url);
  await server[Symbol.asyncDispose]();
  expect((await ask()).status).toBe(502);
  expect(counter.rows()).toEqual([]);
});
