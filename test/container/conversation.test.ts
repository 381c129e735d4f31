import { describe, expect, it } from 'vitest';
import type { ProviderEvent } from '../../container/providers/provider.ts';
import { LoopHarness, type Script, ScriptedProvider } from './scripted-provider.ts';
import { FAMILY, SessionFixture, TERMINAL } from './session-fixture.ts';

const say = (text: string) => `<message to="terminal">${text}</message>`;

/** Answers, and gives a handle for the next turn. */
function answering(text: string, continuation: string): Script {
  return async function* (): AsyncGenerator<ProviderEvent> {
    yield { kind: 'init', continuation };
    yield { kind: 'result', text: say(text) };
  };
}

const invalid: Script = async function* (): AsyncGenerator<ProviderEvent> {
  yield { kind: 'continuation_invalid' };
};

describe('a conversation that cannot be continued', () => {
  it('is forgotten, and the same is asked once more in a fresh one, which is told so', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'), invalid, answering('two', 'c-2'));
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'first' });
    expect(await session.exchange({ text: 'second' })).toEqual(['terminal: two']);
    const [, asked, again] = provider.queries;
    expect([asked?.continuation, again?.continuation]).toEqual(['c-1', null]);
    expect(again?.prompt.text).toMatch(/^Your earlier conversation could not be opened/);
    expect(again?.prompt.text).toContain('second');
    expect(again?.prompt.messages.map(({ text }) => text)).toEqual(['second']);
    expect(session.runnerState('continuation')).toEqual({ provider: 'scripted', continuation: 'c-2' });
  });

  it('is forgotten though the fresh one fails, so that the next try does not meet it again', async () => {
    await using session = new SessionFixture();
    const overloaded: Script = async function* (): AsyncGenerator<ProviderEvent> {
      yield { kind: 'error', retryable: true, message: 'overloaded', retryAfterMs: 6_999.5 };
    };
    const provider = new ScriptedProvider(answering('one', 'c-1'), invalid, overloaded);
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'first' });
    const [id = ''] = session.receive({ text: 'second' });
    await session.until(() => session.processing(id)?.state === 'failed', 'failed');
    expect(session.processing(id)?.note).toMatchObject({ retryable: true, retryAfterMs: 7_000 });
    expect(session.runnerState('continuation')).toBeNull();
  });

  it('that is fresh and leads nowhere, too, fails for good and is told, instead of asking for ever', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(invalid);
    await using _loop = new LoopHarness(session, provider);
    const [answer] = await session.exchange({ text: 'hi' });
    expect(answer).toContain('cannot be opened');
    expect(provider.queries).toHaveLength(2);
  });

  it('is asked afresh with all that was said, when the second question of a turn finds it gone', async () => {
    await using session = new SessionFixture({ destinations: [TERMINAL, FAMILY] });
    const provider = new ScriptedProvider(() => 'no block', invalid, answering('now', 'c-2'));
    await using _loop = new LoopHarness(session, provider);
    expect(await session.exchange({ text: 'the question' })).toEqual(['terminal: now']);
    expect(provider.queries[2]?.prompt.text).toContain('the question');
    expect(provider.queries[2]?.prompt.text).toContain('had no <message> block');
  });

  it('keeps what tools sent before: nothing is sent twice', async () => {
    await using session = new SessionFixture();
    const send: Script = async function* (input): AsyncGenerator<ProviderEvent> {
      await input.tools.call('send_message', { to: 'terminal', text: 'on it' });
      yield input.continuation === null && input.prompt.text.startsWith('Your earlier')
        ? { kind: 'result', text: say('on it') }
        : { kind: 'continuation_invalid' };
    };
    await using _loop = new LoopHarness(session, new ScriptedProvider(send));
    expect(await session.exchange({ text: 'hi' })).toEqual(['terminal: on it', 'terminal: on it']);
  });
});

describe('what a provider is told', () => {
  it('names the first message that the turn answers, not the context before it', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(() => say('ok'));
    const ids = session.receive({ text: 'aside', trigger: false }, { text: 'one' }, { text: 'two' });
    await using _loop = new LoopHarness(session, provider);
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(provider.queries[0]?.messageId).toBe(ids[1]);
    expect(provider.queries[0]?.gateway.port).toBeGreaterThan(0);
  });
});

