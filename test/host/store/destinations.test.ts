/** Names of destinations, through renames. */
import { expect, test } from 'vitest';
import { Charts } from '../../../host/sessions/chart.ts';
import { type DestinationRow, MAX_FORMER_NAMES } from '../../../host/store/destinations.ts';
import { chartSchema } from '../../../shared/protocol.ts';
import { Spine } from '../../support/spine.ts';

function setUp() {
  const spine = new Spine();
  const agent = spine.addAgent('main');
  const chats = ['family', 'work', 'club'].map((name) =>
    spine.chats.ensure({ channelType: 'telegram', platformId: name, name, now: 1 }),
  );
  const add = (localName: string, at = 0) =>
    spine.destinations.add({
      agentGroupId: agent.id,
      localName,
      targetType: 'channel',
      targetId: chats[at]?.id ?? '',
      now: 1,
    });
  const rename = (row: DestinationRow | null, localName: string, now = 2) => {
    const current = row === null ? null : spine.destinations.get(row.id);
    if (current === null) throw new Error('no such destination');
    return spine.destinations.rename(current.id, current.revision, localName, now);
  };
  const find = (name: string) => spine.destinations.find(agent.id, name)?.id ?? null;
  return { spine, agent, add, rename, find, chats };
}

test('a destination is found under its former names, after any number of renames', () => {
  const { add, rename, find } = setUp();
  const row = add('family');
  rename(row, 'relatives', 2);
  rename(row, 'kin', 3);
  expect([find('family'), find('relatives'), find('kin')]).toEqual([row?.id, row?.id, row?.id]);
  expect(find('cousins')).toBeNull();
});

test('a former name is another agent’s business alone', () => {
  const { spine, add, rename } = setUp();
  rename(add('family'), 'kin');
  const other = spine.addAgent('other');
  expect(spine.destinations.find(other.id, 'family')).toBeNull();
});

test('a name that is given to another destination stops finding the one that had it', () => {
  const { add, rename, find, spine, agent } = setUp();
  const first = add('family');
  rename(first, 'kin');
  const second = add('family', 1);
  expect(find('family')).toBe(second?.id);
  const third = add('club', 2);
  rename(second, 'office');
  rename(third, 'family');
  expect(find('family')).toBe(third?.id);
  expect(spine.destinations.listFormerNames(agent.id).get(second?.id ?? '')).toBeUndefined();
});

test('a name that is given up again by its new owner does not go back to the one before', () => {
  const { add, rename, find, spine } = setUp();
  rename(add('family'), 'kin');
  const second = add('family', 1);
  spine.destinations.remove(second?.id ?? '', 1);
  expect(find('family')).toBeNull();
});

test('a destination may take its own former name back', () => {
  const { add, rename, find } = setUp();
  const row = add('family');
  rename(row, 'kin', 2);
  expect(rename(row, 'family', 3)).toMatchObject({ localName: 'family' });
  expect([find('family'), find('kin')]).toEqual([row?.id, row?.id]);
});

test('removal of a destination removes its former names: the next send is refused', () => {
  const { spine, add, rename, find } = setUp();
  const row = add('family');
  rename(row, 'kin');
  expect(spine.destinations.remove(row?.id ?? '', 2)).toBe(true);
  expect([find('family'), find('kin')]).toEqual([null, null]);
});

test('a name that the host makes up is one that no destination had (wrong place: a reply under way goes to another chat)', () => {
  const { spine, agent, add, rename, find, chats } = setUp();
  const row = add('family');
  rename(row, 'kin');
  const made = spine.destinations.ensureFor({
    agentGroupId: agent.id,
    wanted: 'Family',
    targetType: 'channel',
    targetId: chats[1]?.id ?? '',
    now: 3,
  });
  expect(made.localName).toBe('family-2');
  expect(find('family')).toBe(row?.id);
});

test('a rename to the name it has changes nothing, and one to a taken name is refused', () => {
  const { add, rename } = setUp();
  const row = add('family');
  add('work', 1);
  expect(rename(row, 'family')).toMatchObject({ revision: 1 });
  expect(rename(row, 'work')).toBe('taken');
});

test('the chart names the newest former names, and stays small', () => {
  const { spine, agent, add, rename } = setUp();
  const row = add('n0');
  for (let n = 1; n <= MAX_FORMER_NAMES + 5; n++) rename(row, `n${n}`, n);
  const charts = new Charts(
    spine.agents,
    spine.chats,
    spine.destinations,
    () => ({ canEdit: false, canReact: false }),
    () => null,
  );
  const chart = chartSchema.parse(charts.build(agent.id));
  expect(chart.destinations).toHaveLength(1);
  expect(chart.destinations[0]?.formerNames).toHaveLength(MAX_FORMER_NAMES);
  expect(chart.destinations[0]?.formerNames.slice(0, 2)).toEqual(['n24', 'n23']);
  expect(spine.destinations.find(agent.id, 'n0')).toBeNull();
});
