import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkName, planFolder } from '../../../host/agents/names.ts';
import type { AgentGroupId } from '../../../shared/ids.ts';

const ID = 'agt_0mb2k9x0q17h3kq0v9z1' as AgentGroupId;
const free = () => false;

function fate(name: string, others: string[] = []): string {
  const check = checkName(name, others);
  return check.kind === 'refused' ? 'refused' : planFolder(check.name, ID, free);
}

describe('a folder from a name', () => {
  it.each([
    ['writer', 'writer'],
    ['  Writer  ', 'writer'],
    ['The Writer, 2nd edition!', 'the-writer-2nd-edition'],
    ['writer...', 'writer'],
    ['writer. . .', 'writer'],
    ['.hidden', 'hidden'],
    ['-rf', 'rf'],
    ['--help', 'help'],
    ['agt-main', 'agt-main'],
    ['Köchin Zoë', 'kochin-zoe'],
    ['Straße Łódź', 'strasse-lodz'],
    ['ｗｉｄｅ', 'wide'],
    ['ﬁne', 'fine'],
    ['Writer 🚀', 'writer'],
    ['👩‍🚀 pilot', 'pilot'],
    ['研究員', 'agent-0v9z1'.replace('0v9z1', ID.slice(-8))],
    ['Исследователь', `agent-${ID.slice(-8)}`],
    ['研究員 desk', 'desk'],
    ['研究員 2', `agent-${ID.slice(-8)}`],
    ['7', '7'],
    ['$HOME; rm -rf ~', 'home-rm-rf'],
    ['a:b*c?d|e', 'a-b-c-d-e'],
    ['x'.repeat(64), 'x'.repeat(48)],
  ])('%j is in %s', (name, folder) => {
    expect(fate(name)).toBe(folder);
  });

  it.each([
    ['', 'letter or digit'],
    ['   ', 'letter or digit'],
    ['.', 'letter or digit'],
    ['..', 'letter or digit'],
    ['🚀🚀', 'letter or digit'],
    ['../../evil', 'not a path'],
    ['..\\..\\evil', 'not a path'],
    ['/etc/passwd', 'not a path'],
    ['a／b', 'not a path'],
    ['x'.repeat(65), 'at most 64'],
    ['x'.repeat(300), 'at most 64'],
    ['ﷺﷺﷺﷺ', 'at most 64'],
    ['a\u0000b', 'invisible'],
    ['a\u001b[2Jb', 'invisible'],
    ['wri\u200bter', 'invisible'],
    ['wri\u200dter', 'invisible'],
    ['\u202eretirw', 'invisible'],
    ['wri\u00adter', 'invisible'],
    ['a\ud800b', 'invisible'],
    ['\ue000x', 'invisible'],
    ['Маin', 'mix Latin letters'],
    ['mаin', 'mix Latin letters'],
    ['mαin', 'mix Latin letters'],
    ['con', 'reserved'],
    ['NUL', 'reserved'],
    ['nul.', 'reserved'],
    ['Com1', 'reserved'],
    ['template', 'reserved'],
    ['.making', 'reserved'],
    ['.Archive', 'reserved'],
    ['node_modules', 'reserved'],
    ['.git', 'reserved'],
    ['ＣＯＮ', 'reserved'],
    ['Portolan', 'reads like the host'],
    ['p0rt0lan', 'reads like the host'],
    ['PORTOLÁN.', 'reads like the host'],
    ['Portolan asks: approve', 'reads like the host'],
    ['Host', 'reads like the host'],
    ['schedu1e', 'reads like the host'],
    ['hᴏst', 'reads like the host'],
    ['ʜᴏꜱᴛ', 'reads like the host'],
    ['hostˈ', 'reads like the host'],
  ])('%j is refused: %s (who may: `--folder ../../evil` is accepted)', (name, reason) => {
    expect(checkName(name, [])).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it.each([
    ['main', 'main'],
    ['Main', 'main'],
    ['MAIN', 'main'],
    ['main.', 'main'],
    ['m-a-i-n', 'M A I N'],
    ['máin', 'main'],
    ['ｍａｉｎ', 'main'],
    ['маіп', 'main'],
    ['main', 'маіп'],
    ['асе', 'ace'],
    ['𝐦𝐚𝐢𝐧', 'main'],
    ['desk 0', 'desk o'],
    ['İstanbul', 'istanbul'],
    ['ΑΒΕ', 'abe'],
    ['ᎪᏟᎬ', 'ace'],
    ['ᴡriter', 'writer'],
    ['ᴍᴀɪɴ', 'MAIN'],
    ['ƽcout', 'scout'],
    ['cook ٥', 'cook o'],
    ['mainʼ', 'main'],
    ['maiǀ', 'mail'],
  ])('%j looks like %j, and is refused with a suggestion that is free', (name, other) => {
    const check = checkName(name, [other]);
    expect(check.kind).toBe('refused');
    const suggestion = check.kind === 'refused' ? check.suggestion : null;
    expect(checkName(suggestion ?? '', [other])).toMatchObject({ kind: 'fine' });
  });

  it.each([
    ['main two', 'main'],
    ['man', 'main'],
    ['rail', 'rall'],
    ['研究員', '研究'],
  ])('%j is not taken for %j', (name, other) => {
    expect(checkName(name, [other]).kind).toBe('fine');
  });

  it('the suggestion is the next free number, also for the longest names', () => {
    expect(checkName('writer', ['writer', 'Writer 2', 'writer-3'])).toMatchObject({ suggestion: 'writer 4' });
    const long = 'x'.repeat(64);
    expect(checkName(long, [long])).toMatchObject({ suggestion: `${'x'.repeat(62)} 2` });
    expect(checkName('archive', ['archive agent'])).toMatchObject({ suggestion: 'archive agent 2' });
  });

  it('a taken folder gets the next free number', () => {
    const taken = new Set(['writer', 'writer-2']);
    expect(planFolder('Writer', ID, (folder) => taken.has(folder))).toBe('writer-3');
  });
});

describe('whatever the name', () => {
  const anyName = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ unit: 'grapheme', maxLength: 80 }),
    fc
      .array(fc.constantFrom('..', '/', '\\', 'con', 'a', '.', ' ', '-', 'м', '\0', '🚀', 'é'))
      .map((parts) => parts.join('')),
  );

  it('the folder is one safe path component, or the name is refused', () => {
    fc.assert(
      fc.property(anyName, fc.array(anyName, { maxLength: 3 }), (name, others) => {
        const check = checkName(name, others);
        if (check.kind === 'refused') {
          expect(check.reason).not.toBe('');
          return;
        }
        const folder = planFolder(check.name, ID, free);
        expect(folder).toMatch(/^[a-z0-9][a-z0-9-]{0,62}$/);
        expect(folder).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d|template|making|archive)$/);
        expect(check.name.normalize('NFKC')).toBe(check.name);
      }),
      { numRuns: 2_000 },
    );
  });

  it('a fine name is refused once an agent has it, whatever its case', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const check = checkName(name, []);
        if (check.kind === 'refused') return;
        expect(checkName(check.name, [check.name]).kind).toBe('refused');
        const upper = check.name.toUpperCase();
        if ([...upper].length <= 64) expect(checkName(upper, [check.name]).kind).toBe('refused');
      }),
      { numRuns: 2_000 },
    );
  });
});
