import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandsFor, projectRoot } from '../../../host/config/home.ts';
import { readPolicy } from '../../../host/config/policy.ts';

describe('settings', () => {
  it('have defaults, and are taken from the environment', () => {
    expect(readPolicy({})).toMatchObject({ port: 4180, driver: 'docker', home: join(projectRoot(), 'data') });
    expect(readPolicy({ PORTOLAN_PORT: '0', PORTOLAN_DRIVER: 'process' })).toMatchObject({
      port: 0,
      driver: 'process',
    });
    expect(readPolicy({}).mounts).toBe(join(homedir(), '.config', 'portolan', 'mounts.json'));
    expect(readPolicy({ PORTOLAN_MOUNTS: '/srv/mounts.json' }).mounts).toBe('/srv/mounts.json');
  });

  it.each([
    ['PORTOLAN_PORT', 'abc', 'PORTOLAN_PORT is "abc": expected a whole number from 0 to 65535'],
    ['PORTOLAN_PORT', '', 'expected a whole number from 0 to 65535'],
    ['PORTOLAN_PORT', '-1', 'expected a whole number from 0 to 65535'],
    ['PORTOLAN_PORT', '70000', 'expected a whole number from 0 to 65535'],
    ['PORTOLAN_MAX_RUNNING', '0', 'expected a whole number from 1 to 10000'],
    ['PORTOLAN_DRIVER', 'podman', 'expected docker or process'],
    ['PORTOLAN_LOG_LEVEL', 'loud', 'expected trace, debug, info, warn, error, fatal or silent'],
  ])('%s=%j is refused, saying what is expected', (name, value, expected) => {
    expect(() => readPolicy({ [name]: value })).toThrow(expected);
  });
});

it('a setting that is a secret is refused without being shown', () => {
  const refusal = () => readPolicy({ PORTOLAN_VAULT_KEY: 'hunter2' });
  expect(refusal).toThrow('PORTOLAN_VAULT_KEY is "(not shown)": expected a key of 32 bytes in base64 or hex');
  expect(refusal).not.toThrow('hunter2');
});

describe('commands in hints', () => {
  it('name the home when it is not the default', () => {
    expect(commandsFor(join(projectRoot(), 'data'), 'npx portolan url')).toBe('npx portolan url');
    expect(commandsFor('/srv/p', 'npx portolan url')).toBe('npx portolan --home /srv/p url');
    expect(commandsFor('/srv/my $& p', 'npx portolan stop')).toBe("npx portolan --home '/srv/my $& p' stop");
    expect(commandsFor('/srv/p', 'portolan stop; portolan logs')).toBe(
      'portolan --home /srv/p stop; portolan --home /srv/p logs',
    );
    expect(commandsFor('/srv/p', 'See `npx portolan doctor`.')).toBe('See `npx portolan --home /srv/p doctor`.');
    for (const done of ['run portolan as the user', 'npx portolan --home /srv/p url']) {
      expect(commandsFor('/srv/p', done)).toBe(done);
    }
    expect(commandsFor('/srv/p', 'PORTOLAN_PORT=4301 npm run up')).toBe(
      'PORTOLAN_HOME=/srv/p PORTOLAN_PORT=4301 npm run up',
    );
  });
});
