/** Two people at the page of one host: each sees what is theirs, and is offered what they may do. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage } from './console-page.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const answerSchema = z.object({ url: z.string().optional(), items: z.array(z.object({ id: z.string() })).optional() });

const revisionSchema = z.object({ revision: z.number() });

describe('a member beside the owner', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let browser: Browser;
  let owner: ConsolePage;
  let anna: ConsolePage;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    ({ host, browser, owner } = atPage);
    anna = await ConsolePage.open(browser);
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  const ask = async (path: string, method: string, body?: object) =>
    answerSchema.parse(await askHost(host, path, method, body));

  /** Gives Anna a role of `main`, or takes it. */
  async function change(role: 'admin' | 'member', method: 'PUT' | 'DELETE') {
    const main = (await ask('/agents', 'GET')).items?.[0]?.id ?? '';
    const { revision } = revisionSchema.parse(await askHost(host, '/people/web:anna', 'GET'));
    await askHost(host, `/people/web:anna/roles/${role}/${main}`, method, method === 'PUT' ? {} : undefined, revision);
  }

  test('is told that no agent knows her yet, then talks to one in a chat of her own', async () => {
    const { url } = await ask('/people/web:anna/sign-in-links', 'POST', { name: 'Anna' });
    await anna.page.goto(url ?? '');
    await anna.page.getByText('whom no agent knows yet').waitFor();
    const main = (await ask('/agents', 'GET')).items?.[0]?.id ?? '';
    await ask(`/people/web:anna/roles/member/${main}`, 'PUT', { name: 'Anna' });
    // The open page follows.
    await anna.page.getByRole('button', { name: 'Chat with main' }).click();
    await anna.composer.waitFor();
    await anna.say('hello from Anna');
    await anna.fromAgent(/./).first().waitFor();
    await expect.poll(() => anna.listChats()).toHaveLength(1);
  });

  test('is named beside what she wrote, when the owner reads it', async () => {
    await owner.chats.getByRole('link').filter({ hasText: 'hello from Anna' }).click();
    await owner.page
      .getByRole('article', { name: /^Anna, / })
      .getByText('hello from Anna')
      .waitFor();
    expect(await owner.mine('hello from Anna').count()).toBe(0);
    await anna.mine('hello from Anna').waitFor();
  });

  test('has the pages of an admin from the moment she is one, and no longer, without loading her page again', async () => {
    expect(await anna.pages.count()).toBe(0);
    await change('admin', 'PUT');
    await anna.goTo('Agents');
    await anna.page.getByRole('link', { name: /^main/ }).click();
    await anna.page.getByText('default memory').waitFor();
    await change('admin', 'DELETE');
    await anna.page.getByText('could not be loaded').first().waitFor();
    await expect.poll(() => anna.page.getByText('default memory').count()).toBe(0);
    await anna.pages.waitFor({ state: 'detached' });
    await anna.page.goBack();
    await anna.page.goBack();
    await anna.composer.waitFor();
  });

  test('sees a chat no more when she may not read it any more, and again when she may', async () => {
    const path = anna.here;
    await change('member', 'DELETE');
    await anna.page.getByText('This chat could not be opened').waitFor();
    await expect.poll(() => anna.page.getByText('hello from Anna').count()).toBe(0);
    await expect.poll(() => anna.listChats()).toEqual([]);
    await change('member', 'PUT');
    await anna.mine('hello from Anna').waitFor();
    await expect.poll(() => anna.listChats()).toEqual([path]);
    expect(anna.here).toBe(path);
  });

  test('is offered nothing that is for admins, and the owner is', async () => {
    const items = async (person: ConsolePage) => {
      await person.page.getByRole('button', { name: 'Settings' }).first().click();
      await person.page.getByRole('menuitem', { name: /^Sign out/ }).waitFor();
      const names = await person.page.getByRole('menuitem').allInnerTexts();
      await person.page.keyboard.press('Escape');
      return names;
    };
    expect(await items(anna)).toEqual(['Colours of the system', 'Light', 'Dark', 'Sign out Anna']);
    expect(await items(owner)).toContain('Refused and dropped');
  });

  test('finds nothing of hers unsent when the owner signs in after her, nor of the owner’s', async () => {
    await anna.composer.fill('a thought of Anna’s');
    await anna.page.getByRole('button', { name: 'Settings' }).first().click();
    await anna.page.getByRole('menuitem', { name: /^Sign out/ }).click();
    const { url } = await ask('/sign-in-links', 'POST');
    await anna.page.goto(`${url}`);
    await anna.chats.getByText('First chat').first().waitFor();
    const kept: unknown = await anna.page.evaluate('JSON.stringify(localStorage)');
    expect(kept).not.toContain('a thought');
    expect([...anna.complaints, ...owner.complaints]).toEqual([]);
  });
});
