/** The log of a real build, followed in a real browser: Docker, npm's registry, and a package that is not there. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ImageEngine } from '../../host/images/engine.ts';
import { parseId } from '../../shared/ids.ts';
import { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage, launchChromium } from './console-page.ts';

/** A build with a download, on a busy machine. */
const BUILD_MS = 180_000;

const statusSchema = z.object({ installId: z.string() });
const listSchema = z.object({ items: z.array(z.object({ id: z.string() })) });

describe('a build of an agent’s image', { timeout: 2 * BUILD_MS }, () => {
  let host: BuiltHost;
  let browser: Browser;
  let owner: ConsolePage;
  let engine: ImageEngine;

  beforeAll(async () => {
    host = await BuiltHost.make('docker');
    const link = await host.start();
    const installId = parseId('install', statusSchema.parse(await askHost(host, '/status', 'GET')).installId);
    if (installId === null) throw new Error('the host says no install id');
    engine = new ImageEngine(installId);
    browser = await launchChromium();
    owner = await ConsolePage.open(browser);
    await owner.signIn(link);
    await owner.composer.waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.dispose();
    await engine?.removeLeftContainers();
    for (const { names, id } of (await engine?.listOwn()) ?? []) {
      for (const name of names.length > 0 ? names : [id]) await engine.remove(name);
    }
  });

  /** Has the agent ask, and opens the approval's page. */
  async function request(words: string) {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.say(words);
    await owner.pages.getByText('waiting').waitFor({ state: 'attached' });
    await owner.goTo('Approvals');
  }

  const approve = () => owner.page.getByRole('button', { name: /^Approve/ }).click();
  const log = () => owner.page.getByRole('log');

  test('is followed line by line while it runs, below its approval, and can be read afterwards', async () => {
    await request('install npm semver because versions matter');
    await owner.page.getByText(/image rebuild/).waitFor();
    await approve();
    await owner.page.getByRole('region', { name: 'Being carried out' }).waitFor();
    await expect.poll(() => log().textContent(), { timeout: BUILD_MS }).toMatch(/npm/);
    await owner.picture('build-log');
    const done = owner.page.locator('article[data-state="applied"]');
    await done.waitFor({ timeout: BUILD_MS });
    await done.getByText('The build’s log').click();
    await expect.poll(() => log().textContent()).toMatch(/semver/);
  });

  test('that failed says so with its last lines, at the approval and at the agent', async () => {
    await request('install apt no-such-package-anywhere');
    await approve();
    const failed = owner.page.locator('article[data-state="failed"]');
    await failed.getByText(/Unable to locate package/).waitFor({ timeout: BUILD_MS });
    const main = listSchema.parse(await askHost(host, '/agents', 'GET')).items[0]?.id;
    await owner.page.goto(`${host.origin}/agents/${main}`);
    const build = owner.page.locator('[data-build][data-state="failed"]');
    await build
      .getByText(/Unable to locate package/)
      .first()
      .waitFor();
    await build.getByText('The build’s log').click();
    await expect.poll(() => log().textContent()).toContain('no-such-package-anywhere');
    await owner.page.locator('[data-build][data-state="built"]').getByText('npm: semver').waitFor();
    await owner.picture('builds-desktop');
    expect(owner.complaints).toEqual([]);
  });
});
