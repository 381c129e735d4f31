import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type EngineFacts, planEngine } from '../../scripts/lib/engine-plan.mjs';

/** A fresh Debian machine, as root, without systemd and without Docker. */
const FRESH: EngineFacts = {
  state: 'absent',
  problem: 'connect ENOENT',
  chosen: false,
  address: 'unix:///var/run/docker.sock',
  isRoot: true,
  isDebianLike: true,
  hasDockerd: false,
  hasSystemd: false,
  user: 'sailor',
  platform: 'linux',
  tried: [],
};

const TABLE: [name: string, facts: Partial<EngineFacts>, kind: string][] = [
  ['an engine that answers is used', { state: 'answers' }, 'use'],
  ['an installed one is started by its service', { hasDockerd: true, hasSystemd: true }, 'start-service'],
  ['without systemd dockerd is started directly', { hasDockerd: true }, 'start-dockerd'],
  ['root on Debian or Ubuntu installs it', {}, 'install'],
  ['after installing it is started', { hasDockerd: true, tried: ['install'] }, 'start-dockerd'],
  ['what was tried is not tried again', { hasDockerd: true, tried: ['start-dockerd'] }, 'explain'],
  ['an installation that brought no dockerd is not repeated', { tried: ['install'] }, 'explain'],
  ['another distribution gets the commands', { isDebianLike: false }, 'explain'],
  ['a user gets the commands', { isRoot: false }, 'explain'],
  ['a user is told how to start an installed one', { isRoot: false, hasDockerd: true }, 'explain'],
  ['an engine chosen by DOCKER_HOST is never replaced by another', { chosen: true, hasDockerd: true }, 'explain'],
];

test.each(TABLE)('%s', (_name, facts, kind) => {
  expect(planEngine({ ...FRESH, ...facts }).kind).toBe(kind);
});

test('a socket that may not be used names the group and the exact command', () => {
  const plan = planEngine({ ...FRESH, state: 'forbidden', isRoot: false, hasDockerd: true });
  expect(plan).toMatchObject({
    kind: 'explain',
    next: ['sudo usermod -aG docker sailor', 'newgrp docker', 'npm run up'],
  });
});

const anyFacts: fc.Arbitrary<EngineFacts> = fc.record({
  state: fc.constantFrom('answers', 'absent', 'refused', 'forbidden'),
  problem: fc.constant('a problem'),
  chosen: fc.boolean(),
  address: fc.constant('unix:///var/run/docker.sock'),
  isRoot: fc.boolean(),
  isDebianLike: fc.boolean(),
  hasDockerd: fc.boolean(),
  hasSystemd: fc.boolean(),
  user: fc.constant('sailor'),
  platform: fc.constantFrom('linux', 'darwin'),
  tried: fc.subarray(['install', 'start-service', 'start-dockerd']),
});

test('only root changes the machine, no step is taken twice, and every explanation says what to type', () => {
  fc.assert(
    fc.property(anyFacts, (facts) => {
      const plan = planEngine(facts);
      if (plan.kind === 'explain') return plan.what !== '' && plan.next.length > 0;
      return plan.kind === 'use' ? facts.state === 'answers' : facts.isRoot && !facts.tried.includes(plan.kind);
    }),
  );
});