describe('a provider that does not obey an interruption', () => {
  it.each([
    ['waits for ever', async () => new Promise<never>(() => undefined)],
    ['goes on with its events', async () => undefined],
  ])('and %s is left behind, and its claim is given back', async (_name, wait) => {
    await using session = new SessionFixture();
    let begun = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const provider = new ScriptedProvider(async function* (): AsyncGenerator<ProviderEvent> {
      for (;;) {
        yield { kind: 'text', text: 'and' };
        begun();
        await wait();
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await using loop = new LoopHarness(session, provider);
    const [id = ''] = session.receive({ text: 'hi' });
    await isBegun;
    const startedAt = performance.now();
    await loop.stop();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(session.processing(id)).toBeNull();
    expect(session.texts()).toEqual([]);
  });
});

describe('the command to compact', () => {
  it('is a turn of its own, whose words are told in the chat and whose handle is kept', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'));
    const calls = provider.compactWith(async function* (): AsyncGenerator<ProviderEvent> {
      yield { kind: 'init', continuation: 'c-short' };
      yield { kind: 'result', text: 'From 9,000 tokens to 900. <message to="family">no block</message>' };
    });
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    const typed = { text: '/compact keep the plan', command: 'compact', threadId: 't' } as const;
    expect(await session.exchange(typed)).toEqual([
      'terminal: From 9,000 tokens to 900. <message to="family">no block</message>',
    ]);
    expect(session.rows().at(-1)?.thread_id).toBe('t');
    expect(calls[0]).toMatchObject({ continuation: 'c-1', messageId: expect.stringMatching(/^msg_/) });
    expect(calls[0]?.prompt.messages[0]?.text).toBe('/compact keep the plan');
    expect(calls[0]?.tools.list()).toEqual([]);
    expect(session.runnerState('continuation')).toEqual({ provider: 'scripted', continuation: 'c-short' });
    expect(provider.queries).toHaveLength(1);
  });

  it('says that there is nothing to compact, where a provider keeps nothing or nothing was said', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'));
    await using _loop = new LoopHarness(session, provider);
    const compact = { text: '/compact', command: 'compact' } as const;
    expect(await session.exchange(compact)).toEqual([
      expect.stringContaining('`scripted`, keeps no long conversation'),
    ]);
    const calls = provider.compactWith(() => 'never');
    expect(await session.exchange(compact)).toEqual([expect.stringContaining('has only begun')]);
    expect(calls).toEqual([]);
  });

  it('comes after what was said before it', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'));
    provider.compactWith(() => 'shorter');
    const ids = session.receive({ text: 'one' }, { text: '/compact', command: 'compact' });
    await using _loop = new LoopHarness(session, provider);
    await session.until(() => session.isSettled(...ids), 'settled');
    expect(session.texts()).toEqual(['terminal: one', 'terminal: shorter']);
  });

  it('leaves context to the next turn', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'), answering('two', 'c-1'));
    const calls = provider.compactWith(() => 'shorter');
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'one' });
    const compact = { text: '/compact', command: 'compact' } as const;
    const [aside = '', id = ''] = session.receive({ text: 'aside', trigger: false }, compact);
    await session.until(() => session.isSettled(id), 'settled');
    expect(session.texts()).toEqual(['terminal: one', 'terminal: shorter']);
    expect(session.processing(aside)).toBeNull();
    await session.exchange({ text: 'two' });
    expect(calls).toHaveLength(1);
    expect(provider.queries[1]?.prompt.messages.map(({ text }) => text)).toEqual(['aside', 'two']);
  });

  it('that fails is left to the host when it may recover, else it is told', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'));
    let retryable = true;
    provider.compactWith(async function* (): AsyncGenerator<ProviderEvent> {
      yield { kind: 'error', retryable, message: 'the model is overloaded' };
    });
    await using _loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    const compact = { text: '/compact', command: 'compact' } as const;
    expect(await session.exchange(compact)).toEqual([]);
    retryable = false;
    expect(await session.exchange(compact)).toEqual([expect.stringContaining('could not be compacted')]);
    expect(session.runnerState('continuation')).toEqual({ provider: 'scripted', continuation: 'c-1' });
  });

  it('gives its claim back when it is interrupted', async () => {
    await using session = new SessionFixture();
    const provider = new ScriptedProvider(answering('one', 'c-1'));
    let begun = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    provider.compactWith(async function* (_input, turn): AsyncGenerator<ProviderEvent> {
      yield { kind: 'progress' };
      begun();
      while (!turn.isInterrupted) await turn.changed();
    });
    await using loop = new LoopHarness(session, provider);
    await session.exchange({ text: 'hi' });
    const [id = ''] = session.receive({ text: '/compact', command: 'compact' });
    await isBegun;
    await loop.stop();
    expect(session.processing(id)).toBeNull();
  });
});
