/** What agents ask about themselves, from a container's row to the message that tells what came of it. */
import Database from 'better-sqlite3';
import { afterEach, describe, expect, it } from 'vitest';
import { MAX_RESTARTS, RESTART_GAP_MS } from '../../../../host/agents/config/limits.ts';
import { hashRequest } from '../../../../host/approvals/plan.ts';
import { installFailpointHook } from '../../../../host/observe/failpoint.ts';
import type { ApprovalId, MessageId, UserId } from '../../../../shared/ids.ts';
import { parseInboundContent } from '../../../../shared/messages.ts';
import type { Packages } from '../../../../shared/packages.ts';
import { Spine } from '../../../support/spine.ts';
import { until } from '../../../support/until.ts';

const ADA = 'test:ada' as UserId;

afterEach(() => installFailpointHook(null));

async function setUp() {
  const spine = new Spine();
  const channel = spine.addChannel('test');
  const agent = spine.addAgent('main');
  const own = spine.addChat(agent, 'test', 'ada-own');
  spine.users.ensure(ADA, 'Ada', 0);
  spine.users.grant(ADA, 'owner', null, null, 0);
  spine.users.notePrivateChat(ADA, 'test', own.id);
  const chat = spine.addChat(agent, 'test', 'family');
  const { session, messageId, paths } = await spine.say(chat, 'hello');
  const container = spine.container(paths);
  const ask = async (content: Record<string, unknown>, id?: string) => {
    const row = container.send({
      kind: 'request',
      inReplyTo: messageId,
      content: { reason: 'I need it', ...content },
      ...(id === undefined ? {} : { id }),
    });
    let looks = 0;
    const answer = await until('an answer', () => {
      // A doorbell may be lost; a host sweeps its sessions, and here the test does.
      if (looks++ % 100 === 0) spine.delivery.ring(session.id);
      return spine.inboxes.read(session, (tables) => tables.getDelivery(row));
    });
    return { row, ...answer };
  };
  const open = () => spine.inboxes.read(session, (tables) => tables.listOpen(100));
  const told = (event: string) =>
    open().flatMap((row) => {
      const content = parseInboundContent(row.content);
      return content.ok && content.value.event === event ? [{ ...row, text: content.value.text }] : [];
    });
  const pending = () => spine.approvals.list(100, null, 'pending');
  const approve = (id: ApprovalId, choice = 'Approve') =>
    spine.approvals.decide(id, { choice, by: ADA, byName: 'Ada', from: null } as never);
  const ended = (id: ApprovalId) =>
    until('it is over', () => {
      const approval = spine.approvals.get(id);
      return approval?.outcome == null ? null : approval;
    });
  const onWake = (id: MessageId) => readOnWake(paths.inboundDb, id);
  const config = () => {
    const now = spine.agents.get(agent.id)?.config;
    if (now === undefined) throw new Error('no agent');
    return now;
  };
  return { spine, channel, agent, chat, session, ask, told, pending, approve, ended, config, onWake, open };
}

type World = Awaited<ReturnType<typeof setUp>>;

function readOnWake(path: string, id: MessageId): number {
  const db = new Database(path, { readonly: true, timeout: 5_000 });
  const value = Number(db.prepare('SELECT on_wake FROM messages_in WHERE id = ?').pluck().get(id));
  db.close();
  return value;
}

async function asked(world: World, content: Record<string, unknown>) {
  const answer = await world.ask(content);
  expect(answer).toMatchObject({
    state: 'delivered',
    reason: expect.stringMatching(/an admin was asked.*code is \w{4}/),
  });
  const approval = world.pending()[0];
  if (approval === undefined) throw new Error('nobody was asked');
  return approval;
}

