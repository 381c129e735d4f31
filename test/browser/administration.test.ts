/** Agents, people and the ledger in a real browser against the built host. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const listSchema = z.object({ items: z.array(z.object({ id: z.string() })) });
const configSchema = z.object({ revision: z.number(), timezone: z.string() });

describe('an owner', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let browser: Browser;
  let owner: ConsolePage;
  let main: string;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    ({ host, browser, owner } = atPage);
    main = listSchema.parse(await askHost(host, '/agents', 'GET')).items[0]?.id ?? '';
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  const config = async () => configSchema.parse(await askHost(host, `/agents/${main}/config`, 'GET'));
  const dialog = () => owner.page.getByRole('dialog');

  test('reads what an agent is made of and how it came to be, and goes back to an older config', async () => {
    const before = await config();
    await askHost(host, `/agents/${main}/config`, 'PATCH', { timezone: 'Asia/Tokyo', memoryMb: 768 }, before.revision);
    await owner.goTo('Agents');
    await owner.page.getByRole('link', { name: /^main/ }).click();
    await owner.page.getByRole('heading', { level: 1, name: 'main' }).waitFor();
    await owner.page.getByText('768 MB of memory').waitFor();
    await owner.page.locator('[data-revision]').nth(1).waitFor();
    await owner.picture('agent-desktop');
    await owner.page.getByRole('button', { name: `Go back to revision ${before.revision}` }).click();
    await dialog().getByText('Asia/Tokyo').waitFor();
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
    expect((await config()).timezone).toBe('Asia/Tokyo');
    await owner.page.getByRole('button', { name: `Go back to revision ${before.revision}` }).click();
    await dialog().getByRole('button', { name: 'Go back' }).click();
    await owner.page
      .locator(`[data-revision="${before.revision + 2}"]`)
      .getByText('holds now')
      .waitFor();
    expect((await config()).timezone).toBe(before.timezone);
    await owner.page.getByText('default memory').waitFor();
  });

  test('sees an MCP server with its whole command', async () => {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.say('add mcp server tides: UNITS=metric node nothing-there.mjs because of the sea');
    await owner.page.getByRole('button', { name: 'Approve' }).click();
    await owner.page.getByText(/^Owner chose “Approve”/).waitFor();
    await owner.fromAgent(/MCP server tides.*was approved/).waitFor();
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await owner.page.locator('[data-server="tides"]').getByText('UNITS=metric node nothing-there.mjs').waitFor();
  });

  test('adds a person, hands them a link that is shown once, gives and takes roles', async () => {
    await owner.goTo('People');
    await owner.page.getByRole('button', { name: 'Add a person' }).click();
    await dialog().getByLabel('Id').fill('web:anna');
    await dialog().getByLabel('Name').fill('Anna');
    await dialog().getByLabel('Role').selectOption({ label: 'member of main' });
    await dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await dialog()
      .getByText(/#token=/)
      .waitFor();
    const url =
      (await dialog()
        .getByText(/#token=/)
        .textContent()) ?? '';
    await owner.picture('sign-in-link');
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    expect(await owner.page.content()).not.toContain('#token=');

    const anna = await ConsolePage.open(browser);
    await anna.signIn(url);
    expect(await anna.pages.count()).toBe(0);

    const card = owner.page.locator('[data-person="web:anna"]');
    await card.getByRole('button', { name: 'Give Anna a role' }).click();
    await dialog().getByLabel('Role').selectOption({ label: 'admin of main' });
    await dialog().getByRole('button', { name: 'Give' }).click();
    await card.getByText('admin of main').waitFor();
    await owner.picture('people-desktop');
    await anna.page.reload();
    await anna.goTo('People');
    expect(await anna.pages.getByRole('link').allInnerTexts()).toEqual([
      ...['Chats', 'Approvals', 'Agents', 'Usage', 'Egress', 'People'],
    ]);

    await card.getByRole('button', { name: 'Take away: admin of main' }).click();
    await dialog().getByRole('button', { name: 'Take away' }).click();
    await card.getByText('admin of main').waitFor({ state: 'detached' });
    await anna.page.reload();
    await anna.chats.or(anna.page.getByRole('alert')).first().waitFor();
    await expect.poll(() => anna.pages.count()).toBe(0);
    expect(anna.complaints).toEqual([]);
    await anna.page.context().close();
  });

  test('finds in the ledger who gave which role, by words and by filters, and what an entry holds', async () => {
    await owner.goTo('Ledger');
    await owner.page.locator('[data-kind]').first().waitFor();
    await owner.page.getByLabel('Kind').selectOption({ label: 'Roles' });
    await owner.page.waitForURL(/kind=role/);
    const entry = owner.page.locator('[data-kind="role.granted"]').filter({ hasText: 'Anna' }).first();
    await entry.waitFor();
    await entry.locator('summary').click();
    await entry.getByText('"hash"').waitFor();
    await entry.getByRole('button', { name: 'All about web:anna' }).click();
    await owner.page.waitForURL(/subject=web%3Aanna/);
    await owner.page.getByRole('button', { name: 'Show everything' }).click();
    await owner.page.getByLabel('Somewhere in an entry').fill('Asia/Tokyo and nothing else');
    await owner.page.getByText('Nothing fits.').waitFor();
    await owner.page.getByLabel('Somewhere in an entry').fill('');
    await owner.page.locator('[data-kind]').first().waitFor();
    await owner.page.getByRole('button', { name: 'Check the chain' }).click();
    await owner.page.getByText(/^All [\d,]+ entries hold\.$/).waitFor();
    await owner.picture('ledger-desktop');
  });

  test('is told why a message went where it went', async () => {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.say('help');
    await owner.fromAgent('demo provider').first().hover();
    await owner.fromAgent('demo provider').first().getByRole('button', { name: 'Message details' }).click();
    const why = dialog().getByRole('region', { name: 'Why' });
    await why.getByRole('listitem').first().waitFor();
    await expect.poll(async () => Math.round((await dialog().boundingBox())?.x ?? 0)).toBe(DESKTOP.width - 440);
    await owner.picture('why-desktop');
    await owner.page.keyboard.press('Escape');
  });

  test('has all of it on a phone, without scrolling sideways, in the dark too', async () => {
    await owner.page.setViewportSize(PHONE);
    for (const name of ['Agents', 'People', 'Ledger', 'Approvals']) {
      await owner.page.goto(`${host.origin}/`);
      await owner.goTo(name);
      await owner.page.locator('main').getByRole('listitem').first().waitFor();
      expect([name, await owner.overflow()]).toEqual([name, 0]);
      await owner.picture(`${name.toLowerCase()}-phone`);
    }
    await owner.page.emulateMedia({ colorScheme: 'dark' });
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await owner.page.getByText('Revision').first().waitFor();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('agent-phone-dark');
    await owner.page.setViewportSize(DESKTOP);
    await owner.goTo('Ledger');
    await owner.page.locator('[data-kind]').first().waitFor();
    await owner.picture('ledger-dark');
    await owner.page.emulateMedia({ colorScheme: 'light' });
  });

  test('reaches the content with two keys, finds one heading of each page and a name on every control', async () => {
    for (const name of ['Approvals', 'Agents', 'People', 'Ledger']) {
      await owner.page.goto(`${host.origin}/${name.toLowerCase()}`);
      await owner.page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
      await owner.page.keyboard.press('Tab');
      await owner.page.keyboard.press('Enter');
      await owner.page.locator('main:focus').waitFor();
      expect(await owner.page.locator('h1').count()).toBe(1);
      expect(await owner.page.locator('main').count()).toBe(1);
      await expect.poll(() => owner.page.title()).toBe(`${name} · Portolan`);
      expect([name, await owner.listNameless()]).toEqual([name, []]);
    }
    expect(owner.complaints).toEqual([]);
  });
});
