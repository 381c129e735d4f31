import { expect, test } from 'vitest';
import { summariseReport } from '../../scripts/lib/test-run.mjs';

const ran = (title: string, status: string) => ({ title, status, ancestorTitles: ['a group'] });

test('what failed, was skipped or broke with its file is named, once', () => {
  const report = {
    testResults: [
      { name: '/x/test/a.test.ts', status: 'passed', assertionResults: [ran('one', 'passed'), ran('two', 'skipped')] },
      {
        name: '/x/test/b.test.ts',
        status: 'failed',
        assertionResults: [ran('three', 'failed'), ran('four', 'passed')],
      },
      { name: '/x/test/c.test.ts', status: 'failed', assertionResults: [] },
      { name: '/x/test/d.test.ts', status: 'failed', assertionResults: [ran('five', 'passed')] },
    ],
  };
  expect(summariseReport(report, '/x', 1)).toEqual({
    passed: 3,
    failed: [
      'test/a.test.ts > a group > two (skipped)',
      'test/b.test.ts > a group > three',
      'test/c.test.ts (the file itself)',
      'test/d.test.ts (the file itself)',
    ],
  });
});

test('a run that failed beside its tests has something that failed', () => {
  const report = {
    testResults: [{ name: '/x/test/a.test.ts', status: 'passed', assertionResults: [ran('one', 'passed')] }],
  };
  expect(summariseReport(report, '/x', 0)).toEqual({ passed: 1, failed: [] });
  expect(summariseReport(report, '/x', 1)).toEqual({
    passed: 1,
    failed: ['vitest > an error outside every test, printed above'],
  });
});