describe('packages that an agent asks for', () => {
  it('are on the card as what they change, and in the config once approved and built; the fresh container hears of it', async () => {
    const world = await setUp();
    const built: Packages[] = [];
    world.spine.images.ensure = async (_agent, packages) => {
      built.push(packages);
      expect(world.config().revision).toBe(1);
      return { kind: 'built', image: 'x' };
    };
    const approval = await asked(world, {
      action: 'install_packages',
      apt: ['cowsay', 'figlet'],
      npm: ['left-pad@1.3.0'],
    });
    expect(approval.consequence).toEqual([
      'adds the apt packages `cowsay`, `figlet`',
      'adds the npm package `left-pad@1.3.0`',
      'image rebuild',
      'restarts its sessions, each when it is idle',
    ]);
    expect(built).toEqual([]);
    world.approve(approval.id);
    expect(await world.ended(approval.id)).toMatchObject({
      state: 'applied',
      outcome: expect.stringContaining('revision 2'),
    });
    const packages = { apt: ['cowsay', 'figlet'], npm: ['left-pad@1.3.0'], generation: 0 };
    expect(built).toEqual([packages]);
    expect(world.config()).toMatchObject({ packages, revision: 2 });
    expect(world.spine.configHistory.get(world.agent.id, 2)).toMatchObject({ by: ADA, approvalId: approval.id });
    const [outcome] = await until('the agent is told', () =>
      world.told('approval_applied').length > 0 ? world.told('approval_applied') : null,
    );
    expect(outcome?.text).toContain('Installed');
    expect(outcome?.platformId).toBe('family');
    expect(world.onWake(outcome?.id as MessageId)).toBe(1);
    await until('the sessions are rung after that', () => world.spine.reconfigured.length >= 2);
  });

  it('replace another version of the same name, and are no request when they are there', async () => {
    const world = await setUp();
    world.spine.configs.change(
      world.agent.id,
      { packages: { apt: ['curl=1'], npm: ['left-pad'], generation: 3 } },
      { by: 'host', approvalId: null, reason: 'x' },
    );
    expect(await world.ask({ action: 'install_packages', apt: ['curl=1'], npm: ['left-pad'] })).toMatchObject({
      state: 'delivered',
      reason: 'nothing is to be done: all of these packages are installed already',
    });
    expect(world.pending()).toEqual([]);
    const approval = await asked(world, { action: 'install_packages', apt: ['curl=2'] });
    expect(approval.consequence[0]).toBe('replaces the apt package `curl=1` by `curl=2`');
    world.approve(approval.id);
    await world.ended(approval.id);
    expect(world.config().packages).toEqual({ apt: ['curl=2'], npm: ['left-pad'], generation: 3 });
  });

  it('that cannot be built change nothing; agent and admin get the last lines', async () => {
    const world = await setUp();
    world.spine.images.ensure = async () => ({ kind: 'failed', tail: 'E: Unable to locate package cowsayy' });
    const approval = await asked(world, { action: 'install_packages', apt: ['cowsayy'] });
    world.approve(approval.id);
    expect(await world.ended(approval.id)).toMatchObject({
      state: 'failed',
      outcome: expect.stringContaining('E: Unable to locate package cowsayy'),
    });
    expect(world.config()).toMatchObject({ revision: 1, packages: { apt: [] } });
    const [told] = await until('the agent is told', () =>
      world.told('approval_failed').length > 0 ? world.told('approval_failed') : null,
    );
    expect(told?.text).toContain('Unable to locate package cowsayy');
    await until('the card says so', () => world.channel.edits.at(-1)?.text.includes('Unable to locate package'));
  });

  it('that are rejected change nothing, and build nothing', async () => {
    const world = await setUp();
    world.spine.images.ensure = () => Promise.reject(new Error('nothing is to be built'));
    const approval = await asked(world, { action: 'install_packages', apt: ['cowsay'] });
    world.approve(approval.id, 'Reject');
    expect(await world.ended(approval.id)).toMatchObject({ state: 'rejected' });
    expect(world.config().revision).toBe(1);
  });

  it('of two requests approved at once are built one after another, the second on top of the first', async () => {
    const world = await setUp();
    const built: Packages[] = [];
    let underWay = 0;
    world.spine.images.ensure = async (_agent, packages) => {
      expect(++underWay).toBe(1);
      built.push(packages);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return { kind: 'built', image: 'x' };
    };
    const one = await asked(world, { action: 'install_packages', apt: ['cowsay'] });
    const two = await asked(world, { action: 'install_packages', apt: ['figlet'] });
    expect(one.id).not.toBe(two.id);
    world.approve(one.id);
    world.approve(two.id);
    await Promise.all([world.ended(one.id), world.ended(two.id)]);
    expect(built.map(({ apt }) => apt)).toEqual([['cowsay'], ['cowsay', 'figlet']]);
    expect(world.config()).toMatchObject({ revision: 3, packages: { apt: ['cowsay', 'figlet'] } });
  });

  it('past what an agent may have are refused at once, and so is what is no package name', async () => {
    const world = await setUp();
    const many = Array.from({ length: 99 }, (_, at) => `lib${at}`);
    world.spine.configs.change(
      world.agent.id,
      { packages: { apt: many, npm: [], generation: 0 } },
      { by: 'host', approvalId: null, reason: 'x' },
    );
    expect(await world.ask({ action: 'install_packages', apt: ['cowsay', 'figlet'] })).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('an agent may have 100'),
    });
    for (const apt of [['--help'], ['a b'], ['../x'], ['x;reboot'], ['Cowsay'], [`${'x'.repeat(200)}`]]) {
      expect(await world.ask({ action: 'install_packages', apt })).toMatchObject({ state: 'refused' });
    }
    expect(await world.ask({ action: 'install_packages', apt: many.slice(0, 21) })).toMatchObject({ state: 'refused' });
    expect(world.pending()).toEqual([]);
  });

  it.each(['config.ready', 'config.changed'])(
    'are installed exactly once when the host dies at %s and starts again',
    async (point) => {
      const world = await setUp();
      const { spine } = world;
      let builds = 0;
      spine.images.ensure = async () => {
        builds++;
        return { kind: 'built', image: 'x' };
      };
      const approval = await asked(world, { action: 'install_packages', apt: ['cowsay'] });
      let died = false;
      const dead = new Promise<void>((resolve) => {
        installFailpointHook((name) => {
          if (name !== point || died) return;
          died = true;
          // What this host would have done from here on is never done.
          void spine.approvals[Symbol.asyncDispose]();
          resolve();
          throw new Error('the host dies');
        });
      });
      world.approve(approval.id);
      await dead.catch(() => undefined);
      installFailpointHook(null);
      spine.approvals = spine.makeApprovals();
      spine.self = spine.makeSelf();
      await spine.approvals.start();
      expect(await world.ended(approval.id)).toMatchObject({ state: 'applied' });
      expect(world.config()).toMatchObject({ revision: 2, packages: { apt: ['cowsay'] } });
      expect(spine.configHistory.list(world.agent.id, 10)).toHaveLength(2);
      expect(builds).toBeLessThanOrEqual(2);
      await until('the agent is told', () => world.told('approval_applied').length > 0);
      expect(world.told('approval_applied')).toHaveLength(1);
    },
  );
});

