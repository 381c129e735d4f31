import { describe, expect, it } from 'vitest';
import { SessionFixture } from './session-fixture.ts';

describe('a turn', () => {
  it('answers a message where it came from, with its thread and trace', async () => {
    await using session = new SessionFixture();
    session.start();
    const [id = ''] = session.receive({ text: 'hello <b> & `code`', threadId: 'thread-1' });
    await session.until(() => session.isSettled(id), 'answered');
    const [row] = session.rows();
    expect(session.texts()).toEqual(['terminal: hello <b> & `code`']);
    expect(row).toMatchObject({
      in_reply_to: id,
      trace_id: `trc_of_${id}`,
      thread_id: 'thread-1',
      channel_type: 'terminal',
      platform_id: 'owner',
      seq: 3,
    });
    const note = session.processing(id)?.note;
    expect(note).toMatchObject({ tries: 0 });
    const stages = ['claimed', 'provider_started', 'first_output', 'row_committed'].map((stage) =>
      Number(note?.[stage]),
    );
    expect(stages).toEqual([...stages].sort((a, b) => a - b));
  });
});
