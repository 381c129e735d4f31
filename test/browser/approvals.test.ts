/** Decisions in a real browser against the built host: at the Approvals page, in the chat, by keyboard, and by who may not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BuiltHost } from './built-host.ts';
import { ConsolePage, DESKTOP, launchChromium, PHONE } from './console-page.ts';

const answerSchema = z.object({
  url: z.string().optional(),
  items: z.array(z.object({ id: z.string(), title: z.string().optional() })).optional(),
});

describe('an approval at the page', () => {
  let host: BuiltHost;
  let browser: Browser;
  let owner: ConsolePage;

  beforeAll(async () => {
    host = await BuiltHost.make();
    const link = await host.start();
    browser = await launchChromium();
    owner = await ConsolePage.open(browser);
    await owner.signIn(link);
    await owner.composer.waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.dispose();
  });

  async function ask(path: string, method: string, body?: object) {
    const authorization = `Bearer ${readFileSync(join(host.home, 'api-token'), 'utf8').trim()}`;
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    return answerSchema.parse(await (await fetch(`${host.origin}/api/v1${path}`, init)).json());
  }

  /** Has the agent ask for an MCP server; resolves when the count in the navigation says so. */
  async function request(name: string, reason: string) {
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.composer.waitFor();
    await owner.say(`add mcp server ${name}: UNITS=metric node ${name}.mjs because ${reason}`);
    await owner.pages.getByText('waiting').waitFor({ state: 'attached' });
  }

  const card = (name: string) => owner.page.getByRole('article').filter({ hasText: name }).first();

  test('says what it does, why the agent asks and until when, and is decided with one click', async () => {
    await owner.goTo('Approvals');
    await owner.page.getByText('Nothing waits for you.').waitFor();
    await request('tides', 'people ask for the tides');
    await owner.goTo('Approvals');
    await card('tides').getByText('people ask for the tides').waitFor();
    await card('tides').getByText('If approved').waitFor();
    await card('tides')
      .getByText(/^Expires in \d+ hours/)
      .waitFor();
    await owner.page.screenshot({ path: shot('approvals-desktop') });
    await card('tides')
      .getByRole('button', { name: /^Approve/ })
      .click();
    await owner.page
      .getByRole('region', { name: 'Decided' })
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
    await owner.page.getByText(/because “we have one”/).waitFor();
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.fromAgent('we have one').first().waitFor();
  });
});

function shot(name: string): string {
  return `/tmp/h4/${name}.png`;
}
