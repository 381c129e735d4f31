/** What somebody new, at the keyboard, is told and keeps, in a real browser against the built host. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage } from './console-page.ts';
import { findMain } from './model-service.ts';
import { OwnerAtPage } from './owner-at-page.ts';

/** The page as it was built, and all styles of its library. */
const ASSETS = new URL('../../dist/web/assets/', import.meta.url).pathname;
const LIBRARY_STYLES = createRequire(import.meta.url).resolve('@mantine/core/styles.css');

const configSchema = z.object({ revision: z.number() });
const linkSchema = z.object({ url: z.string() });

describe('somebody new', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let owner: ConsolePage;
  let main: string;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    ({ host, owner } = atPage);
    main = await findMain(host);
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  const dialog = () => owner.page.getByRole('dialog');

  test('is led from the empty first chat to where a real model is chosen', async () => {
    await owner.page.getByText('It runs on the demo provider').waitFor();
    await owner.page.getByRole('link', { name: 'choose what main thinks with' }).click();
    await owner.page.waitForURL(`**/agents/${main}`);
    await owner.page.getByRole('region', { name: 'Thinks with' }).getByRole('button', { name: 'Change' }).waitFor();
  });

  test('is back where they were when a dialog closes, done or not', async () => {
    const change = owner.page.getByRole('region', { name: 'Thinks with' }).getByRole('button', { name: 'Change' });
    await change.focus();
    await owner.page.keyboard.press('Enter');
    await dialog().getByLabel('Provider').waitFor();
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => change.evaluate((button) => button.matches(':focus'))).toBe(true);

    await owner.page.getByRole('button', { name: 'Set a budget' }).click();
    await dialog().getByRole('textbox').fill('5');
    await owner.page.keyboard.press('Enter');
    await dialog().waitFor({ state: 'detached' });
    await expect
      .poll(() => owner.page.getByRole('button', { name: 'Set a budget' }).evaluate((it) => it.matches(':focus')))
      .toBe(true);
    // What opened it goes with the budget: the focus stays on the page.
    await owner.page.getByRole('button', { name: 'Remove: main, each day' }).click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await dialog().waitFor({ state: 'detached' });
    await owner.page.getByRole('button', { name: 'Remove: main, each day' }).waitFor({ state: 'detached' });
    await expect.poll(() => owner.page.evaluate('document.activeElement === document.body')).toBe(false);
  });

  test('is told at the page what to do about a missing key, and led there', async () => {
    const { revision } = configSchema.parse(await askHost(host, `/agents/${main}/config`, 'GET'));
    const choice = { provider: 'openai', service: 'openrouter', model: 'any/model' };
    await askHost(host, `/agents/${main}/provider`, 'PUT', choice, revision);
    const next = owner.page.getByRole('link', { name: 'Owners set the secret “openrouter” on the page Secrets.' });
    await next.click();
    await owner.page.getByRole('heading', { level: 1, name: 'Secrets' }).waitFor();
    expect(owner.complaints).toEqual([]);
  });

  test('sees every control of the library with its styles', () => {
    const read = (end: string) =>
      readdirSync(ASSETS)
        .filter((name) => name.endsWith(end))
        .map((name) => readFileSync(join(ASSETS, name), 'utf8'))
        .join('\n');
    const listClasses = (text: string) => new Set(text.match(/\bm_[0-9a-f]{6,8}\b/g));
    const styled = listClasses(read('.css'));
    const known = listClasses(readFileSync(LIBRARY_STYLES, 'utf8'));
    const drawn = [...listClasses(read('.js'))].filter((name) => known.has(name));
    expect(drawn.length).toBeGreaterThan(50);
    expect(drawn.filter((name) => !styled.has(name))).toEqual([]);
  });

  test('who only chats fetches no page of admins', async () => {
    await askHost(host, `/people/web:anna/roles/member/${main}`, 'PUT', { name: 'Anna' });
    const { url } = linkSchema.parse(await askHost(host, '/people/web:anna/sign-in-links', 'POST', {}));
    const anna = await ConsolePage.open(atPage.browser);
    const fetched: string[] = [];
    anna.page.on('request', (request) => fetched.push(new URL(request.url()).pathname));
    await anna.signIn(url);
    await anna.page.getByRole('button', { name: 'Chat with main' }).click();
    await anna.composer.waitFor();
    await anna.say('help');
    await anna.mine('help').waitFor();
    expect(fetched.some((path) => path.includes('/assets/index-'))).toBe(true);
    expect(fetched.filter((path) => path.includes('admin-pages'))).toEqual([]);
    await anna.page.context().close();
  });
});
