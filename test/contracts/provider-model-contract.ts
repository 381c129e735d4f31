/**
 * What a provider that thinks with a model keeps besides. The test is the model: it answers by what a call carries,
 * never by how many there were, for some SDKs make calls of their own.
 */
import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../container/providers/provider.ts';
import type { ModelAnswer, RecordedRequest } from '../support/model-servers/answers.ts';
import { until } from '../support/until.ts';
import {
  blocksOf,
  carries,
  collect,
  type ModelWorld,
  message,
  ofKind,
  ProviderCase,
  programsWith,
  promptOf,
  says,
} from './provider-case.ts';

/** Beyond what a provider may take to end, for a machine that is busy. */
const INTERRUPTED_WITHIN_MS = 10_000;
/** For what an SDK tries again by itself before it gives up. */
const SLOW_MS = 60_000;

export function describeModelProvider(
  name: string,
  makeProvider: () => Promise<Provider>,
  openWorld: () => Promise<ModelWorld>,
): void {
  describe(`the model behind the provider ${name}`, () => {
    const open: AsyncDisposable[] = [];
    afterEach(async () => {
      for (const part of open.splice(0).reverse()) await part[Symbol.asyncDispose]();
    });

    /** `model.answer` may be replaced at any time. */
    async function begin() {
      const world = await openWorld();
      const session = new ProviderCase(name, world);
      open.push(world, session);
      const model: { answer: (request: RecordedRequest) => ModelAnswer } = { answer: () => says(2) };
      world.server.answer((request) => model.answer(request));
      return { session, world, model, server: world.server };
    }

    async function ask(session: ProviderCase, seq: number, text: string, continuation: string | null = null) {
      return (await makeProvider()).query(session.input(promptOf(message(seq, text)), continuation));
    }

    it('runs a tool of its own, declares how long it may take, and shows the model what came of it', async () => {
      const { session, world, model, server } = await begin();
      const calls: ModelAnswer = { kind: 'tools', calls: [world.shell('echo ran-$((40+2))')] };
      model.answer = (request) => (carries(request, 'ran-42') ? says(2) : calls);
      const events = await collect(await ask(session, 2, 'compute'));
      const [start] = ofKind(events, 'tool_start');
      expect(start?.tool).toBe(world.shellTool);
      expect(start?.timeoutMs).toBeGreaterThan(0);
      expect(ofKind(events, 'tool_end').map(({ tool }) => tool)).toEqual(
        ofKind(events, 'tool_start').map(({ tool }) => tool),
      );
      expect(blocksOf(events)).toHaveLength(1);
      expect(server.wrong).toEqual([]);
    });

    it('calls the tools of the box with what its model wrote', async () => {
      const { session, world, model } = await begin();
      const input = { to: 'terminal', text: 'in the middle' };
      const calls: ModelAnswer = { kind: 'tools', calls: [{ name: world.toolName('send_message'), input }] };
      model.answer = (request) => (carries(request, 'Done.') ? says(2) : calls);
      expect(blocksOf(await collect(await ask(session, 2, 'tell me twice')))).toHaveLength(1);
      expect(session.tools.calls).toEqual([{ name: 'send_message', input }]);
    });

    it('shows that it lives while its model speaks slowly', async () => {
      const { session, model } = await begin();
      model.answer = () => ({ ...says(2), kind: 'slow', gapMs: 20, text: textOf(says(2)) });
      const events = await collect(await ask(session, 2, 'slowly'));
      const before = events.slice(
        0,
        events.findIndex(({ kind }) => kind === 'result'),
      );
      expect(before.filter(({ kind }) => kind === 'text' || kind === 'progress').length).toBeGreaterThan(1);
      expect(blocksOf(events)).toHaveLength(1);
    });

    it('answers in the running turn what is pushed into it', async () => {
      const { session, world, model, server } = await begin();
      const calls: ModelAnswer = { kind: 'tools', calls: [world.shell('echo ran-$((40+2))')] };
      model.answer = (request) => {
        if (carries(request, 'a follow-up')) return says(2, 4);
        return carries(request, 'ran-42') ? says(2) : calls;
      };
      const turn = await ask(session, 2, 'the first');
      let isTaken = false;
      const events = await collect(turn, (event) => {
        if (event.kind === 'tool_start') isTaken = turn.push(promptOf(message(4, 'a follow-up')));
      });
      expect(isTaken).toBe(true);
      expect(blocksOf(events).map(({ replyTo }) => replyTo)).toContain('4');
      expect(server.wrong).toEqual([]);
    });

    it('ends soon after an interruption while its model is silent, without a result', async () => {
      const { session, model, server } = await begin();
      let isAsked = false;
      model.answer = () => {
        isAsked = true;
        return { kind: 'silent', text: 'I think' };
      };
      const turn = await ask(session, 2, 'think');
      const events = collect(turn);
      await until('the model is asked', () => isAsked);
      const interruptedAt = performance.now();
      turn.interrupt();
      expect(ofKind(await events, 'result')).toEqual([]);
      expect(performance.now() - interruptedAt).toBeLessThan(INTERRUPTED_WITHIN_MS);
      await Promise.all(server.requests.map(({ closed }) => closed));
    });

    it('leaves no program behind when it is interrupted in a tool', async () => {
      const { session, world, model } = await begin();
      const word = `9${randomInt(1_000_000, 9_999_999)}`;
      model.answer = () => ({ kind: 'tools', calls: [world.shell(`sleep ${word} & sleep ${word}`)] });
      const turn = await ask(session, 2, 'wait');
      const events = collect(turn);
      await until('its programs run', () => programsWith(word).length >= 2);
      const interruptedAt = performance.now();
      turn.interrupt();
      expect(ofKind(await events, 'result')).toEqual([]);
      expect(performance.now() - interruptedAt).toBeLessThan(INTERRUPTED_WITHIN_MS);
      await until('they are gone', () => programsWith(word).length === 0);
    });

    it.each<[string, ModelAnswer, boolean]>([
      ['429', { kind: 'status', status: 429, headers: { 'retry-after': '1' } }, true],
      ['529', { kind: 'status', status: 529 }, true],
      ['500', { kind: 'status', status: 500 }, true],
      ['a broken stream', { kind: 'broken', text: '<message to="terminal">half of it</message>' }, true],
      [
        'an error in the stream',
        { kind: 'stream_error', text: 'half', error: { type: 'overloaded_error', message: 'Overloaded' } },
        true,
      ],
      ['401', { kind: 'status', status: 401, error: { type: 'authentication_error', message: 'bad key' } }, false],
      ['404', { kind: 'status', status: 404, error: { type: 'not_found_error', message: 'model: none' } }, false],
    ])(
      'tells %s as an error, never as an answer (lost or silent: a model error is posted as text)',
      async (_name, answer, retryable) => {
        const { session, model, server } = await begin();
        model.answer = () => answer;
        const events = await collect(await ask(session, 2, 'hello'));
        expect(ofKind(events, 'result')).toEqual([]);
        expect(ofKind(events, 'error')).toMatchObject([{ retryable, message: expect.stringMatching(/\S/) }]);
        expect(JSON.stringify(events)).not.toContain(server.key);
      },
      SLOW_MS,
    );

    it('remembers the conversation in a process that begins anew', async () => {
      const { session, model } = await begin();
      model.answer = () => says(2);
      const events = await collect(await ask(session, 2, 'my cat is called Miezi'));
      const continuation = ofKind(events, 'init').at(-1)?.continuation ?? null;
      model.answer = (request) => (carries(request, 'Miezi') && carries(request, 'my cat?') ? says(4) : says(2));
      const next = await collect(await ask(session, 4, 'what about my cat?', continuation));
      expect(blocksOf(next).map(({ replyTo }) => replyTo)).toEqual(['4']);
    });

    it.each(['../../etc/passwd', '00000000-0000-4000-8000-000000000000'])(
      'says that the continuation %j leads nowhere, before it does anything',
      async (continuation) => {
        const { session, model, server } = await begin();
        model.answer = () => says(2);
        const events = await collect(await ask(session, 2, 'hello', continuation));
        expect(events.filter(({ kind }) => kind !== 'progress')).toEqual([{ kind: 'continuation_invalid' }]);
        expect(server.told).toEqual([]);
      },
    );

    it('counts what all its calls used', async () => {
      const { session, world, model, server } = await begin();
      const usage = { input: 200, output: 30 };
      const calls: ModelAnswer = { kind: 'tools', calls: [world.shell('echo ran-$((40+2))')], usage };
      model.answer = (request) => (carries(request, 'ran-42') ? says(2) : calls);
      const events = await collect(await ask(session, 2, 'compute'));
      const told = sumOf(server.told.map(({ input, output }) => ({ inputTokens: input, outputTokens: output })));
      expect(sumOf(ofKind(events, 'result').map(({ usage: counted }) => counted ?? {}))).toMatchObject(told);
    });

    it('compacts on demand, and goes on in what is left', async () => {
      const { session, model } = await begin();
      model.answer = () => says(2);
      const events = await collect(await ask(session, 2, 'my cat is called Miezi'));
      const continuation = ofKind(events, 'init').at(-1)?.continuation ?? null;
      model.answer = () => ({ kind: 'text', text: 'SUMMARY: a cat, Miezi.', usage: { input: 50, output: 9 } });
      const provider = await makeProvider();
      if (provider.compact === undefined) throw new Error('a provider with a model keeps a conversation to compact');
      const compacted = await collect(provider.compact(session.input(promptOf(message(4, '/compact')), continuation)));
      expect(ofKind(compacted, 'error')).toEqual([]);
      expect(ofKind(compacted, 'result')).toHaveLength(1);
      const kept = ofKind(compacted, 'init').at(-1)?.continuation ?? continuation;
      model.answer = (request) => (carries(request, 'SUMMARY') ? says(6) : says(2));
      expect(blocksOf(await collect(await ask(session, 6, 'and now?', kept))).map(({ replyTo }) => replyTo)).toEqual([
        '6',
      ]);
    });
  });
}

function textOf(answer: ModelAnswer): string {
  return answer.kind === 'text' ? answer.text : '';
}

function sumOf(usages: readonly Record<string, number>[]): Record<string, number> {
  const sum = { inputTokens: 0, outputTokens: 0 };
  for (const usage of usages) {
    sum.inputTokens += usage.inputTokens ?? 0;
    sum.outputTokens += usage.outputTokens ?? 0;
  }
  return sum;
}
