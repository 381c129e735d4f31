import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeOptions } from '../../../container/providers/claude/options.ts';
import { readWhole } from '../../../container/providers/given-file.ts';
import { formatSystem } from '../../../container/providers/openai/instructions.ts';
import type { QueryInput } from '../../../container/providers/provider.ts';
import { MAX_INSTRUCTIONS_BYTES } from '../../../shared/limits.ts';

const GIB = 1024 ** 3;

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-instructions-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Told = Pick<QueryInput, 'session' | 'paths' | 'gateway' | 'messageId' | 'addendum'>;

/** What the models of both providers are told of a folder. */
function tell(folder: string): { claude: string; openai: string } {
  const input = {
    session: { agentName: 'main', model: 'm', effort: null, service: 'anthropic', timezone: 'UTC' },
    paths: { agent: folder, state: folder },
    ...{ gateway: { port: 1 }, messageId: null, addendum: '' },
  } as Told;
  const spawn = () => {
    throw new Error('nothing is started here');
  };
  const { systemPrompt } = makeOptions({ input, resume: null, servers: {}, mark: {}, spawn });
  return { claude: JSON.stringify(systemPrompt), openai: formatSystem(input) };
}

test('instructions of gigabytes are read as far as models get them', () => {
  const folder = makeFolder();
  writeFileSync(join(folder, 'CLAUDE.md'), 'Be brief.');
  writeFileSync(join(folder, 'AGENTS.md'), `Answer in Latin. ${'x'.repeat(MAX_INSTRUCTIONS_BYTES)}`);
  truncateSync(join(folder, 'AGENTS.md'), 3 * GIB);
  for (const told of Object.values(tell(folder))) {
    expect(told).toContain('Answer in Latin.');
    expect(told).toContain(`(cut off here: ${3 * GIB - MAX_INSTRUCTIONS_BYTES} bytes more)`);
    expect(Buffer.byteLength(told)).toBeLessThan(MAX_INSTRUCTIONS_BYTES + 2_000);
  }
});

test('where a file of instructions should be, links in a circle, a pipe and a folder are none', () => {
  const folder = makeFolder();
  symlinkSync('AGENTS.md', join(folder, 'AGENTS.md'));
  writeFileSync(join(folder, 'CLAUDE.md'), 'Be brief.');
  expect(tell(folder).openai).toContain('Be brief.');
  expect(tell(folder).claude).toContain('You are main');
  rmSync(join(folder, 'AGENTS.md'));
  execFileSync('mkfifo', [join(folder, 'AGENTS.md')]);
  expect(tell(folder).openai).toContain('Be brief.');
  expect(tell(folder).claude).not.toContain('<instructions');
  expect(readWhole(join(folder, 'AGENTS.md'), 10)).toBeNull();
  expect(readWhole(folder, 10)).toBeNull();
  expect(readWhole(join(folder, 'CLAUDE.md'), 8)).toBeNull();
  expect(readWhole(join(folder, 'CLAUDE.md'), 9)?.toString()).toBe('Be brief.');
});
