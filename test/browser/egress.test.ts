/** What agents reach in a real browser against the built host: refused, asked for, allowed, followed, taken away. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BuiltHost } from './built-host.ts';
import { type ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { findMain } from './model-service.ts';
import { OwnerAtPage } from './owner-at-page.ts';

describe('the way out of an agent', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let owner: ConsolePage;
  let main: string;
  const outside = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).end('harbour lights');
  });
  let place = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    place = `127.0.0.1:${(outside.address() as AddressInfo).port}`;
    atPage = await OwnerAtPage.open();
    ({ host, owner } = atPage);
    main = await findMain(host);
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
    outside.closeAllConnections();
    outside.close();
  });

  const dialog = () => owner.page.getByRole('dialog');
  const rows = (text: string | RegExp) => owner.page.locator('tr[data-entry]').filter({ hasText: text });
  const rule = (text: string) => owner.page.locator('[data-rule]').filter({ hasText: text });

  /** Has the agent ask for something outside; resolves when it has said what came of it. */
  async function fetch(url: string) {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.composer.waitFor();
    const asked = owner.mine(`fetch ${url}`);
    const before = await asked.count();
    await owner.say(`fetch ${url}`);
    await expect.poll(() => asked.nth(before).getByText('Answered').count()).toBe(1);
  }

  test('is shut: what was refused stands in the log, and comes while one looks', async () => {
    await owner.goTo('Egress');
    await owner.page.getByText(/^No agent asked for anything outside yet/).waitFor();
    const other = await atPage.browser.contexts()[0]?.newPage();
    await other?.goto(`${host.origin}/`);
    await other?.locator('[data-composer]').fill('fetch https://tides.example.com/today');
    await other?.locator('[data-composer]').press('Enter');
    await rows('tides.example.com').first().waitFor();
    await rows('tides.example.com').getByText('refused: no rule allows it').first().waitFor();
    await other?.close();
    await fetch(`http://${place}/`);
    await owner.goTo('Egress');
    await rows(place).first().waitFor();
    await owner.picture('egress-desktop');
  });

  test('is filtered by agent, outcome and words, which stand in the address', async () => {
    await owner.page.getByLabel('Part of a host or path').fill('tides');
    await owner.page.waitForURL(/q=tides/);
    await rows(place).first().waitFor({ state: 'detached' });
    await owner.page.getByLabel('Outcome').selectOption('allowed');
    await owner.page.getByText('Nothing fits.').waitFor();
    await owner.page.getByRole('button', { name: 'Show everything' }).click();
    await owner.page.getByLabel('Outcome').selectOption('refused');
    await owner.page.getByLabel('Agent').selectOption({ label: 'main' });
    await owner.page.waitForURL(/agent=agt_.*outcome=refused/);
    await rows('tides.example.com').first().waitFor();
  });

  test('is opened from a refused row, by an owner also to this machine; the next request is let through', async () => {
    await rows(place)
      .first()
      .getByRole('button', { name: /^Allow/ })
      .click();
    expect(await dialog().getByLabel('Host').inputValue()).toBe('127.0.0.1');
    expect(await dialog().getByLabel('Port').inputValue()).toBe(place.split(':')[1]);
    // An address of this machine is the owner's to give, and said to be one.
    expect(await dialog().getByRole('button', { name: 'Allow', exact: true }).isDisabled()).toBe(true);
    await dialog().getByText('Needed for an address or a short name.').waitFor();
    await dialog().getByLabel('It lies on this machine or network').check();
    await dialog().getByLabel('Why').fill('the lights of the harbour');
    await owner.picture('allow-access');
    await dialog().getByRole('button', { name: 'Allow', exact: true }).click();
    await dialog().waitFor({ state: 'detached' });
    await fetch(`http://${place}/`);
    await owner.fromAgent('harbour lights').first().waitFor();
    await owner.goTo('Egress');
    await rows(place).filter({ hasText: 'by a rule' }).first().waitFor();
    await rows(place).filter({ hasText: '200' }).first().waitFor();
  });

  test('is told on the agent’s page, with who gave it and why, and taken away there', async () => {
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await rule(place).getByText('“the lights of the harbour”').waitFor();
    await rule(place)
      .getByText(/^Allowed by Owner/)
      .waitFor();
    await owner.picture('agent-access');
    await rule(place)
      .getByRole('button', { name: /^Remove/ })
      .click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await rule(place).waitFor({ state: 'detached' });
    await owner.page.getByText('Nothing outside.').waitFor();
  });

  test('is asked for by the agent on a card, and holds once that is approved', async () => {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.say('ask for access to weather.example.com because people ask for the wind');
    await owner.pages.getByText('waiting').waitFor({ state: 'attached' });
    const inChat = owner.page.locator('section[data-host]').filter({ hasText: 'weather.example.com' });
    await inChat.locator('h3 code').getByText('https://weather.example.com', { exact: true }).waitFor();
    await owner.goTo('Approvals');
    const card = owner.page.locator('article[data-approval]').filter({ hasText: 'weather.example.com' }).first();
    await card.locator('blockquote').getByText('people ask for the wind').waitFor();
    await owner.picture('approval-access');
    await card.getByRole('button', { name: /^(Approve|Allow)/ }).click();
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await rule('weather.example.com')
      .getByText(/^Asked for by the agent, approved by Owner/)
      .waitFor();
  });

  test('has its log on a phone, each request on a card, with a name on every control', async () => {
    await owner.page.setViewportSize(PHONE);
    await owner.goTo('Egress');
    await rows(place).first().waitFor();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('egress-phone');
    await owner.page.emulateMedia({ colorScheme: 'dark' });
    await owner.picture('egress-phone-dark');
    await owner.page.emulateMedia({ colorScheme: 'light' });
    await rows(place)
      .getByRole('button', { name: /^Allow/ })
      .last()
      .click();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('allow-phone');
    await owner.page.keyboard.press('Escape');
    await owner.page.setViewportSize(DESKTOP);
    expect(await owner.listNameless()).toEqual([]);
    expect(owner.complaints).toEqual([]);
  });
});
