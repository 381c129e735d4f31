/** A container that gives its rows the ids of other sessions' rows: refused where it can be seen, and nothing hangs. */
import { expect, test } from 'vitest';
import { LedgerSearch } from '../../../host/store/ledger-search.ts';
import type { Session } from '../../../host/store/sessions.ts';
import type { MessageId } from '../../../shared/ids.ts';
import { Spine } from '../../support/spine.ts';
import { until } from '../../support/until.ts';

const KINDS = {
  chat: { kind: 'chat', content: { text: 'mine' } },
  question: { kind: 'question', content: { title: 'Which?', question: 'Which?', options: ['a', 'b'] } },
  edit: { kind: 'edit', content: { messageId: 'msg_00000000000000000000', text: 'other' } },
  reaction: { kind: 'reaction', content: { messageId: 'msg_00000000000000000000', emoji: '👍' } },
  request: { kind: 'request', content: { action: 'restart', note: '' } },
} as const;
type Kind = keyof typeof KINDS;

function ledgerOf(spine: Spine, messageId: string): string[] {
  const { items } = new LedgerSearch(spine.db).find({ kind: 'delivery.' }, 100);
  return items.filter((entry) => entry.messageId === messageId).map(({ kind }) => kind);
}

function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent();
  const open = async (platformId: string) => {
    const chat = spine.addChat(agent, 'test', platformId);
    const said = await spine.say(chat, 'hello');
    const container = spine.container(said.paths);
    const place = { destination: platformId, channelType: 'test', platformId };
    const send = (kind: Kind, id?: string, more = {}) => {
      const seq = container.nextSeq();
      const where = kind === 'request' ? {} : place;
      const made = container.send({ ...where, ...KINDS[kind], seq, ...(id === undefined ? {} : { id }), ...more });
      spine.delivery.ring(said.session.id);
      return { id: made as MessageId, seq };
    };
    return { ...said, send };
  };
  const bySeq = (session: Session, seq: number) =>
    spine.inboxes.read(session, (tables) => tables.listEndedDeliveries(100).find((row) => row.seq === seq) ?? null);
  return { spine, channel, open, bySeq };
}

const ENDED = ['delivered', 'refused', 'failed'];

test.each(
  (['chat', 'question'] as const).flatMap((first) =>
    (Object.keys(KINDS) as Kind[]).map((second) => [first, second] as const),
  ),
)(
  'a %s of one session, and a %s of another under its id: that is refused, and what follows is sent',
  async (first, second) => {
    const { spine, channel, open, bySeq } = setUp();
    const mine = await open('room');
    const theirs = await open('hall');
    const used = mine.send(first);
    await until('the first is sent', () => spine.transcript.peek(used.id)?.state === 'delivered');
    const shown = spine.transcript.peek(used.id);
    const forged = theirs.send(second, used.id);
    const row = await until('the second has ended', () => {
      const seen = bySeq(theirs.session, forged.seq);
      return seen !== null && ENDED.includes(seen.state) ? seen : null;
    });
    // It is found by its number, under an id of the host's own: the container's names the first one.
    expect(row).toMatchObject({ state: 'refused', reason: 'its id was used before' });
    expect(row.messageOutId).not.toBe(used.id);
    await until('the ledger says so', () => ledgerOf(spine, row.messageOutId).includes('delivery.refused'));
    await until('its agent is told', () =>
      spine.inboxes.read(theirs.session, (tables) =>
        tables
          .listOpen(100)
          .some(({ kind, content }) => kind === 'system' && content.includes('its id was used before')),
      ),
    );
    const after = theirs.send('chat');
    await until('what follows is sent', () => bySeq(theirs.session, after.seq)?.state === 'delivered');
    expect(spine.transcript.peek(used.id)).toEqual(shown);
    expect(channel.visible.map(({ address }) => address.platformId)).toEqual(['room', 'hall']);
  },
);

test('two sessions that use one id at the same time: one is sent, the other refused, and neither hangs', async () => {
  const { channel, open, bySeq } = setUp();
  const mine = await open('room');
  const theirs = await open('hall');
  const one = mine.send('chat');
  const two = theirs.send('chat', one.id);
  const states = () => [bySeq(mine.session, one.seq)?.state, bySeq(theirs.session, two.seq)?.state].sort();
  await until('both have ended', () => states().every((state) => ENDED.includes(state ?? '')));
  expect(states()).toEqual(['delivered', 'refused']);
  expect(channel.visible).toHaveLength(1);
});
