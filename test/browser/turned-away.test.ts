/** What was refused and dropped, and agents that go away, in a real browser against the built host. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { type ConsolePage, PHONE } from './console-page.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const answerSchema = z.object({ id: z.string().optional(), archivedTo: z.string().optional() });

describe('an admin at the page', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let person: ConsolePage;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    host = atPage.host;
    person = atPage.owner;
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  const ask = async (path: string, method: string, body?: object, ifMatch?: number) =>
    answerSchema.parse(await askHost(host, path, method, body, ifMatch));

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
    const removal = await ask(`/agents/${agent.id}`, 'DELETE', undefined, 1);
    expect(removal.archivedTo).toContain('short-lived');
    await row.waitFor({ state: 'detached' });
    await person.page.getByText('This chat could not be opened').waitFor();
    expect(person.complaints).toEqual([]);
  });
});
