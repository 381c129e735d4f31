/** Decisions in a real browser against the built host: at their page, in the chat, by keyboard, and by who may not. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const listSchema = z.object({ items: z.array(z.object({ id: z.string(), state: z.string().optional() })) });
const linkSchema = z.object({ url: z.string() });

describe('an approval', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let browser: Browser;
  let owner: ConsolePage;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    ({ host, browser, owner } = atPage);
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  /** Has the agent ask for an MCP server; resolves when its card is in the chat and the navigation counts it. */
  async function request(name: string, reason: string) {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.composer.waitFor();
    await owner.say(`add mcp server ${name}: UNITS=metric node ${name}.mjs because ${reason}`);
    await owner.page.locator('section[data-host]').filter({ hasText: name }).first().waitFor();
    await owner.pages.getByText('waiting').waitFor({ state: 'attached' });
  }

  const card = (name: string) => owner.page.locator('article[data-approval]').filter({ hasText: name });
  const section = (name: string) => owner.page.getByRole('region', { name, exact: true });

  test('says who asks in whose words, what it does and until when, and is decided with one click', async () => {
    await owner.goTo('Approvals');
    await owner.page.getByText('Nothing waits for you.').waitFor();
    await request('tides', 'people ask for the tides');
    await owner.goTo('Approvals');
    await card('tides').locator('blockquote').getByText('people ask for the tides').waitFor();
    await card('tides').getByText('adds the MCP server tides, which runs: UNITS=metric node tides.mjs').waitFor();
    await card('tides')
      .getByText(/^Expires in 24 hours/)
      .waitFor();
    await owner.picture('approvals-desktop');
    await card('tides')
      .getByRole('button', { name: /^Approve/ })
      .click();
    await section('Decided')
      .getByText(/Owner chose “Approve”/)
      .waitFor();
    await owner.page.getByText('Nothing waits for you.').waitFor();
    await owner.pages.getByText('waiting').waitFor({ state: 'detached' });
  });

  test('is rejected with a reason, which the agent is told', async () => {
    await request('weather', 'the weather matters');
    await owner.goTo('Approvals');
    await card('weather')
      .getByRole('button', { name: /^Reject/ })
      .click();
    await owner.page.getByLabel('Why').fill('we have one');
    await owner.page.keyboard.press('Enter');
    await section('Decided')
      .getByText(/because “we have one”/)
      .waitFor();
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.fromAgent('we have one').first().waitFor();
  });

  test('is decided in its chat by keyboard alone, with what it does on the card', async () => {
    await request('stars', 'nights are clear');
    const inChat = owner.page.locator('section[data-host]').filter({ hasText: 'stars' });
    await inChat.getByText('adds the MCP server stars').waitFor();
    await owner.composer.focus();
    for (let presses = 0; presses < 40; presses++) {
      await owner.page.keyboard.press('Shift+Tab');
      if ((await inChat.locator('button:focus').count()) > 0) break;
    }
    const focused = async () => (await inChat.locator('button:focus').allInnerTexts())[0];
    if ((await focused()) !== 'Approve') await owner.page.keyboard.press('Shift+Tab');
    expect(await focused()).toBe('Approve');
    await owner.page.keyboard.press('Enter');
    await inChat.getByText(/^Owner chose “Approve”/).waitFor();
  });

  test('is found, read and decided by keyboard alone at its page, too', async () => {
    await request('moon', 'it rises');
    await owner.page.keyboard.press('Escape');
    await owner.pages.getByRole('link', { name: 'Approvals' }).focus();
    await owner.page.keyboard.press('Enter');
    const approve = card('moon').getByRole('button', { name: /^Approve/ });
    await approve.waitFor();
    for (let presses = 0; presses < 30 && (await card('moon').locator('button:focus').count()) === 0; presses++) {
      await owner.page.keyboard.press('Tab');
    }
    await owner.page.keyboard.press('Tab');
    await owner.page.keyboard.press('Enter');
    await owner.page.getByLabel('Why').waitFor();
    await owner.page.keyboard.press('Escape');
    await expect.poll(() => card('moon').locator('button:focus').allInnerTexts()).toEqual(['Reject']);
    await owner.page.keyboard.press('Shift+Tab');
    await owner.page.keyboard.press('Enter');
    await section('Decided').getByText('Add the MCP server moon').waitFor();
    await owner.page.locator('main:focus').waitFor();
  });

  test('that was decided meanwhile says by whom, in plain words', async () => {
    await request('birds', 'they fly');
    await owner.goTo('Approvals');
    await card('birds')
      .getByRole('button', { name: /^Reject/ })
      .click();
    const pending = listSchema.parse(await askHost(host, '/approvals?state=pending', 'GET')).items[0]?.id;
    // The news of it is kept from this page, as a slow line does.
    await owner.page.route('**/api/v1/approvals*', (route) => route.abort());
    await askHost(host, `/approvals/${pending}/decide`, 'POST', { choice: 'approve' });
    await owner.page.getByRole('button', { name: 'Reject', exact: true }).click();
    await owner.page
      .getByRole('alert')
      .getByText(/Approve/)
      .waitFor();
    await owner.page.unroute('**/api/v1/approvals*');
    await owner.page.reload();
    await section('Decided').getByText('Add the MCP server birds').waitFor();
  });

  test('is nothing that a member sees or can forge', async () => {
    const main = listSchema.parse(await askHost(host, '/agents', 'GET')).items[0]?.id;
    await askHost(host, `/people/web:anna/roles/member/${main}`, 'PUT', { name: 'Anna' });
    const { url } = linkSchema.parse(await askHost(host, '/people/web:anna/sign-in-links', 'POST', {}));
    await request('fish', 'they swim');
    const anna = await ConsolePage.open(browser);
    await anna.signIn(url);
    expect(await anna.pages.count()).toBe(0);
    await anna.page.goto(`${host.origin}/approvals`);
    await anna.page.getByText('You may not do this').first().waitFor();
    expect(await anna.page.getByRole('button', { name: /^Approve/ }).count()).toBe(0);
    const pending = listSchema.parse(await askHost(host, '/approvals?state=pending', 'GET')).items[0]?.id;
    const status = await anna.page.evaluate(
      `fetch('/api/v1/approvals/${pending}/decide', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"choice":"approve"}' }).then((answer) => answer.status)`,
    );
    expect([403, 404]).toContain(status);
    const still = listSchema.parse(await askHost(host, '/approvals?state=pending', 'GET')).items;
    expect(still.map(({ id }) => id)).toEqual([pending]);
    expect(anna.complaints).toEqual([]);
    await anna.page.context().close();
  });

  test('fits a phone, and can be decided with a thumb', async () => {
    await owner.page.setViewportSize(PHONE);
    await owner.page.goto(`${host.origin}/approvals`);
    const approve = card('fish').getByRole('button', { name: /^Approve/ });
    await approve.waitFor();
    expect(await owner.overflow()).toBeLessThanOrEqual(0);
    await owner.picture('approvals-phone');
    await approve.click();
    await section('Decided').getByText('Add the MCP server fish').waitFor();
    await owner.page.setViewportSize(DESKTOP);
    // The agent is told, and says so; a host that is ended before would find it at work.
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.fromAgent(/MCP server fish.*was approved/).waitFor();
    expect(owner.complaints).toEqual([]);
  });
});
