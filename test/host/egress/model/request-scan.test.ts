import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchEndpoint } from '../../../../host/egress/model/endpoints.ts';
import { RequestScan } from '../../../../host/egress/model/request-scan.ts';

function scan(body: string | Buffer) {
  const request = new RequestScan();
  request.push(Buffer.from(body));
  return request.facts;
}

test('the model is found wherever it stands, and however its key is written', () => {
  expect(scan('{"messages":[{"role":"user","content":"{\\"model\\":\\"other\\"}"}],"model":"gpt-5"}').models).toEqual([
    'gpt-5',
  ]);
  expect(scan('{"mod\\u0065l":"claude-\\u0078","max_tokens":5}').models).toEqual(['claude-x']);
  expect(scan('{"tools":[{"model":"inner"}],"metadata":{"model":"inner"}}').models).toEqual([]);
});

test('a container that names two models hides neither of them', () => {
  expect(scan('{"model":"cheap","messages":[],"model":"dear"}').models).toEqual(['cheap', 'dear']);
  // Too long to be read is as good as unreadable.
  const long = '\\u0063'.repeat(60);
  expect(scan(`{"model":"cheap","model":"${long}"}`).isUnreadable).toBe(true);
});

test('what a provider could read and this cannot is unreadable', () => {
  const body = '{"model":"gpt-5"}';
  const utf16 = Buffer.from(body, 'utf16le');
  const swapped = Buffer.from(utf16).swap16();
  for (const bytes of [utf16, swapped, Buffer.concat([Buffer.from([0xff, 0xfe]), utf16])]) {
    expect(scan(bytes).isUnreadable).toBe(true);
  }
  for (const text of [
    '[{"model":"a"}]',
    '\u001f\u008b',
    '------form\r\nname="model"',
    '"x"',
    '{"model":["a"],"model":7}',
  ]) {
    expect(scan(text).isUnreadable, text).toBe(true);
  }
});

test('whatever decides is known before the last bracket goes out, wherever the body is cut', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), fc.nat(), (other, place) => {
      const body = Buffer.from(`{"other":${other},"model":"m","background":true}`);
      const request = new RequestScan();
      const at = place % body.length;
      request.push(body.subarray(0, at));
      const open = request.facts.isWhole;
      request.push(body.subarray(at));
      expect([open, request.facts.isWhole]).toEqual([false, true]);
      expect(request.facts).toMatchObject({ models: ['m'], isBackground: true, isUnreadable: false });
    }),
  );
});

test('options that change the price are named; those of the list are not', () => {
  expect(
    scan('{"model":"m","service_tier":"auto","speed":"standard","inference_geo":"global"}').priceOption,
  ).toBeNull();
  for (const option of ['"service_tier":"priority"', '"speed":"fast"', '"inference_geo":"us"', '"service_tier":7']) {
    expect(scan(`{"model":"m",${option}}`).priceOption, option).not.toBeNull();
  }
});

test('several answers at once may each write as much as was said', () => {
  expect(scan('{"model":"m","max_completion_tokens":500,"n":4}').maxOutput).toBe(2_000);
});

test('addresses whose use nobody could count are refused', () => {
  const calls: [string, string][] = [
    ['POST', '/v1/messages?beta=true'],
    ['POST', '/messages'],
  ];
  for (const [method, path] of calls) expect(matchEndpoint('anthropic', method, path).kind, path).toBe('call');
  expect(matchEndpoint('anthropic', 'POST', '/v1/messages/count_tokens?beta=true').kind).toBe('free');
  expect(matchEndpoint('anthropic', 'GET', '/v1/models?limit=5').kind).toBe('free');
  for (const path of [
    '/v1/messages/batches',
    '/v1/messages/',
    '/v1/messages/../messages/batches',
    '/v1/files',
    '/v1/messages%2fbatches',
    '/v1/complete',
    '//v1/messages',
    '/v1/v1/messages',
    '/v1/batches?/messages',
    '/v1/organizations/usage_report/messages',
    'messages',
  ]) {
    expect(matchEndpoint('anthropic', 'POST', path).kind, path).toBe('unknown');
  }
  for (const path of [
    '/v1/batches',
    '/v1/images/generations',
    '/v1/audio/speech',
    '/v1/fine_tuning/jobs',
    '/v1/threads/x/messages',
  ]) {
    expect(matchEndpoint('openai', 'POST', path).kind, path).toBe('unknown');
  }
  for (const method of ['DELETE', 'PUT', 'PATCH', 'OPTIONS', 'post']) {
    expect(matchEndpoint('openai', method, '/v1/chat/completions').kind, method).toBe('unknown');
  }
  expect(matchEndpoint('openai', 'GET', '/v1/responses/resp_1').kind).toBe('unknown');
});
