/** Agents that are made, renamed, removed and restored in a real browser against the built host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ModelServer } from '../support/model-servers/answers.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import { until } from '../support/until.ts';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { findMain, MODEL, SERVICE } from './model-service.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const agentSchema = z.object({ id: z.string(), name: z.string(), folder: z.string(), revision: z.number() });
const listSchema = z.object({ items: z.array(agentSchema) });
const linkSchema = z.object({ url: z.string() });

describe('agents at the page', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let owner: ConsolePage;
  let server: ModelServer;

  beforeAll(async () => {
    server = await startOpenAiServer({ rules: { models: [MODEL, 'other-model'] } });
    atPage = await OwnerAtPage.open();
    ({ host, owner } = atPage);
    const service = { name: SERVICE, url: `${server.url}/v1`, api: 'openai', private: true };
    await askHost(host, '/services', 'POST', service);
    await askHost(host, `/secrets/${SERVICE}`, 'PUT', { value: server.key });
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const dialog = () => owner.page.getByRole('dialog');
  const action = (name: string) => owner.page.getByRole('button', { name, exact: true });
  const nameField = () => dialog().getByRole('textbox', { name: 'Name' });
  const thinks = () => owner.page.getByRole('region', { name: 'Thinks with' });
  const heading = (name: string) => owner.page.getByRole('heading', { level: 1, name, exact: true });
  const row = (name: string) => owner.page.getByRole('link', { name: new RegExp(`^${name}\\b`) });

  async function findAgent(name: string): Promise<z.infer<typeof agentSchema>> {
    const { items } = listSchema.parse(await askHost(host, '/agents', 'GET'));
    const found = items.find((agent) => agent.name === name);
    if (found === undefined) throw new Error(`there is no agent ${name}`);
    return found;
  }

  async function openAgent(name: string): Promise<void> {
    await owner.goTo('Agents');
    await row(name).click();
    await heading(name).waitFor();
  }

  /** False: its container is still ending; the dialog says so, and stays. */
  async function tryToRestore(): Promise<boolean> {
    await dialog().getByRole('button', { name: 'Restore' }).click();
    await row('scholar').or(dialog().getByRole('alert')).first().waitFor();
    return (await row('scholar').count()) > 0;
  }

  /** False: the page has not heard yet what changed meanwhile. */
  async function tryToRename(): Promise<boolean> {
    await action('Rename').click();
    await nameField().fill('scholar');
    await nameField().press('Enter');
    await heading('scholar').or(dialog().getByRole('alert')).first().waitFor();
    if ((await heading('scholar').count()) > 0) return true;
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    return false;
  }

  test('cannot be removed while there is one alone, in the host’s words', async () => {
    await openAgent('main');
    await action('Remove').click();
    await dialog().getByText('No agent can create agents then').waitFor();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await dialog().getByRole('alert').getByText('This is the only agent').waitFor();
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => action('Remove').evaluate((it) => it.matches(':focus'))).toBe(true);
  });

  test('are made at the keyboard; what is wrong about a name stands at it, and the next is typed over it', async () => {
    await owner.goTo('Agents');
    await action('New agent').focus();
    await owner.page.keyboard.press('Enter');
    await nameField().waitFor();
    await expect.poll(() => nameField().evaluate((it) => it.matches(':focus'))).toBe(true);
    expect(await dialog().getByRole('button', { name: 'Make it' }).isDisabled()).toBe(true);
    for (const [name, refusal] of [
      ['main', 'there is an agent "main" already'],
      ['maın', 'looks like the agent "main"'],
      ['a/b', 'a name is not a path'],
      ['portolan', 'reads like the host itself'],
    ] as const) {
      await owner.page.keyboard.type(name);
      await owner.page.keyboard.press('Enter');
      await dialog().getByText(refusal).waitFor();
      expect(await nameField().getAttribute('aria-invalid')).toBe('true');
      expect(await dialog().getByRole('alert').count()).toBe(0);
      await expect.poll(() => owner.page.evaluate('getSelection().toString()')).toBe(name);
    }
    await owner.picture('new-agent-refused');
    await owner.page.keyboard.type('researcher');
    await dialog().getByText('reads like the host itself').waitFor({ state: 'detached' });
    await dialog().getByLabel('Instructions').fill('You look after tides.');
    // Beside the dialog: what is filled in stays.
    await owner.page.mouse.click(DESKTOP.width - 40, DESKTOP.height - 40);
    await dialog().getByLabel('Time zone').selectOption('Asia/Tokyo');
    await owner.picture('new-agent');
    await nameField().press('Enter');
    await heading('researcher').waitFor();
    await dialog().waitFor({ state: 'detached' });
    await owner.page.getByText('Asia/Tokyo').waitFor();
    await expect.poll(() => owner.page.evaluate('document.activeElement === document.body')).toBe(false);
    const { folder } = await findAgent('researcher');
    const file = join(host.home, 'groups', folder, 'AGENTS.md');
    expect(readFileSync(file, 'utf8')).toContain('You look after tides.');
  });

  test('are written to right after, in a chat of their own', async () => {
    await action('New chat').click();
    await owner.page.getByText('Write to researcher').waitFor();
    await owner.say('help');
    await owner.fromAgent('demo provider').first().waitFor();
    await owner.chats.getByText('researcher').first().waitFor();
  });

  test('get a real model at once: what it needs is asked for, its service lists what it has, terms are accepted', async () => {
    await owner.goTo('Agents');
    await action('New agent').click();
    await nameField().fill('writer');
    await dialog().getByLabel('Provider').selectOption({ label: 'claude' });
    await dialog()
      .getByText(/Anthropic’s terms/)
      .waitFor();
    await dialog().getByText('It has no key yet').waitFor();
    expect(await dialog().getByRole('button', { name: 'Accept, and make it' }).isEnabled()).toBe(true);
    await owner.picture('new-agent-claude');
    await dialog().getByLabel('Provider').selectOption({ label: 'openai' });
    await dialog().getByLabel('Service').selectOption(SERVICE);
    await dialog().getByText('It has no key yet').waitFor({ state: 'detached' });
    expect(await dialog().getByRole('button', { name: 'Make it' }).isDisabled()).toBe(true);
    await dialog().getByRole('button', { name: 'List its models' }).click();
    await dialog().getByLabel('Those it has').selectOption(MODEL);
    await owner.picture('new-agent-openai');
    await dialog().getByRole('button', { name: 'Make it' }).click();
    await heading('writer').waitFor();
    await thinks().getByText(MODEL).waitFor();
    server.answer({ kind: 'text', text: 'It is there.' });
    await thinks().getByRole('button', { name: 'Test' }).click();
    await thinks().locator('[data-test="ok"]').waitFor();
  });

  test('say on their page which key is missing, and where it is given', async () => {
    await owner.goTo('Agents');
    await action('New agent').click();
    await nameField().fill('reader');
    await dialog().getByLabel('Provider').selectOption({ label: 'openai' });
    await dialog().getByLabel('Service').selectOption('openrouter');
    await dialog().getByText('It has no key yet').waitFor();
    await dialog().getByRole('button', { name: 'List its models' }).click();
    await dialog().getByText('openrouter has no key yet: without one it does not say.').waitFor();
    await dialog().getByRole('textbox', { name: 'Model' }).fill('any/model');
    await dialog().getByRole('button', { name: 'Make it' }).click();
    await heading('reader').waitFor();
    await thinks().getByRole('link', { name: 'Owners set the secret “openrouter” on the page Secrets.' }).waitFor();
    await owner.picture('agent-without-key');
  });

  test('get another name, on top of what was seen; their chats follow', async () => {
    await openAgent('researcher');
    await action('Rename').click();
    await nameField().fill('main');
    await dialog().getByRole('button', { name: 'Rename' }).click();
    await dialog().getByText('there is an agent "main" already').waitFor();
    const { id, revision } = await findAgent('researcher');
    await askHost(host, `/agents/${id}`, 'PATCH', { timezone: 'UTC' }, revision);
    await nameField().fill('scholar');
    await dialog().getByRole('button', { name: 'Rename' }).click();
    await dialog().getByRole('alert').getByText('changed meanwhile').waitFor();
    await owner.picture('rename-agent');
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await until('the agent to be renamed', tryToRename);
    await dialog().waitFor({ state: 'detached' });
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.chats.getByText('· scholar').waitFor();
    expect(await owner.chats.getByText('· researcher').count()).toBe(0);
  });

  test('are removed with what goes along, and come back with their conversations', async () => {
    await openAgent('scholar');
    await action('Remove').click();
    await dialog().getByText('it can be restored').waitFor();
    await owner.picture('remove-agent');
    await dialog().getByRole('button', { name: 'Cancel' }).click();
    await dialog().waitFor({ state: 'detached' });
    await action('Remove').click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await owner.page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor();
    const removed = owner.page.getByRole('region', { name: 'Removed' });
    await removed.getByText('scholar').waitFor();
    expect(await row('scholar').count()).toBe(0);
    await owner.picture('agents-desktop');
    await removed.getByRole('button', { name: 'Restore scholar' }).click();
    await until('the agent to be restored', tryToRestore);
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => removed.count()).toBe(0);
    await openAgent('scholar');
    await action('New chat').click();
    await owner.say('help');
    await owner.fromAgent('demo provider').first().waitFor();
  });

  test('that somebody else removed are said to be gone, and nothing is offered for them any more', async () => {
    await openAgent('reader');
    await action('Rename').waitFor();
    const { id, revision } = await findAgent('reader');
    await askHost(host, `/agents/${id}`, 'DELETE', undefined, revision);
    await owner.page.getByText('There is no such agent any more').waitFor();
    await action('Rename').waitFor({ state: 'detached' });
    await thinks().waitFor({ state: 'detached' });
    await owner.picture('agent-gone');
  });

  test('are made and removed by admins of all agents alone; an admin of one renames it', async () => {
    const main = await findMain(host);
    await askHost(host, `/people/web:anna/roles/admin/${main}`, 'PUT', { name: 'Anna' });
    const { url } = linkSchema.parse(await askHost(host, '/people/web:anna/sign-in-links', 'POST', {}));
    const anna = await ConsolePage.open(atPage.browser);
    await anna.signIn(url);
    await anna.goTo('Agents');
    await anna.page.getByRole('link', { name: /^main/ }).waitFor();
    expect(await anna.page.getByRole('button', { name: 'New agent' }).count()).toBe(0);
    await anna.page.getByRole('link', { name: /^main/ }).click();
    await anna.page.getByRole('button', { name: 'Rename', exact: true }).waitFor();
    expect(await anna.page.getByRole('button', { name: 'Remove', exact: true }).count()).toBe(0);
    expect(anna.complaints).toEqual([]);
    await anna.page.context().close();
  });

  test('fit on a phone, in the dark too, with a name on every control', async () => {
    await owner.page.setViewportSize(PHONE);
    await owner.page.goto(`${host.origin}/agents`);
    await openAgent('writer');
    await thinks().getByText(MODEL).waitFor();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('agent-actions-phone');
    await owner.page.emulateMedia({ colorScheme: 'dark' });
    await owner.goTo('Agents');
    await action('New agent').click();
    await dialog().getByLabel('Provider').selectOption({ label: 'claude' });
    await dialog().getByText('It has no key yet').waitFor();
    expect(await owner.overflow()).toBe(0);
    expect(await owner.listNameless()).toEqual([]);
    await owner.picture('new-agent-phone-dark');
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
    await owner.page.emulateMedia({ colorScheme: 'light' });
    await owner.page.setViewportSize(DESKTOP);
    await openAgent('writer');
    expect(await owner.listNameless()).toEqual([]);
    expect(owner.complaints).toEqual([]);
    expect(server.wrong.map(({ problem }) => problem)).toEqual([]);
  });
});