it('a build that takes long does not keep the host from starting, and its end is told all the same', async () => {
  const world = await setUp();
  const { spine } = world;
  const approval = await asked(world, { action: 'install_packages', apt: ['cowsay'] });
  spine.images.ensure = () => new Promise(() => undefined);
  world.approve(approval.id);
  void spine.approvals[Symbol.asyncDispose]();
  let finish: () => void = () => undefined;
  spine.images.ensure = () =>
    new Promise((resolve) => {
      finish = () => resolve({ kind: 'built', image: 'x' });
    });
  // The next host has queues of its own.
  spine.configs = spine.makeConfigs();
  spine.self = spine.makeSelf();
  spine.approvals = spine.makeApprovals();
  await spine.approvals.start();
  expect(spine.approvals.get(approval.id)?.outcome).toBeNull();
  finish();
  expect(await world.ended(approval.id)).toMatchObject({ state: 'applied' });
  expect(world.config().revision).toBe(2);
});

describe('MCP servers that an agent asks for', () => {
  const server = { name: 'files', command: 'node', args: ['/x/s.js', "it's; rm -rf /"], env: { KEY: 'a b' } };

  it('are shown with the whole command line and its environment, and run once approved', async () => {
    const world = await setUp();
    const approval = await asked(world, { action: 'add_mcp_server', server });
    expect(approval.consequence).toEqual([
      "adds the MCP server files, which runs: `KEY='a b' node /x/s.js 'it'\\''s; rm -rf /'`",
      'restarts its sessions, each when it is idle',
    ]);
    world.approve(approval.id);
    await world.ended(approval.id);
    expect(world.config()).toMatchObject({ mcpServers: [server], revision: 2 });
  });

  it('are shown to run unconfined, as the host’s user, where agents have no containers', async () => {
    const world = await setUp();
    world.spine.isConfined = false;
    world.spine.self = world.spine.makeSelf();
    world.spine.approvals = world.spine.makeApprovals();
    const approval = await asked(world, { action: 'add_mcp_server', server });
    expect(approval.consequence[1]).toMatch(/^the program runs unconfined, as the user of the host/);
    const packages = await asked(world, { action: 'install_packages', apt: ['cowsay'] });
    expect(packages.consequence.join()).not.toContain('unconfined');
  });

  it('take another’s place by name, are removed, and are no request when they are there or were never', async () => {
    const world = await setUp();
    world.spine.configs.change(world.agent.id, { mcpServers: [server] }, { by: 'host', approvalId: null, reason: 'x' });
    expect(await world.ask({ action: 'add_mcp_server', server })).toMatchObject({
      reason: expect.stringContaining('there already'),
    });
    expect(await world.ask({ action: 'remove_mcp_server', name: 'other' })).toMatchObject({
      state: 'delivered',
      reason: 'nothing is to be done: there is no MCP server other; there are files',
    });
    const replace = await asked(world, { action: 'add_mcp_server', server: { ...server, args: [], env: {} } });
    expect(replace.consequence.slice(0, 2)).toEqual([
      "replaces the MCP server files, which ran: `KEY='a b' node /x/s.js 'it'\\''s; rm -rf /'`",
      'and from then on runs: `node`',
    ]);
    world.approve(replace.id);
    await world.ended(replace.id);
    const remove = await asked(world, { action: 'remove_mcp_server', name: 'files' });
    world.approve(remove.id);
    await world.ended(remove.id);
    expect(world.config()).toMatchObject({ mcpServers: [], revision: 4 });
  });

  it('whose present state changed since the card was made are asked about anew', async () => {
    const world = await setUp();
    const approval = await asked(world, { action: 'add_mcp_server', server });
    world.spine.configs.change(
      world.agent.id,
      { mcpServers: [{ ...server, command: 'python3' }] },
      { by: 'host', approvalId: null, reason: 'x' },
    );
    expect(world.approve(approval.id)).toMatchObject({ kind: 'refused' });
    expect(world.spine.approvals.get(approval.id)?.state).toBe('superseded');
    expect(world.pending()[0]?.consequence[0]).toContain('replaces the MCP server files');
  });

  it('that do not come up are told to the agent and to an admin once, and are recorded', async () => {
    const world = await setUp();
    world.spine.configs.change(
      world.agent.id,
      { mcpServers: [server, { ...server, name: 'good' }] },
      { by: 'host', approvalId: null, reason: 'x' },
    );
    const servers = [
      { name: 'files', problem: 'spawn node ENOENT', tools: 0 },
      { name: 'good', problem: null, tools: 4 },
      { name: 'unknown', problem: 'not mine', tools: 0 },
    ];
    const report = { action: 'report_mcp_servers', servers };
    expect(await world.ask(report)).toMatchObject({ state: 'delivered' });
    expect(await world.ask(report)).toMatchObject({ state: 'delivered' });
    expect(world.told('mcp_server_failed')).toMatchObject([{ text: expect.stringContaining('spawn node ENOENT') }]);
    expect(world.spine.toldAdmins).toHaveLength(1);
    expect(world.spine.mcpReports.list(world.agent.id, world.config().mcpServers)).toMatchObject([
      { name: 'files', problem: 'spawn node ENOENT' },
      { name: 'good', problem: null, tools: 4 },
    ]);
    const [entry] = world.spine.db.prepare(`SELECT detail FROM ledger WHERE kind = 'mcp.failed'`).all();
    expect(entry).toEqual({ detail: JSON.stringify({ servers: 'files' }) });
  });
});

