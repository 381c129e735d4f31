import { describe, expect, it } from 'vitest';
import type * as schemas from '../../../host/console/api/schemas.ts';
import { makeTempHome } from '../../support/temp-home.ts';
import { FakeHost } from './support/fake-host.ts';
import { portolan } from './support/run.ts';

const ESCAPE = String.fromCharCode(27);

/** Controls but the newline, and characters that reorder text. */
function isUnsafe(character: string): boolean {
  const code = character.charCodeAt(0);
  return (code < 0x20 && code !== 0x0a) || (code >= 0x7f && code <= 0x9f) || character === '\u202e';
}

describe('a command line', () => {
  it('that is misspelt names the nearest command and ends with 2', async () => {
    const { code, err } = await portolan(makeTempHome(), ['statos']);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean status?');
    expect(err).toMatch(/Next, type:\n {2}portolan --help\n$/);
  });

  it('says that a home that is a file is no folder', async () => {
    const { code, err } = await portolan(makeTempHome(), ['--home', '/etc/passwd', 'status']);
    expect(code).toBe(3);
    expect(err).toContain('not a folder');
    expect(err).not.toContain('at ');
  });

  it('shows help with examples and exit codes, and each command its own examples', async () => {
    const help = await portolan(makeTempHome(), ['--help']);
    expect(help.code).toBe(0);
    expect(help.out).toContain('$ portolan send main "hi" --wait');
    expect(help.out).toContain('3 host not running');
    const send = await portolan(makeTempHome(), ['send', '--help']);
    expect(send.out).toContain('$ git log -5 | portolan send main --wait');
    expect(send.out).toContain('--json');
    const url = await portolan(makeTempHome(), ['url', '--help']);
    expect(url.out).toContain('$ xdg-open "$(portolan url)"');
  });

  it('that lacks a word or has too many is told the words, in JSON too', async () => {
    const people = await portolan(makeTempHome(), ['destinations', 'rename', 'main']);
    expect(people.code).toBe(2);
    expect(people.err).toBe(
      "✗ missing required argument 'name'\n" +
        '  expected: portolan destinations rename [options] <agent> <name> <new-name>\n\n' +
        'Next, type:\n  portolan destinations rename --help\n',
    );
    for (const words of [['agents', 'create'], ['status', 'extra'], ['sessions', '--limit', 'x'], ['statos']]) {
      const { code, out, err } = await portolan(makeTempHome(), [...words, '--json']);
      expect([code, out]).toEqual([2, '']);
      expect(JSON.parse(err)).toMatchObject({ error: { code: 'usage', next: expect.stringMatching(/--help$/) } });
    }
  });

  it.each([
    [['sessions', '--limit', '0'], 'a whole number from 1 to 100000'],
    [['logs', '--level', 'loud'], 'one of trace, debug, info'],
    [['sessions', '--state', 'happy'], 'one of running, starting'],
    [['chat', '--agent', 'a', '--session', 'b'], 'cannot be used with'],
    [['trace'], "missing required argument 'message'"],
    [['status', 'extra'], 'too many arguments'],
    [['send', 'main'], 'text on stdin'],
  ])('refuses bad input %j, saying what was expected', async (words, expected) => {
    const { code, err } = await portolan(makeTempHome(), words);
    expect(code).toBe(2);
    expect(err).toContain(expected);
  });

  it('ends with 3 without a host, and says how to start one', async () => {
    const { code, out, err } = await portolan(makeTempHome(), ['status']);
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(err).toContain('The host is not running');
    expect(err).toContain('npm run up');
  });

  it('ends with 3 when the socket is left over from a host that died', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    await host.stop();
    const { code } = await portolan(paths, ['status']);
    expect(code).toBe(3);
  });

  it('tells errors as one JSON document on stderr with --json', async () => {
    const { code, out, err } = await portolan(makeTempHome(), ['sessions', '--json']);
    expect(code).toBe(3);
    expect(out).toBe('');
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'host_not_running', next: 'npm run up' } });
  });

  it('names the home in what to type next, when it is not the default', async () => {
    const paths = makeTempHome();
    await FakeHost.start(paths);
    const { err } = await portolan(paths, ['trace', 'nothing']);
    expect(err).toContain(`portolan --home ${paths.home} `);
    const doctor = await portolan(makeTempHome(), ['doctor']);
    expect(doctor.out).toMatch(/PORTOLAN_HOME=\S+ npm run up/);
  });

  it('takes the home from --home before PORTOLAN_HOME', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addAgent('main');
    const { code, out } = await portolan(makeTempHome(), ['agents', '--home', paths.home]);
    expect(code).toBe(0);
    expect(out).toContain('main');
  });
});

