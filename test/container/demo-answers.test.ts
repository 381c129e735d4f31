/** Whose answer it is, when the demo provider asked one agent for several people at once. */
import { describe, expect, it } from 'vitest';
import { FAMILY, RESEARCHER, SessionFixture, TERMINAL } from './session-fixture.ts';

const PEER = { from: RESEARCHER, sourceSessionId: 'ses_peer', sender: 'researcher' } as const;

/** Asks for both chats, and gives the rows that went to the other agent. */
async function askTwice(session: SessionFixture): Promise<[string, string]> {
  await session.exchange({ text: 'ask researcher first' });
  await session.exchange({ text: 'ask researcher second', from: FAMILY });
  const [first, second] = session.rows().filter((row) => row.destination === 'researcher');
  return [first?.id ?? '', second?.id ?? ''];
}

describe('an agent’s answer', () => {
  it('goes to whoever asked that question, in whichever order answers come (wrong place: answers swapped)', async () => {
    await using session = new SessionFixture({ provider: 'demo', destinations: [TERMINAL, FAMILY, RESEARCHER] });
    session.start();
    const [first, second] = await askTwice(session);
    expect(await session.exchange({ ...PEER, inReplyTo: second, text: 'for the second' })).toEqual([
      'family: **researcher** answers:\n\nfor the second',
    ]);
    expect(await session.exchange({ ...PEER, inReplyTo: first, text: 'for the first' })).toEqual([
      'terminal: **researcher** answers:\n\nfor the first',
    ]);
  });

  it('to what was answered already is not taken for another question’s', async () => {
    await using session = new SessionFixture({ provider: 'demo', destinations: [TERMINAL, FAMILY, RESEARCHER] });
    session.start();
    const [first, second] = await askTwice(session);
    await session.exchange({ ...PEER, inReplyTo: first, text: 'one' });
    expect(await session.exchange({ ...PEER, inReplyTo: first, text: 'one more thing' })).toEqual([]);
    expect(await session.exchange({ ...PEER, inReplyTo: 'msg_of_something_else', text: 'hm' })).toEqual([]);
    expect(await session.exchange({ ...PEER, inReplyTo: second, text: 'two' })).toEqual([
      'family: **researcher** answers:\n\ntwo',
    ]);
  });
});
