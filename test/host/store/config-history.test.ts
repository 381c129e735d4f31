/** What histories of earlier versions hold is read as a config of today. */
import { expect, it } from 'vitest';
import { contentOf } from '../../../host/agents/config/configs.ts';
import { diffConfigs } from '../../../host/agents/config/diff.ts';
import { Spine } from '../../support/spine.ts';

it('reads what was kept before there were services: with nulls, and without the network that it could have', () => {
  const spine = new Spine();
  const agent = spine.addAgent();
  const { service: _, effort: __, ...before } = contentOf(agent);
  spine.db
    .prepare('UPDATE container_config_history SET config = ? WHERE agent_group_id = ?')
    .run(JSON.stringify({ ...before, network: 'bridge' }), agent.id);
  const past = spine.configHistory.get(agent.id, 1)?.content;
  expect(past).toEqual(contentOf(agent));
  expect(diffConfigs(past ?? contentOf(agent), contentOf(agent))).toEqual([]);
});

it('keeps service and effort with each revision', () => {
  const spine = new Spine();
  const agent = spine.addAgent();
  const note = { by: 'host', approvalId: null, reason: 'x' };
  const outcome = spine.configs.change(agent.id, { provider: 'echo', service: 'ollama', effort: 'low' }, note);
  expect(outcome).toMatchObject({ changes: ['provider: demo → echo', '+ service: ollama', '+ effort: low'] });
  expect(spine.configHistory.get(agent.id, 2)?.content).toMatchObject({ service: 'ollama', effort: 'low' });
  expect(spine.agents.get(agent.id)?.config).toMatchObject({ service: 'ollama', effort: 'low', revision: 2 });
});