describe('a rebuild that an agent asks for', () => {
  it('takes newer versions of its packages; without packages there is nothing to build', async () => {
    const world = await setUp();
    expect(await world.ask({ action: 'request_rebuild' })).toMatchObject({
      reason: expect.stringContaining('no packages'),
    });
    world.spine.configs.change(
      world.agent.id,
      { packages: { apt: ['curl'], npm: [], generation: 0 } },
      { by: 'host', approvalId: null, reason: 'x' },
    );
    const approval = await asked(world, { action: 'request_rebuild' });
    world.approve(approval.id);
    await world.ended(approval.id);
    expect(world.config().packages).toEqual({ apt: ['curl'], npm: [], generation: 1 });
  });
});

describe('a restart that an agent asks for', () => {
  it('leaves a message for the fresh container alone, in the commit of the answer, and asks nobody', async () => {
    const world = await setUp();
    const answer = await world.ask({ action: 'restart', note: 'go on with the tests' });
    expect(answer).toMatchObject({ state: 'delivered' });
    const [row] = world.told('restarted');
    expect(row).toMatchObject({ platformId: 'family', text: expect.stringContaining('go on with the tests') });
    expect(world.onWake(row?.id as MessageId)).toBe(1);
    expect(world.pending()).toEqual([]);
    await until('the runtime is rung', () => world.spine.reconciled.includes(world.session.id));
  });

  it('is granted once a minute and 6 times an hour, else refused with the time to wait', async () => {
    const world = await setUp();
    let now = Date.now();
    world.spine.now = () => now;
    expect(await world.ask({ action: 'restart' })).toMatchObject({ state: 'delivered' });
    now += RESTART_GAP_MS - 20_000;
    expect(await world.ask({ action: 'restart' })).toMatchObject({
      state: 'refused',
      reason: 'a session restarts at most once a minute and 6 times an hour; again in 20 s',
    });
    for (let count = 1; count < MAX_RESTARTS; count++) {
      now += RESTART_GAP_MS;
      expect(await world.ask({ action: 'restart' })).toMatchObject({ state: 'delivered' });
    }
    now += RESTART_GAP_MS;
    expect(await world.ask({ action: 'restart' })).toMatchObject({ reason: expect.stringMatching(/again in 5\d min/) });
    expect(world.told('restarted')).toHaveLength(MAX_RESTARTS);
  });

  it('is one when its row is answered again after a crash', async () => {
    const world = await setUp();
    let tries = 0;
    installFailpointHook((name) => {
      if (name === 'delivery.carried-out' && tries++ < 2)
        throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    const asking = world.ask({ action: 'restart' });
    await until('it was tried', () => tries === 1);
    world.spine.delivery.ring(world.session.id);
    await until('it was tried again', () => tries === 2);
    world.spine.delivery.ring(world.session.id);
    expect(await asking).toMatchObject({ state: 'delivered' });
    expect(world.told('restarted')).toHaveLength(1);
    const count = world.spine.db.prepare(`SELECT count(*) FROM ledger WHERE kind = 'session.restarted'`).pluck().get();
    expect(count).toBe(1);
  });
});

describe('a request of another time', () => {
  it('that this host would not take any more can be rejected, and is not approved', async () => {
    const world = await setUp();
    const approval = await asked(world, { action: 'install_packages', npm: ['cowsay'] });
    const payload = { ...approval.payload, npm: ['https://example.org/cowsay'] };
    world.spine.db
      .prepare('UPDATE pending_approvals SET payload = ?, request_hash = ? WHERE id = ?')
      .run(JSON.stringify(payload), hashRequest(approval.action, payload), approval.id);
    expect(world.approve(approval.id)).toMatchObject({ kind: 'refused', reason: 'changed' });
    expect(await world.ended(approval.id)).toMatchObject({ state: 'superseded' });
    expect(world.config().packages.npm).toEqual([]);
  });

  it('that was rejected is not another for naming the same in another order', async () => {
    const world = await setUp();
    const approval = await asked(world, { action: 'install_packages', apt: ['cowsay', 'figlet'] });
    world.approve(approval.id, 'Reject');
    await world.ended(approval.id);
    const again = await world.ask({ action: 'install_packages', apt: ['figlet', 'cowsay', 'figlet'] });
    expect(again).toMatchObject({ state: 'refused', reason: expect.stringContaining('rejected this') });
  });
});