describe('lists', () => {
  it('are aligned tables with relative times for people', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const agent = host.addAgent('main');
    host.addSession(agent, { title: 'Trip to Lisbon', lastActiveAt: Date.now() - 3 * 3_600_000 });
    const author = { id: agent.id, name: 'main' };
    const lastMessage = {
      text: '## Tide\n**high** water at `17:42`, a_b 2 * 3',
      at: 1,
      direction: 'out' as const,
      author,
    };
    host.addSession(agent, { state: 'running', channelType: 'web', lastMessage });
    const { out } = await portolan(paths, ['sessions']);
    const [header = '', first = '', second = ''] = out.split('\n');
    expect(first).toContain('3h ago');
    expect(first.indexOf('Trip to Lisbon')).toBe(header.indexOf('ABOUT'));
    expect(second.indexOf('running')).toBe(header.indexOf('STATE'));
    expect(second).toContain('Tide high water at 17:42, a_b 2 * 3');
    expect(out).not.toContain(ESCAPE);
  });

  it('never get wider than the screen, and are not cut in a pipe', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const title = 'A very long title '.repeat(10).trim();
    host.addSession(host.addAgent('main'), { title });
    const narrow = await portolan(paths, ['sessions'], { columns: 72 });
    for (const line of narrow.out.split('\n')) expect(line.length).toBeLessThanOrEqual(72);
    expect(narrow.out).toContain('…');
    const piped = await portolan(paths, ['sessions']);
    expect(piped.out).toContain(title);
  });

  it('are coloured only when the terminal wants it', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addSession(host.addAgent('main'), { state: 'failed' });
    expect((await portolan(paths, ['sessions'], { columns: 100, colour: true })).out).toContain(`${ESCAPE}[31mfailed`);
    const plain = await portolan(paths, ['sessions', '--no-color'], { columns: 100, colour: true });
    expect(plain.out).not.toContain(ESCAPE);
  });

  it('show nothing that could steer the terminal, neither as tables nor as JSON', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addSession(host.addAgent('main'), { title: `x${ESCAPE}]0;owned\u0007\u009b31m\u202egnp.exe` });
    const table = await portolan(paths, ['sessions']);
    const json = await portolan(paths, ['sessions', '--json']);
    for (const { out } of [table, json]) {
      expect([...out].filter(isUnsafe)).toEqual([]);
    }
    expect(JSON.parse(json.out).items[0].title).toContain('\u202e');
  });

  it('print the page of the API as one JSON document, over as many pages as the limit takes', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const agent = host.addAgent('main');
    for (let at = 0; at < 450; at++) host.addSession(agent);
    const all = JSON.parse((await portolan(paths, ['sessions', '--json', '--limit', '1000'])).out);
    expect(all.items).toHaveLength(450);
    expect(all.nextCursor).toBeNull();
    const some = JSON.parse((await portolan(paths, ['sessions', '--json', '--limit', '3'])).out);
    expect(some.items).toHaveLength(3);
    expect(some.nextCursor).not.toBeNull();
  });

  it('filter sessions by the name of an agent, and say which agents there are when it is wrong', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.addSession(host.addAgent('main'), { title: 'of main' });
    host.addSession(host.addAgent('helper'), { title: 'of helper' });
    const { out } = await portolan(paths, ['sessions', '--agent', 'helper']);
    expect(out).toContain('of helper');
    expect(out).not.toContain('of main');
    const wrong = await portolan(paths, ['sessions', '--agent', 'hlper']);
    expect(wrong.code).toBe(4);
    expect(wrong.err).toContain('one of main, helper');
  });

  it('say what to do when there is nothing', async () => {
    const paths = makeTempHome();
    await FakeHost.start(paths);
    expect((await portolan(paths, ['sessions'])).out).toContain('portolan chat');
    expect((await portolan(paths, ['dropped'])).out).toContain('Nothing was dropped');
  });
});

