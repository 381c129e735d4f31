/** The suites that run inside a container: see `test/container/providers/claude.test.ts`. No Docker, no network, no build. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  cacheDir: '/tmp/vite',
  test: {
    include: ['test/contracts/inside/*.inside.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
