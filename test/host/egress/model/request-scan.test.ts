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

test('tools that are paid apart, and other models to go on with, change the price', () => {
  for (const option of [
    '"models":["dear"]',
    '"plugins":[{"id":"web"}]',
    '"web_search_options":{}',
    '"service_tier":["priority"]',
    '"tools":[{"type":"function"},{"type":"image_generation"}]',
    '"tools":[{"type":"web_search"}]',
    '"tools":[{"type":"web_search_2025_08_26"}]',
    '"tools":[{"type":"code_interpreter","container":{"type":"auto"}}]',
    '"TOOLS":[{"Type":["file_search"]}]',
  ]) {
    expect(scan(`{"model":"m",${option}}`).priceOption, option).not.toBeNull();
  }
  for (const option of [
    '"models":null',
    '"tools":[{"type":"function","function":{"name":"web_search","parameters":{"type":"object"}}}]',
    '"tools":[{"name":"look","input_schema":{"type":"file_search"}},{"type":"web_search_20250305"}]',
    '"prompt":["web_search"]',
  ]) {
    expect(scan(`{"model":"m",${option}}`), option).toMatchObject({ priceOption: null, reference: null });
  }
});

test('what is not in the request is named, however deep it stands', () => {
  for (const reference of [
    '"previous_response_id":"resp_1"',
    '"conversation":"conv_1"',
    '"conversation":{"id":"conv_1"}',
    '"prompt":{"id":"pmpt_1"}',
    '"input":[{"type":"item_reference","id":"msg_1"}]',
    '"input":[{"role":"user","content":[{"type":"input_file","file_id":"file_1"}]}]',
    '"input":[{"role":"user","content":[{"type":"input_file","file_url":"https://example.com/long.pdf"}]}]',
    '"messages":[{"content":"a"},{"content":[{"type":"file","file":{"file_id":"file_1"}}]}]',
    '"messages":[{"content":[{"type":"document","source":{"type":"url","url":"https://example.com/long.pdf"}}]}]',
    '"messages":[{"content":[{"type":"tool_result","content":[{"source":{"type":"file"}}]}]}]',
  ]) {
    expect(scan(`{"model":"m",${reference}}`).reference, reference).not.toBeNull();
  }
  for (const rest of [
    '"previous_response_id":null,"conversation":null,"prompt":"previous_response_id"',
    '"input":[{"type":"message","content":[{"type":"input_text","text":"item_reference"}]}]',
    '"messages":[{"content":[{"type":"image","source":{"type":"base64","data":"aGk="}}]}]',
  ]) {
    expect(scan(`{"model":"m",${rest}}`).reference, rest).toBeNull();
  }
});

test('keys are read in any case, and a body that names models without end is unreadable', () => {
  expect(scan('{"model":"cheap","MODEL":"dear","N":3,"Max_Tokens":5}')).toMatchObject({
    models: ['cheap', 'dear'],
    maxOutput: 15,
    isUnreadable: false,
  });
  const endless = scan(`{${'"model":"a",'.repeat(100_000)}"x":0}`);
  expect(endless.isUnreadable).toBe(true);
  expect(endless.models.length).toBeLessThan(10);
});

test('a body of keys without end, or of keys that are none, is not read on: it takes nobody’s time', () => {
  const keys = Array.from({ length: 2_000 }, (_, index) => `"k${index}":0`).join(',');
  for (const body of ['{"\\x":0', '{"\\B":0', '{"\\U0041":0', `{${keys}`, `{"tools":[{${keys}`]) {
    const request = new RequestScan();
    request.push(Buffer.from(body));
    const began = performance.now();
    // 64 MB, what one request may have.
    const more = Buffer.from(',"\\x":0'.repeat(16_384));
    for (let sent = 0; sent < 64 * 1024 * 1024; sent += more.length) request.push(more);
    expect(request.facts.isUnreadable, body.slice(0, 20)).toBe(true);
    expect(performance.now() - began).toBeLessThan(2_000);
  }
});

test('whatever bytes come, in whatever pieces, the scan does not fail', () => {
  const part = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    '\\',
    ':',
    ',',
    'model',
    '"n":',
    '1',
    'e',
    '-',
    'u00',
    'U',
    'true',
    'Nul',
    ' ',
    '\n',
    'ü',
  );
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 12 }), { maxLength: 20 }), (pieces) => {
      const request = new RequestScan();
      for (const piece of pieces) request.push(Buffer.from(piece.join('')));
      expect(request.facts.models.length).toBeLessThan(10);
    }),
    { numRuns: 500 },
  );
});

test('several answers at once may each write as much as was said', () => {
  expect(scan('{"model":"m","max_completion_tokens":500,"n":4}')).toMatchObject({ maxOutput: 2_000, answers: 4 });
  expect(scan('{"model":"m","max_tokens":500,"n":2,"best_of":20}').maxOutput).toBe(10_000);
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