describe('status, url, release, trace and stop', () => {
  it('status counts deliveries that are overdue, and sessions says when one tries again', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.queue = { waiting: 0, deliveries: 3, overdue: 2 };
    host.addSession(host.addAgent('main'), { state: 'waiting', triesAgainAt: Date.now() + 30_000 });
    expect((await portolan(paths, ['status'])).out).toContain('3 under way, 2 for more than a minute');
    expect((await portolan(paths, ['sessions'])).out).toMatch(/waiting, again in \d+s/);
  });

  it('status counts the ways out of containers, and says when one is missing', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    expect((await portolan(paths, ['status'])).out).toMatch(/Way out +no container needs one/);
    host.gateway = { sockets: 2, missing: 1, connections: 5, open: 3, unrecorded: 4 };
    const { out } = await portolan(paths, ['status']);
    expect(out).toContain(
      '1 container has none; 2 containers have one, 3 requests on the way; 4 requests are in no log',
    );
  });

  it('status says how it is and what it does', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    host.engine = { ok: false, detail: 'the engine is away' };
    const { code, out } = await portolan(paths, ['status']);
    expect(code).toBe(0);
    expect(out).toContain('started 1m ago');
    expect(out).toContain('docker does not answer (the engine is away)');
    expect(out).toContain('2 running');
    expect(JSON.parse((await portolan(paths, ['status', '--json'])).out)).toMatchObject({ driver: 'docker' });
  });

  it('url prints the link alone on stdout', async () => {
    const paths = makeTempHome();
    await FakeHost.start(paths);
    const { out, err } = await portolan(paths, ['url']);
    expect(out).toBe('http://127.0.0.1:4180/#token=abc\n');
    expect(err).toContain('Signs in once');
  });

  it('release finds a session by the end of its id, and ends with 5 when the host refuses', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'), { state: 'quarantined' });
    const short = session.id.slice(-6);
    expect((await portolan(paths, ['release', short])).out).toContain(`Released: ${session.id}`);
    const again = await portolan(paths, ['release', short]);
    expect(again.code).toBe(5);
    expect(again.err).toContain('The session is not held.');
  });

  it('a part of an id that two sessions have is refused, naming both', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const agent = host.addAgent('main');
    const [a, b] = [host.addSession(agent), host.addSession(agent)];
    const { code, err } = await portolan(paths, ['release', 'ses']);
    expect(code).toBe(2);
    expect(err).toContain(a.id);
    expect(err).toContain(b.id);
  });

  it('trace draws every stage with the missing ones, of the message or else of each reply', async () => {
    const paths = makeTempHome();
    const host = await FakeHost.start(paths);
    const session = host.addSession(host.addAgent('main'));
    const message = host.addMessage(session, { text: 'hello' });
    const at = Date.now();
    const stages: schemas.Trace['stages'] = [
      { stage: 'received', at, sincePreviousMs: null },
      { stage: 'committed', at: at + 1.5, sincePreviousMs: 1.5 },
      { stage: 'claimed', at: at + 301.5, sincePreviousMs: 300 },
    ];
    host.trace = { stages, replies: [] };
    const { out } = await portolan(paths, ['trace', 'last']);
    expect(out).toContain(message.id);
    expect(out).toMatch(/claimed +302 ms +█+ +\+300 ms/);
    expect(out).toMatch(/provider_started +–/);
    host.trace.replies = [{ id: 'msg_reply', destination: 'family', stages }];
    const answered = await portolan(paths, ['trace', message.id.slice(-6)]);
    expect(answered.out).toContain('reply msg_reply → family');
    expect(answered.out.match(/claimed/g)).toHaveLength(1);
    const json = JSON.parse((await portolan(paths, ['trace', message.id, '--json'])).out);
    expect(json.stages).toHaveLength(3);
  });

  it('stop returns when nobody listens any more, and ends with 3 when nobody did', async () => {
    const paths = makeTempHome();
    await FakeHost.start(paths);
    const stopped = await portolan(paths, ['stop']);
    expect(stopped.code).toBe(0);
    expect(stopped.out).toContain('has stopped');
    expect((await portolan(paths, ['stop'])).code).toBe(3);
  });
});
