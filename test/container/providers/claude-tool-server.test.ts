import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { McpTransport } from '../../../container/providers/claude/sdk.ts';
import { serveTools } from '../../../container/providers/claude/tool-server.ts';
import type { ToolBox, ToolResult } from '../../../container/tools/tool.ts';

test('a tool that ends after its turn, when nobody listens any more, does not end the runner', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  let finish: (result: ToolResult) => void = () => undefined;
  const tools: ToolBox = {
    list: () => [{ name: 'ask', description: 'asks', inputSchema: { type: 'object' } }],
    call: () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  };
  const faults: unknown[] = [];
  const { portolan } = serveTools({ tools, serverNames: [], onFault: (error) => void faults.push(error) });
  let isClosed = false;
  const sent: unknown[] = [];
  const transport: McpTransport = {
    send: async (message) => {
      if (isClosed) throw new Error('Transport is closed');
      sent.push(message);
    },
  };
  await portolan?.connect(transport);
  transport.onmessage?.({ jsonrpc: '2.0', id: 1, method: 'ping' });
  transport.onmessage?.({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'ask', arguments: {} } });
  await nextTick();
  isClosed = true;
  finish({ ok: true, text: 'too late' });
  await nextTick();
  await nextTick();
  expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }]);
  expect(unhandled).toEqual([]);
  expect(faults).toEqual([]);
});
