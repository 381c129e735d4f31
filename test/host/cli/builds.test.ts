/** `portolan builds` against the real API: lists, logs as they come, trying again. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BuildLog } from '../../../host/images/log.ts';
import { readAgentImages } from '../../../host/store/read-agent-images.ts';
import { type ImageBuildId, makeId } from '../../../shared/ids.ts';
import { type ApiFixture, startApi } from '../../support/api-server.ts';
import { portolan } from './support/run.ts';

const PACKAGES = { apt: ['cowsay'], npm: ['left-pad'], generation: 0 };

function addBuild(api: ApiFixture): ImageBuildId {
  const id = makeId('imageBuild');
  api.builds.insert({
    ...{ id, agentGroupId: api.agent.id, approvalId: null, image: 'own:1', packages: PACKAGES, createdAt: Date.now() },
  });
  api.builds.begin(id, Date.now());
  return id;
}

const logPath = (api: ApiFixture, id: ImageBuildId) => join(api.spine.home.buildLogs, `${id}.log`);

describe('portolan builds', () => {
  it('lists what was built for an agent, and says where packages come from when nothing was', async () => {
    const api = await startApi();
    expect((await portolan(api.spine.home, ['builds', 'main'])).out).toContain('main has no image of its own');
    const id = addBuild(api);
    const listed = await portolan(api.spine.home, ['builds', 'main'], { columns: 120 });
    expect(listed.out).toMatch(new RegExp(`${id} +building +cowsay npm:left-pad`));
    const json = JSON.parse((await portolan(api.spine.home, ['builds', 'main', '--json'])).out);
    expect(json.items).toMatchObject([{ id, packages: PACKAGES }]);
  });

  it('shows a log by the build or by its agent, without what steers a terminal', async () => {
    const api = await startApi();
    const id = addBuild(api);
    writeFileSync(logPath(api, id), '+ touch /opt/x\n');
    appendFileSync(logPath(api, id), `evil${String.fromCharCode(27)}]0;owned${String.fromCharCode(7)}\n`);
    api.builds.end(id, { kind: 'built' }, Date.now());
    for (const name of [id, 'main']) {
      const shown = await portolan(api.spine.home, ['builds', 'log', name]);
      expect(shown).toMatchObject({ code: 0, out: '+ touch /opt/x\nevil]0;owned\n' });
    }
  });

  it('follows a log to its end, and fails with a build that failed', async () => {
    const api = await startApi();
    const id = addBuild(api);
    const log = new BuildLog(logPath(api, id));
    api.liveLogs.set(id, log);
    log.write('one\n');
    const finish = async (out: string): Promise<void> => {
      if (out !== 'one\n') return;
      log.write('E: no such package\n');
      api.builds.end(id, { kind: 'failed', failure: 'E: no such package' }, Date.now());
      await log.end();
    };
    const followed = await portolan(api.spine.home, ['builds', 'log', id, '--follow'], {
      onOut: (out) => void finish(out),
    });
    expect(followed).toMatchObject({ code: 6, out: 'one\nE: no such package\nfailed\n' });
    expect(followed.err).toContain('The image was not built.');
  });

  it('says what is there instead of trying again for nothing', async () => {
    const api = await startApi();
    const again = await portolan(api.spine.home, ['builds', 'retry', 'main']);
    expect(again).toMatchObject({
      code: 0,
      out: expect.stringMatching(/main runs on portolan-agent:latest; there is nothing/),
    });
  });

  it('names what it does not find', async () => {
    const api = await startApi();
    expect((await portolan(api.spine.home, ['builds', 'log', 'main'])).code).toBe(4);
    expect((await portolan(api.spine.home, ['builds', 'log', makeId('imageBuild')])).code).toBe(4);
    expect((await portolan(api.spine.home, ['builds', 'nobody'])).code).toBe(4);
  });
});

it('the doctor reads what was built for agents with packages, and which could not be built again', async () => {
  const api = await startApi();
  const { db } = api.spine;
  const path = api.spine.home.centralDb;
  expect(await readAgentImages(path)).toEqual([]);
  db.prepare('UPDATE container_configs SET packages = ? WHERE agent_group_id = ?').run(
    JSON.stringify(PACKAGES),
    api.agent.id,
  );
  expect(await readAgentImages(path)).toEqual([{ agent: 'main', image: null, hasFailed: false }]);
  api.builds.end(addBuild(api), { kind: 'built' }, 1);
  expect(await readAgentImages(path)).toEqual([{ agent: 'main', image: 'own:1', hasFailed: false }]);
  const later = addBuild(api);
  db.prepare('UPDATE image_builds SET created_at = created_at + 1000 WHERE id = ?').run(later);
  api.builds.end(later, { kind: 'failed', failure: 'x' }, 2);
  expect(await readAgentImages(path)).toEqual([{ agent: 'main', image: 'own:1', hasFailed: true }]);
});
