/**
 * An agent asks for programs, the right person decides, and its image is built for real: with Docker, Debian's
 * packages and npm's, over the default bridge.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import Docker from 'dockerode';
import { expect, onTestFinished, test } from 'vitest';
import { ImageEngine } from '../../host/images/engine.ts';
import type { Approval, ApprovalState } from '../../host/store/approvals.ts';
import type { InstallId } from '../../shared/ids.ts';
import { Random } from '../crash/random.ts';
import { Story } from '../crash/story.ts';
import { FlowHost } from '../support/flow-host.ts';
import { CHANNEL_OF, type ChatSetUp } from '../support/hosted/protocol.ts';
import { agentImage } from '../support/image.ts';
import { until } from '../support/until.ts';

const IMAGE = agentImage();
/** A build with a download, on a busy machine. */
const BUILD_MS = 180_000;
const docker = new Docker();

async function start(): Promise<FlowHost> {
  const flow = new FlowHost({ image: IMAGE, pauseAfterMs: 1_000 });
  let removeImages = async () => {};
  onTestFinished(() => removeImages(), 60_000);
  await flow.startForTest();
  const installId = flow.host.stores.settings.installId();
  removeImages = () => removeOwnImages(installId);
  flow.wire(flow.agent, 'family');
  return flow;
}

async function removeOwnImages(installId: InstallId): Promise<void> {
  const engine = new ImageEngine(installId);
  await engine.removeLeftContainers();
  for (const { names, id } of await engine.listOwn()) {
    for (const name of names.length > 0 ? names : [id]) await engine.remove(name);
  }
}

/** The approval that the agent's words in the chat ask for. */
async function askFor(flow: FlowHost, words: string): Promise<Approval> {
  const asked = await flow.ask('family', words);
  expect(asked.text).toMatch(/an admin was asked; the code is [0-9A-Z]{4}/);
  return until('an approval waits', () => flow.host.stores.approvals.list(1, null, 'pending')[0]);
}

