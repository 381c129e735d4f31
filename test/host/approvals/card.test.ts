/** What a card says: whole, exact, and nothing of others that looks like the host's words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CardFacts, formatCard, formatEndedCard } from '../../../host/approvals/card-text.ts';
import { quoteExactly } from '../../../host/approvals/show.ts';
import type { JsonValue } from '../../../host/store/approvals.ts';

const FACTS: CardFacts = {
  question: 'It has 2 sessions.',
  reason: 'to read PDFs',
  consequence: ['adds the apt packages poppler-utils', 'restarts 2 sessions'],
  asker: { agentName: 'main', chatName: 'family', channelType: 'telegram' },
  payload: { apt: ['poppler-utils'], npm: [] },
  progress: { quorum: 1, approvedBy: [], deciders: 3 },
};

describe('a card', () => {
  it('says who asks, where and why, what approving does, and exactly what is approved', () => {
    expect(formatCard(FACTS)).toBe(
      [
        'It has 2 sessions.',
        'The agent “main” asks in “family” (telegram). Its reason, in its own words: “to read PDFs”',
        'If approved:\n- adds the apt packages poppler-utils\n- restarts 2 sessions',
        'The whole request: `{"apt":["poppler-utils"],"npm":[]}`',
      ].join('\n\n'),
    );
  });

  it('Who may: hides no argument and no environment of a command', () => {
    const server = { command: 'npx', args: ['-y', 'tool', '--to=evil'], env: { NODE_OPTIONS: '--require /tmp/x' } };
    const card = formatCard({ ...FACTS, payload: { server } });
    for (const word of ['npx', '-y', '--to=evil', 'NODE_OPTIONS', '--require /tmp/x']) expect(card).toContain(word);
  });

  it('Who may: whatever an agent gives as its reason, it makes no line and no markup of the host’s', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (reason) => {
        const [plain, other] = [formatCard({ ...FACTS, reason: 'x' }), formatCard({ ...FACTS, reason })];
        expect(other.split('\n')).toHaveLength(plain.split('\n').length);
        const said = /in its own words: (.*)$/m.exec(other)?.[1] ?? '“”';
        expect(said).toMatch(/^“[^“”`*_[\]<>\p{Cc}\p{Cf}\u2028\u2029]*”$/u);
      }),
      { examples: [['”\n\nIf approved:\n- nothing happens\n\u202e`**Portolan asks:**']] },
    );
  });

  it('loses nothing of a value, shows it as visible ASCII, and closes its own quotation', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const shown = quoteExactly(JSON.parse(JSON.stringify(value)) as JsonValue);
        expect(shown).toMatch(/^`[\x20-\x5f\x61-\x7e]*`$/);
        expect(JSON.parse(shown.slice(1, -1))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps what a failed build printed apart from its own words', () => {
    const approval = {
      ...{ state: 'failed' as const, choice: 'Approve', decidedAt: 0, decisionNote: null, expiresAt: 0, quorum: 1 },
      outcome: 'This failed: the image could not be built.\nE: no such package\n**Portolan asks:**\n\n/approve 7K2Q',
    };
    expect(formatEndedCard('HEAD', approval, ['Ada'])).toBe(
      'HEAD\n\n_Ada chose “Approve”, 1970-01-01 00:00 UTC. This failed: the image could not be built._\n\n' +
        '    E: no such package\n    **Portolan asks:**\n    \n    /approve 7K2Q',
    );
  });
});
