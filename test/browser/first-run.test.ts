/**
 * The first-run story in a real browser against the built host: one person, one page, top to bottom. Each
 * test goes on where the one before stopped.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BuiltHost } from './built-host.ts';
import { ConsolePage, launchChromium, PHONE } from './console-page.ts';

/** Pictures of this run. `npm run screenshots` puts them into the README's place. */
const TAKEN = new URL('../../dist/screenshots/', import.meta.url).pathname;
const KEPT = new URL('../../docs/screenshots/', import.meta.url).pathname;

describe('a person who opens the console for the first time', () => {
  let host: BuiltHost;
  let browser: Browser;
  let person: ConsolePage;
  let link: string;

  beforeAll(async () => {
    rmSync(TAKEN, { recursive: true, force: true });
    mkdirSync(TAKEN, { recursive: true });
    host = await BuiltHost.make();
    link = await host.start();
    browser = await launchChromium();
    person = await ConsolePage.open(browser);
  });

  afterAll(async () => {
    await browser?.close();
    await host?.dispose();
  });

  test('is signed in by the printed link, which leaves no token in the address', async () => {
    await person.signIn(link);
    await person.composer.waitFor();
    expect(person.page.url()).toMatch(`${host.origin}/sessions/`);
    expect(await person.page.context().cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
  });

  test('cannot use the link a second time, and is told how to get another', async () => {
    const other = await ConsolePage.open(browser);
    await other.page.goto(link);
    await other.page.getByRole('heading', { name: 'Sign in to Portolan' }).waitFor();
    await other.page.getByText('portolan url').first().waitFor();
    expect(other.page.url()).not.toContain('token');
    await other.page.context().close();
  });

  test('sends "help" with one click and sees it read, answered, and the answer in Markdown', async () => {
    await person.page.getByRole('button', { name: /^help/ }).click();
    await person.mine('help').waitFor();
    await person.fromAgent('demo provider').locator('table').waitFor();
    await person.mine('help').getByText('Answered').waitFor();
    expect(await person.mine('help').count()).toBe(1);
  });

  test('sees that a slow answer is under way', async () => {
    await person.say('slow task 4');
    await person.page.getByRole('status', { name: /is typing/ }).waitFor();
    await person.fromAgent(/Slow task.*100 %/).waitFor();
  });

  test('sends a file, which the agent receives', async () => {
    await person.attach('notes.txt', 'one two three\nfour five\n');
    await person.say('here are my notes');
    await person.fromAgent('notes.txt').getByText('5 words').waitFor();
    await person
      .mine('here are my notes')
      .getByRole('link', { name: /Download notes.txt/ })
      .waitFor();
  });

  test('sees the agent react to a message of theirs', async () => {
    await person.say('react 🌊');
    const reactions = person.mine('react 🌊').getByRole('list', { name: 'Reactions' });
    await reactions.getByText('🌊').waitFor();
  });

  test('gets a file from the agent and can save it', async () => {
    await person.say('send a file');
    const downloading = person.page.waitForEvent('download');
    await person.page.getByRole('link', { name: /Download hello-from-/ }).click();
    const saved = await (await downloading).path();
    expect(readFileSync(saved, 'utf8')).toContain('# Hello from');
  });

  test('is told of a file that is too large before anything is uploaded', async () => {
    const file = { name: 'film.bin', mimeType: 'application/octet-stream', buffer: Buffer.alloc(26 * 1024 * 1024) };
    await person.page.locator('input[type=file]').setInputFiles(file);
    await person.page.getByText('“film.bin” is 26.0 MB; a file can be at most 25.0 MB.').waitFor();
    expect(await person.page.getByRole('button', { name: 'Send', exact: true }).isDisabled()).toBe(true);
    await person.page.getByRole('button', { name: 'Remove film.bin' }).click();
  });

  test('sees HTML of a message as text, never as a page', async () => {
    await person.say('<img src=x onerror="document.title=\'owned\'"> [click](javascript:alert(1))');
    const answer = person.fromAgent('I read this');
    await answer.getByText('onerror').waitFor();
    expect(await answer.locator('img').count()).toBe(0);
    expect(await answer.locator('a[href^="javascript"]').count()).toBe(0);
    expect(await person.page.title()).not.toContain('owned');
  });

  test('follows the path of a message, stage by stage', async () => {
    await person.mine('help').hover();
    await person.mine('help').getByRole('button', { name: 'Message details' }).click();
    const drawer = person.page.getByRole('dialog', { name: 'Message' });
    for (const stage of ['Received', 'Committed', 'Claimed by the runner', 'Sent']) {
      await drawer.getByText(stage, { exact: true }).waitFor();
    }
    await person.page.keyboard.press('Escape');
    await drawer.waitFor({ state: 'hidden' });
  });

  test('finds a half-written message again after a reload', async () => {
    await person.composer.fill('half a thought');
    await person.page.reload();
    await person.mine('help').waitFor();
    await expect.poll(() => person.composer.inputValue()).toBe('half a thought');
    await person.composer.fill('');
  });

  test('loses and doubles nothing when the host dies and comes back', async () => {
    await host.kill();
    await person.say('remember the tide');
    await person.say('recall');
    await person.page.getByText('Reconnecting…').waitFor();
    await host.start();
    await person.fromAgent('1. the tide').or(person.fromAgent('the tide')).first().waitFor();
    await person.mine('recall').getByText('Answered').waitFor();
    await person.page.getByText('Reconnecting…').waitFor({ state: 'hidden' });
    for (const text of ['remember the tide', 'recall']) expect(await person.mine(text).count()).toBe(1);
    const order = await person.page.locator('[data-mine]').allInnerTexts();
    const at = (text: string) => order.findIndex((one) => one.includes(text));
    expect(at('remember the tide')).toBeLessThan(at('recall'));

    const before = await person.messages.count();
    await person.page.reload();
    await person.mine('recall').waitFor();
    await expect.poll(() => person.messages.count()).toBe(before);
  });

  test('sees in the list what arrived in another chat, until it is opened', async () => {
    const first = person.here;
    // Long enough that it ends when the other chat is open.
    await person.say('slow task 8');
    await person.mine('slow task 8').waitFor();
    await person.startChat();
    const row = person.chats.locator(`a[href="${first}"]`);
    await row.getByText('unread').waitFor();
    await person.openChat(first);
    await person.fromAgent(/100 % of 8 s/).waitFor();
    await row.getByText('unread').waitFor({ state: 'detached' });
    await expect.poll(() => person.listChats()).toHaveLength(2);
  });

  test('sees another chat before the next key, so that nothing typed lands in the one that was left', async () => {
    const before = person.here;
    const other = (await person.listChats()).find((path) => path !== before);
    // Between the click and the look lies no more than between two events of a person.
    const seen: unknown = await person.page.evaluate(`(async () => {
      const row = document.querySelector('nav a[href="${other}"]');
      row.click();
      await Promise.resolve();
      return { shown: row.getAttribute('aria-current'), writing: document.activeElement.hasAttribute('data-composer') };
    })()`);
    expect(seen).toEqual({ shown: 'page', writing: true });
    await person.openChat(before);
  });

  test('sees what the agent sends elsewhere with the name of the place, and there as well', async () => {
    const here = person.here;
    const there = String((await person.listChats()).find((path) => path !== here));
    await person.openChat(there);
    await person.say('note that high water is at 17:42');
    await person.fromAgent('Noted').waitFor();
    await person.chats.locator('a[aria-current]').getByText('note that high water').first().waitFor();
    await person.openChat(here);

    await person.say('destinations');
    const list = person.fromAgent('I can write to').last().locator('li code');
    await list.first().waitFor();
    const names = await list.allInnerTexts();
    const elsewhere = names.find((name) => name !== 'first-chat');
    await person.say(`tell ${elsewhere} the berth is booked`);
    const sent = person.page.locator('[data-elsewhere]').filter({ hasText: 'the berth is booked' });
    await sent.getByText(String(elsewhere), { exact: true }).waitFor();
    await person.openChat(there);
    await person.fromAgent('the berth is booked').waitFor();
    await person.openChat(here);
    await sent.waitFor();
  });

  test('gets around by keyboard', async () => {
    const here = person.page.url();
    await person.page.keyboard.press('Control+k');
    await person.page.locator('[role=combobox]:focus').waitFor();
    await person.page.keyboard.type('high water');
    await person.page.keyboard.press('Enter');
    await person.page.waitForURL((url) => url.href !== here);
    await person.page.getByRole('heading', { level: 2, name: /high water/ }).waitFor();
    await person.page.locator('[data-composer]:focus').waitFor();

    await person.page.keyboard.press('Escape');
    await person.chats.locator('a[aria-current]:focus').waitFor();
    const paths = await person.listChats();
    await person.page.keyboard.press('Home');
    for (let at = 0; at < paths.indexOf(new URL(here).pathname); at++) await person.page.keyboard.press('ArrowDown');
    await person.page.keyboard.press('Enter');
    await person.page.waitForURL(here);
  });

  test('has the same chats on a phone, one pane at a time', async () => {
    const storageState = await person.page.context().storageState();
    const phone = await ConsolePage.open(browser, {
      viewport: PHONE,
      isMobile: true,
      hasTouch: true,
      deviceScaleFactor: 2,
      storageState,
    });
    await phone.page.goto(host.origin);
    await phone.chats.waitFor();
    expect(await phone.composer.isVisible()).toBe(false);
    await phone.openChat(person.here, 'tap');
    expect(await phone.chats.isVisible()).toBe(false);

    const send = phone.page.getByRole('button', { name: 'Send', exact: true });
    const size = await send.boundingBox();
    expect(Math.min(size?.width ?? 0, size?.height ?? 0)).toBeGreaterThanOrEqual(44);
    await phone.composer.fill('who am i');
    await send.tap();
    await phone.mine('who am i').getByText('Answered').waitFor();
    const overflow = await phone.page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await phone.page.screenshot({ path: `${TAKEN}console-phone.png` });
    await phone.page.getByRole('link', { name: 'All chats' }).tap();
    await phone.chats.waitFor();
    expect(phone.complaints).toEqual([]);
    await phone.page.context().close();
  });

  test('is in the pictures of the README, all of which are kept', async () => {
    await person.mine('who am i').waitFor();
    await person.say('send a file');
    await person.mine('send a file').last().getByText('Answered').waitFor();
    await person.page.mouse.move(640, 780);
    await person.page.screenshot({ path: `${TAKEN}console-desktop.png` });
    for (const name of readdirSync(TAKEN)) expect(existsSync(join(KEPT, name)), name).toBe(true);
  });

  test('never made the browser complain', () => {
    expect(person.complaints).toEqual([]);
  });
});
