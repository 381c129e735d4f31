/** Changes of configs: one commit each, kept whole, once per approval. */
import { describe, expect, it } from 'vitest';
import type { ConfigOutcome } from '../../../../host/agents/config/configs.ts';
import { contentOf } from '../../../../host/agents/config/configs.ts';
import { makeId } from '../../../../shared/ids.ts';
import { Spine } from '../../../support/spine.ts';

const BY = 'web:owner';

function setUp() {
  const spine = new Spine();
  const agent = spine.addAgent('main');
  const entries = () =>
    spine.db
      .prepare<[], { message_id: string; actor: string; detail: string }>(
        `SELECT message_id, actor, detail FROM ledger WHERE kind = 'config.changed' ORDER BY position`,
      )
      .all()
      .map(({ detail, ...entry }) => ({ ...entry, detail: JSON.parse(detail) }));
  return { spine, agent, configs: spine.configs, entries };
}

function changed(outcome: ConfigOutcome) {
  if (outcome.kind !== 'changed') throw new Error(`it is ${outcome.kind}`);
  return outcome;
}

describe('a change of a config', () => {
  it('is the next revision, is kept whole, is in the ledger, and rings the agent’s sessions', () => {
    const { spine, agent, configs, entries } = setUp();
    const outcome = changed(
      configs.change(
        agent.id,
        { model: 'large', timezone: 'Asia/Tokyo' },
        { by: BY, approvalId: null, reason: 'wish' },
      ),
    );
    expect(outcome.changes).toEqual(['+ model: large', 'timezone: UTC → Asia/Tokyo']);
    expect(outcome.agent).toMatchObject({ revision: 2, config: { revision: 2, model: 'large' } });
    expect(spine.configHistory.list(agent.id, 10)).toMatchObject([
      { revision: 2, by: BY, reason: 'wish', content: contentOf(outcome.agent) },
      { revision: 1, by: 'host', reason: 'made', content: contentOf(agent) },
    ]);
    expect(entries()).toMatchObject([
      {
        message_id: agent.id,
        actor: BY,
        detail: { revision: 2, changes: '+ model: large; timezone: UTC → Asia/Tokyo' },
      },
    ]);
    expect(spine.reconfigured).toEqual([agent.id]);
  });

  it('that changes nothing is none', () => {
    const { spine, agent, configs, entries } = setUp();
    expect(configs.change(agent.id, { provider: 'demo' }, { by: BY, approvalId: null, reason: '' }).kind).toBe('same');
    expect(spine.agents.get(agent.id)?.config.revision).toBe(1);
    expect(entries()).toEqual([]);
    expect(spine.reconfigured).toEqual([]);
  });

  it('on top of a revision that no longer holds is refused', () => {
    const { agent, configs } = setUp();
    changed(configs.change(agent.id, { model: 'a' }, { by: BY, approvalId: null, reason: '', ifRevision: 1 }));
    const late = configs.change(agent.id, { model: 'b' }, { by: BY, approvalId: null, reason: '', ifRevision: 1 });
    expect(late).toMatchObject({ kind: 'stale', agent: { config: { model: 'a', revision: 2 } } });
  });

  it('of an approval happens once, also when it is carried out again after a crash', () => {
    const { spine, agent, configs, entries } = setUp();
    const author = { by: BY, approvalId: makeId('approval'), reason: 'asked' };
    changed(configs.change(agent.id, { model: 'a' }, author));
    changed(configs.change(agent.id, { model: 'b' }, { ...author, approvalId: null }));
    expect(configs.change(agent.id, { model: 'a' }, author).kind).toBe('same');
    expect(spine.agents.get(agent.id)?.config).toMatchObject({ model: 'b', revision: 3 });
    expect(entries()).toHaveLength(2);
  });

  it('whose record cannot be written does not happen', () => {
    const { spine, agent, configs } = setUp();
    spine.db.exec(`CREATE TRIGGER full BEFORE INSERT ON ledger BEGIN SELECT RAISE(ABORT, 'full'); END`);
    expect(() => configs.change(agent.id, { model: 'a' }, { by: BY, approvalId: null, reason: '' })).toThrow('full');
    expect(spine.agents.get(agent.id)).toMatchObject({ revision: 1, config: { model: null, revision: 1 } });
    expect(spine.configHistory.list(agent.id, 10)).toHaveLength(1);
    expect(spine.reconfigured).toEqual([]);
  });

  it('by its new name is a revision too, because containers are told their agent’s name', () => {
    const { spine, agent, configs } = setUp();
    const outcome = changed(configs.changeAgent(agent.id, 1, { name: 'boss' }, BY));
    expect(outcome.agent).toMatchObject({ name: 'boss', revision: 2, config: { revision: 2 } });
    expect(spine.configHistory.get(agent.id, 2)?.reason).toBe('name: main → boss');
    expect(configs.changeAgent(agent.id, 1, { name: 'chief' }, BY).kind).toBe('stale');
  });

  it('of a removed agent is no change', () => {
    const { spine, agent, configs } = setUp();
    spine.agents.archive(agent.id, agent.revision, { kind: 'remove', archiveFolder: 'x' }, spine.now());
    expect(configs.change(agent.id, { model: 'a' }, { by: BY, approvalId: null, reason: '' }).kind).toBe('gone');
  });
});

describe('work of one agent that takes time', () => {
  it('is done one after another, whatever becomes of the one before; other agents do not wait', async () => {
    const { spine, agent, configs } = setUp();
    const other = spine.addAgent('other');
    const order: string[] = [];
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const one = configs.inTurn(agent.id, async () => {
      order.push('one begins');
      await gate;
      order.push('one ends');
      throw new Error('it failed');
    });
    const two = configs.inTurn(agent.id, async () => void order.push('two'));
    await configs.inTurn(other.id, async () => void order.push('other'));
    expect(order).toEqual(['one begins', 'other']);
    letGo();
    await expect(one).rejects.toThrow('it failed');
    await two;
    expect(order).toEqual(['one begins', 'other', 'one ends', 'two']);
  });
});