/** The owner's decision, over the API. */
async function decide(flow: FlowHost, { id }: Approval, choice: 'Approve' | 'Reject', note?: string): Promise<void> {
  const socketPath = flow.host.paths.socket;
  const headers = { 'content-type': 'application/json' };
  const status = await new Promise<number>((resolve, reject) => {
    const sent = request(
      { socketPath, path: `/api/v1/approvals/${id}/decide`, method: 'POST', headers },
      (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.once('error', reject).end(JSON.stringify({ choice, ...(note === undefined ? {} : { note }) }));
  });
  expect(status).toBe(200);
}

function hasEnded(flow: FlowHost, { id }: Approval, state: ApprovalState) {
  return until(`the approval is ${state}`, () => flow.host.stores.approvals.get(id)?.state === state, BUILD_MS);
}

const containerImage = async (flow: FlowHost) => {
  const label = [`portolan.install=${flow.host.stores.settings.installId()}`];
  const [container] = await docker.listContainers({ filters: { label } });
  return container?.Image ?? null;
};

test('an admin approves, the image is built for real, and the agent runs the new programs and says so', async () => {
  const flow = await start();
  expect((await flow.ask('family', 'run cowsay hi')).text).toContain('I have no program `cowsay`');
  const approval = await askFor(flow, 'install apt cowsay and npm semver because I like cows');
  expect(approval.consequence.join('\n')).toMatch(/cowsay[\s\S]*image rebuild on/);
  await decide(flow, approval, 'Approve');
  await hasEnded(flow, approval, 'applied');
  const told = await flow.hears('family', /It was approved/);
  expect(told.text).toMatch(/Installed: .*cowsay/);
  const said = await flow.ask('family', 'run cowsay hi');
  expect(said.text).toContain('< hi >');
  expect((await flow.ask('family', 'run semver -r ^1.0.0 1.2.3')).text).toContain('1.2.3');
  expect(await containerImage(flow)).toMatch(/^portolan-agent-[a-z0-9]{8}:[0-9a-f]{16}$/);
  expect(flow.agent.config.packages).toMatchObject({ apt: ['cowsay'], npm: ['semver'], generation: 0 });
  expect(flow.host.stores.imageBuilds.listOfAgent(flow.agent.id, 10)).toMatchObject([
    { state: 'built', approvalId: approval.id },
  ]);
}, 400_000);

test('a rejected one changes nothing, and the agent says why', async () => {
  const flow = await start();
  const approval = await askFor(flow, 'install apt cowsay');
  await decide(flow, approval, 'Reject', 'no cows here');
  expect((await flow.hears('family', /It was rejected/)).text).toContain('no cows here');
  expect(flow.agent.config).toMatchObject({ packages: { apt: [], npm: [] } });
  expect(flow.host.stores.imageBuilds.listOfAgent(flow.agent.id, 10)).toEqual([]);
  expect((await flow.ask('family', 'run cowsay hi')).text).toContain('I have no program `cowsay`');
});

test('a build that fails leaves the old image in use; agent and admin get the last lines', async () => {
  const flow = await start();
  const approval = await askFor(flow, 'install apt no-such-package-anywhere');
  await decide(flow, approval, 'Approve');
  await hasEnded(flow, approval, 'failed');
  const told = await flow.hears('family', /did not work/);
  expect(told.text).toContain('Unable to locate package no-such-package-anywhere');
  expect(flow.host.stores.approvals.get(approval.id)?.outcome).toContain('Unable to locate package');
  expect(flow.agent.config).toMatchObject({ packages: { apt: [], npm: [] } });
  expect((await flow.ask('family', 'time')).text).toContain('It is');
  expect(await containerImage(flow)).toBe(IMAGE);
}, 400_000);

test('after an upgrade the image is built again by itself: the session says what it waits for, others go on', async () => {
  const flow = await start();
  const agent = flow.agent;
  const other = flow.host.stores.agents.create({ name: 'writer', folder: 'writer', now: Date.now() });
  flow.wire(other, 'desk');
  const approval = await askFor(flow, 'install npm semver');
  await decide(flow, approval, 'Approve');
  await flow.hears('family', /It was approved/, BUILD_MS);
  const [before] = flow.host.stores.imageBuilds.listImages(agent.id);
  await flow.host.stopContainers();
  await flow.stop();
  // Another base, as an upgrade brings it.
  const upgraded = `portolan-agent-upgraded:${agent.id.slice(-8)}`;
  const container = await docker.createContainer({ Image: IMAGE });
  const [repo = '', tag = ''] = upgraded.split(':');
  await container.commit({ repo, tag, changes: 'LABEL upgraded=1' });
  await container.remove();
  onTestFinished(async () => void (await docker.getImage(upgraded).remove({ force: true })), 60_000);
  flow.policy.image = upgraded;
  await flow.start();
  const session = await flow.say('family', 'run semver -r ^2.0.0 2.1.0');
  await until('the session says what it waits for', () => {
    const { state, reason } = flow.host.life.liveState(flow.session(session.id));
    return state === 'waiting' && reason === 'Its image is being built.';
  });
  expect((await flow.ask('desk', 'time')).text).toContain('It is');
  expect((await flow.hears('family', /`semver` says/, BUILD_MS)).text).toContain('2.1.0');
  const [after] = flow.host.stores.imageBuilds.listImages(agent.id);
  expect(after).not.toBe(before);
}, 400_000);

const CHAT: ChatSetUp = { agent: 'anna', idempotency: 'native', platformId: 'harbour' };
const CHANNEL = CHANNEL_OF.native;

/** Makes whoever writes in the test's chats an owner, and reads what the host keeps. */
function openHome(home: string) {
  const db = new Database(join(home, 'central.db'));
  onTestFinished(() => void db.close());
  const count = (sql: string) => Number(db.prepare(sql).pluck().get());
  return {
    makeOwner: () => db.prepare(OWNER_SQL).run(`${CHANNEL}:someone`, Date.now()),
    code: () => db.prepare(`SELECT code FROM pending_approvals WHERE state = 'pending'`).pluck().get(),
    installId: () => db.prepare(`SELECT value FROM settings WHERE key = 'install_id'`).pluck().get() as InstallId,
    applied: () => count(`SELECT count(*) FROM pending_approvals WHERE state = 'applied'`),
    changes: () => count('SELECT count(*) FROM container_config_history WHERE approval_id IS NOT NULL'),
    built: () => count(`SELECT count(*) FROM ledger WHERE kind = 'image.built'`),
    builds: () => count('SELECT count(*) FROM image_builds'),
  };
}
const OWNER_SQL = `INSERT INTO user_roles (user_id, role, created_at) VALUES (?, 'owner', ?)`;

test.each([
  ['in the middle of the build', null],
  ['when the image is built', 'failpoint images.built'],
  ['right before the config changes', 'failpoint config.ready'],
])(
  'a host killed between approval and apply, %s: the next one applies it exactly once',
  async (_when, name) => {
    const story = new Story(new Random(1), {
      ...{
        driver: 'docker',
        image: IMAGE,
        chats: [CHAT],
        provider: 'demo',
        pauseAfterMs: 60_000,
        stopAfterMs: 600_000,
      },
    });
    const first = await story.start(name === null ? null : { signal: 'SIGKILL', kind: 'named', name, nth: 1 });
    const home = openHome(story.home);
    const installId = home.installId();
    onTestFinished(async () => {
      await story.dispose();
      const filters = { label: [`portolan.install=${installId}`] };
      for (const { Id } of await docker.listContainers({ all: true, filters })) {
        await docker.getContainer(Id).remove({ force: true });
      }
      await removeOwnImages(installId);
    }, 60_000);
    if (first === null) throw new Error('the host died before anybody wrote');
    const chat = () => story.platform.inChat(CHANNEL, CHAT.platformId).map(({ text }) => text);
    await first.receive(CHANNEL, CHAT.platformId, 'install npm semver because I compare versions', 'c1');
    home.makeOwner();
    const code = await until('an approval waits', home.code);
    await first.receive(CHANNEL, CHAT.platformId, `/approve ${String(code)}`, 'c2');
    if (name === null) {
      const label = [`portolan.image.install=${installId}`];
      await until('a build runs', async () => (await docker.listContainers({ filters: { label } })).length > 0, 60_000);
      await first.kill();
    }
    expect(await first.ended).toMatchObject({ signal: 'SIGKILL' });
    const second = await story.startLast();
    const outcomes = () => chat().filter((text) => text.includes('It was approved'));
    await until('the agent says what came of it', () => outcomes().length > 0, BUILD_MS);
    await until('it is applied', () => home.applied() === 1);
    expect({ changes: home.changes(), built: home.built(), builds: home.builds() }).toEqual({
      changes: 1,
      built: 1,
      builds: 1,
    });
    await second.receive(CHANNEL, CHAT.platformId, 'run semver -r ^1.0.0 1.2.3', 'c3');
    await until('the program runs', () => chat().some((text) => text.includes('`semver` says')));
    expect(outcomes()).toHaveLength(1);
    await second.stop();
  },
  400_000,
);
