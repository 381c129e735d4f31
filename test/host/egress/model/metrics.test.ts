/** What Prometheus is told of models: every call that counts, by its service alone. */
import { expect, test } from 'vitest';
import { registerGauges } from '../../../../host/assembly/gauges.ts';
import { Metrics } from '../../../../host/observe/metrics.ts';
import { ANTHROPIC, Counter, OLLAMA, OPENAI, PRICED } from './counter.ts';

test('tokens and costs of all calls are metrics, by service and direction, whoever called and whichever model', async () => {
  const counter = await new Counter().open();
  const { modelDoor, delivery, held, transcript } = counter.spine;
  const metrics = new Metrics();
  const none = { count: () => 0 };
  registerGauges(
    { metrics, stores: { held, transcript } },
    { modelDoor, delivery, life: none, gateway: none, egressTail: { dropped: 0, onRow: () => () => true } },
  );
  const told = async () => (await metrics.text()).split('\n').filter((line) => line.startsWith('portolan_model_'));
  expect(await told()).toEqual([]);

  counter.spend(1_000, 10);
  counter.spend(500, 5, { messageId: counter.messageId });
  const cached = counter.begin();
  cached.answered(200, { 'content-type': 'application/json' });
  const usage = { input_tokens: 1, cache_read_input_tokens: 20, cache_creation_input_tokens: 300, output_tokens: 4 };
  cached.received(Buffer.from(JSON.stringify({ model: PRICED, usage })));
  cached.end('whole');
  counter.spend(70, 7, { service: OPENAI, model: 'a-model-without-a-price' });
  counter.spend(80, 8, { service: OLLAMA, model: 'llama' });
  // Neither of these counts: one never went out, the other is free.
  counter.begin().end('unsent');
  const free = counter.admit({ service: ANTHROPIC, path: '/v1/messages/count_tokens' });
  if (free.kind === 'go') free.meter.end('whole');

  const rows = counter.rows();
  const cost = (service: string) =>
    rows.filter((row) => row.service === service).reduce((sum, row) => sum + (row.costNanousd ?? 0), 0) / 1e9;
  expect(cost('anthropic')).toBeGreaterThan(0.003);
  const lines = await told();
  expect(lines.filter((line) => line.includes('tokens_total')).sort()).toEqual([
    'portolan_model_tokens_total{service="anthropic",direction="input"} 1821',
    'portolan_model_tokens_total{service="anthropic",direction="output"} 19',
    'portolan_model_tokens_total{service="ollama",direction="input"} 80',
    'portolan_model_tokens_total{service="ollama",direction="output"} 8',
    'portolan_model_tokens_total{service="openai",direction="input"} 70',
    'portolan_model_tokens_total{service="openai",direction="output"} 7',
  ]);
  const costs = lines.filter((line) => line.includes('cost_usd_total')).map((line) => line.split(' '));
  expect(costs.map(([name]) => name)).toEqual(
    ['anthropic', 'openai', 'ollama'].map((service) => `portolan_model_cost_usd_total{service="${service}"}`),
  );
  expect(Number(costs[0]?.[1])).toBeCloseTo(cost('anthropic'), 12);
  expect(costs.slice(1).map(([, value]) => value)).toEqual(['0', '0']);
});
