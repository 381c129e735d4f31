/**
 * `npm ci` refuses a lockfile that leaves out an optional package, and npm leaves one out when the
 * registry it was written against does not have it. Such an entry is then written by hand, without an
 * integrity: it is for a platform this project does not run on.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { z } from 'zod';

const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() })),
});

function readLock(path: string): z.infer<typeof lockSchema> {
  return lockSchema.parse(JSON.parse(readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')));
}

test.each(['package-lock.json', 'container/package-lock.json'])('%s names every optional package', (path) => {
  const { packages } = readLock(path);
  const named = new Set(Object.keys(packages).map((key) => key.split('node_modules/').at(-1)));
  const missing = Object.values(packages)
    .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    .filter((name) => !named.has(name));
  expect(missing).toEqual([]);
});
