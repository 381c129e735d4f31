import { defineConfig } from 'vitest/config';

/** Suites that start hosts, containers or browsers: one file at a time, after all others. */
const HEAVY = ['test/flows/**', 'test/hostile/**', 'test/crash/**', 'test/browser/**'];

const shared = {
  globalSetup: ['test/support/global-setup.ts'],
  // Too low fails on a busy two-core machine, too high hides a hang for long. Longer than the waits inside a test:
  // these name what did not come.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: HEAVY,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'whole',
          include: HEAVY.map((folder) => `${folder}/*.test.ts`),
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          // Of what a page shows. Vitest's own second is less than a busy machine takes to draw it.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
