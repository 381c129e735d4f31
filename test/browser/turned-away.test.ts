/** What was refused and dropped, and agents that go away, in a real browser against the built host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BuiltHost } from './built-host.ts';
import { ConsolePage, launchChromium, PHONE } from './console-page.ts';

const answerSchema = z.object({ id: z.string().optional(), archivedTo: z.string().optional() });

describe('an admin at the page', () => {
  let host: BuiltHost;
  let browser: Browser;
  let person: ConsolePage;

  beforeAll(async () => {
    host = await BuiltHost.make();
    const link = await host.start();
    browser = await launchChromium();
    person = await ConsolePage.open(browser);
    await person.signIn(link);
    await person.composer.waitFor();
  });

  afterAll(async () => {
    await browser?.close();
    await host?.dispose();
  });

  async function ask(path: string, method: string, body?: object, more: Record<string, string> = {}) {
    const authorization = `Bearer ${readFileSync(join(host.home, 'api-token'), 'utf8').trim()}`;
    const headers = { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...more };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    return answerSchema.parse(await (await fetch(`${host.origin}/api/v1${path}`, init)).json());
  }

  async function openPanel() {
    await person.page.getByRole('button', { name: 'Settings' }).first().click();
    await person.page.getByRole('menuitem', { name: 'Refused and dropped' }).click();
    return person.page.getByRole('dialog', { name: 'Refused and dropped' });
  }

  test('reads that nothing was turned away, and then what was: who, where and why', async () => {
    const panel = await openPanel();
    await panel.getByText('Nothing was refused').waitFor();
    await panel.getByText('Nothing was dropped').waitFor();
    await person.page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await person.say('create an agent called con that does nothing');
    await person.fromAgent('reserved name').waitFor();
    const again = await openPanel();
    await again.getByText('"con" is a reserved name').waitFor();
    await again.getByText('main').first().waitFor();
    await person.page.setViewportSize(PHONE);
    const box = await again.boundingBox();
    expect(Math.round(box?.width ?? 0)).toBeLessThanOrEqual(PHONE.width);
    await person.page.keyboard.press('Escape');
    await again.waitFor({ state: 'hidden' });
    await person.page.setViewportSize({ width: 1280, height: 800 });
  });

  test('sees the chats of a removed agent go, without loading the page again', async () => {
    const agent = await ask('/agents', 'POST', { name: 'Short-lived' });
    const session = await ask('/sessions', 'POST', { agentId: agent.id, title: 'About to end' });
    const row = person.chats.locator(`a[href="/sessions/${session.id}"]`);
    await row.waitFor();
    await row.click();
    await person.page.waitForURL(`**/sessions/${session.id}`);
    const removal = await ask(`/agents/${agent.id}`, 'DELETE', undefined, { 'if-match': '"1"' });
    expect(removal.archivedTo).toContain('short-lived');
    await row.waitFor({ state: 'detached' });
    await person.page.getByText('This chat could not be opened').waitFor();
    expect(person.complaints).toEqual([]);
  });
});
