/** Secrets in a real browser against the built host: set, used, replaced and removed, and never seen again. */
import type { Response } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelServer } from '../support/model-servers/answers.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { type ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { findMain, MODEL, SERVICE } from './model-service.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const WRONG = 'sk-wrong-5f1c0a9be2d34471';

describe('secrets', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let owner: ConsolePage;
  let server: ModelServer;
  let main: string;
  /** All that the host answered since the page was opened. */
  const heard: Promise<string>[] = [];

  beforeAll(async () => {
    server = await startOpenAiServer({ rules: { models: [MODEL] } });
    server.answer(() => ({ kind: 'text', text: 'OK', usage: { input: 9, output: 1 } }));
    atPage = await OwnerAtPage.open();
    ({ host, owner } = atPage);
    owner.page.on('response', (response) => {
      if (!isStream(response)) heard.push(response.text().catch(() => ''));
    });
    main = await findMain(host);
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const isStream = (response: Response) => (response.headers()['content-type'] ?? '').includes('event-stream');
  const dialog = () => owner.page.getByRole('dialog');
  const card = (name: string) => owner.page.locator(`[data-secret="${name}"]`);

  /** What the page holds: what is drawn, what is typed, what is kept. */
  async function readPage(): Promise<string> {
    const inside = await owner.page.evaluate(`(async () => {
      const fields = [...document.querySelectorAll('input, textarea')].map((it) => it.value);
      const kept = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
      for (const { name } of await indexedDB.databases()) {
        const db = await new Promise((done, fail) => {
          const open = indexedDB.open(name);
          open.onsuccess = () => done(open.result);
          open.onerror = () => fail(open.error);
        });
        for (const store of db.objectStoreNames) {
          kept.push(await new Promise((done) => {
            const all = db.transaction(store).objectStore(store).getAll();
            all.onsuccess = () => done(JSON.stringify(all.result));
          }));
        }
        db.close();
      }
      return [...fields, ...kept, location.href, JSON.stringify(history.state)].join('\\n');
    })()`);
    return `${await owner.page.content()}\n${String(inside)}`;
  }

  async function setValue(value: string) {
    await dialog()
      .getByLabel(/^Value/)
      .fill(value);
    await dialog().getByRole('button', { name: 'Set', exact: true }).click();
    await dialog().waitFor({ state: 'detached' });
  }

  test('begin with none and a vault that is empty; an own service on this machine is added', async () => {
    await owner.goTo('Secrets');
    await owner.page.locator('[data-vault="empty"]').waitFor();
    await owner.page.getByText(/^None yet\./).waitFor();
    await owner.page.getByRole('button', { name: 'Add a service' }).click();
    await dialog().getByLabel('Name').fill(SERVICE);
    await dialog().getByLabel('Address').fill(`${server.url}/v1`);
    await dialog().getByLabel('It has').selectOption('openai');
    await dialog().getByRole('button', { name: 'Add', exact: true }).click();
    // It lies on this machine, which is to be said: the dialog stays, with why.
    await dialog().getByRole('alert').waitFor();
    await owner.picture('service-refused');
    await dialog().getByLabel('It lies on this machine or network').check();
    await dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await dialog().waitFor({ state: 'detached' });
    await owner.page.locator(`[data-service="${SERVICE}"]`).getByText('has no secret').waitFor();
  });

  test('are set by name, go to the service of that name, and are never shown, answered or kept again', async () => {
    await owner.page.getByRole('button', { name: 'Set a secret' }).click();
    await dialog().getByLabel('Name').fill('Not a name');
    await dialog().getByText('Expected small letters, digits and dashes').waitFor();
    await dialog().getByLabel('Name').fill(SERVICE);
    await dialog().getByText(`It goes to the service ${SERVICE}, for all agents, by itself.`).waitFor();
    expect(
      await dialog()
        .getByLabel(/^Value/)
        .getAttribute('type'),
    ).toBe('password');
    await owner.picture('set-secret');
    await setValue(WRONG);
    await card(SERVICE).getByText(`${SERVICE}, for all agents without their own`).waitFor();
    await owner.page.locator('[data-vault="open"]').waitFor();
    expect(await readPage()).not.toContain(WRONG);
    expect((await Promise.all(heard)).join('\n')).not.toContain(WRONG);
  });

  test('that are wrong are told in plain words by a test of the agent that thinks with them, and then replaced', async () => {
    await owner.page.goto(`${host.origin}/agents/${main}`);
    const thinks = owner.page.getByRole('region', { name: 'Thinks with' });
    await thinks.getByRole('button', { name: 'Change' }).click();
    await dialog().getByLabel('Provider').selectOption({ label: 'claude' });
    await dialog()
      .getByText(/Anthropic’s terms/)
      .waitFor();
    await owner.picture('claude-terms');
    expect(await dialog().getByRole('button', { name: 'Accept, and use it' }).isEnabled()).toBe(true);
    await dialog().getByLabel('Provider').selectOption({ label: 'openai' });
    await dialog().getByLabel('Service').selectOption(SERVICE);
    await dialog().getByLabel('Model').fill(MODEL);
    await owner.picture('change-provider');
    await dialog().getByRole('button', { name: 'Save' }).click();
    await dialog().waitFor({ state: 'detached' });
    await thinks.getByRole('link', { name: `${SERVICE}, as all agents` }).waitFor();
    await thinks.getByRole('button', { name: 'Test' }).click();
    await thinks.locator('[data-test="failed"]').waitFor();
    expect(await thinks.locator('[data-test]').textContent()).toMatch(/key/i);
    await owner.picture('test-bad-key');

    await owner.goTo('Secrets');
    await card(SERVICE).getByText('main thinks with it').waitFor();
    await card(SERVICE)
      .getByRole('button', { name: `New value: ${SERVICE}` })
      .click();
    await setValue(server.key);
    await owner.picture('secrets-desktop');
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await thinks.getByRole('button', { name: 'Test' }).click();
    await thinks.locator('[data-test="ok"]').waitFor();
    for (const value of [WRONG, server.key]) {
      expect(await readPage()).not.toContain(value);
      expect((await Promise.all(heard)).join('\n')).not.toContain(value);
    }
  });

  test('are assigned to one agent alone, taken away, and removed with what is lost by that', async () => {
    await owner.goTo('Secrets');
    await card(SERVICE)
      .getByRole('button', { name: `Assign: ${SERVICE}` })
      .click();
    await dialog().getByLabel('For requests of').selectOption({ label: 'main' });
    await dialog().getByRole('button', { name: 'Assign' }).click();
    const own = card(SERVICE).getByText(`${SERVICE}, for main alone`);
    await own.waitFor();
    await card(SERVICE)
      .getByRole('button', { name: `Take ${SERVICE} from ${SERVICE}, for main alone` })
      .click();
    await dialog().getByRole('button', { name: 'Take away' }).click();
    await own.waitFor({ state: 'detached' });
    await card(SERVICE)
      .getByRole('button', { name: `Remove: ${SERVICE}` })
      .click();
    await dialog()
      .getByText(/^main goes on without a key/)
      .waitFor();
    await owner.picture('remove-secret');
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await card(SERVICE).waitFor({ state: 'detached' });
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await owner.page.getByRole('region', { name: 'Thinks with' }).getByText('none is sent to this service').waitFor();
  });

  test('wait in a locked vault for its passphrase, which an owner types here, and which is nowhere then; it is locked here, too', async () => {
    const passphrase = 'five words of a harbour pilot';
    await askHost(host, '/vault/passphrase', 'PUT', { passphrase });
    await host.kill();
    await host.start();
    await owner.page.goto(`${host.origin}/secrets`);
    await owner.page.locator('[data-vault="locked"]').waitFor();
    await owner.picture('vault-locked');
    const vault = owner.page.getByRole('region', { name: 'Vault' });
    await vault.getByLabel(/^Passphrase/).fill('not this one at all');
    await vault.getByRole('button', { name: 'Unlock' }).click();
    await vault.getByRole('alert').waitFor();
    expect(await vault.getByLabel(/^Passphrase/).inputValue()).toBe('');
    const open = owner.page.locator('[data-vault="open"]').getByText('open, with a passphrase');
    // After a wrong one the next is let wait.
    const unlock = async () => {
      await vault.getByLabel(/^Passphrase/).fill(passphrase);
      await vault.getByRole('button', { name: 'Unlock' }).click();
      await vault.getByRole('alert').or(open).first().waitFor();
      return open.count();
    };
    await expect.poll(unlock, { timeout: 60_000, interval: 500 }).toBe(1);
    expect(await readPage()).not.toContain(passphrase);

    await vault.getByRole('button', { name: 'Lock' }).click();
    await owner.picture('lock-vault');
    await dialog().getByRole('button', { name: 'Lock' }).click();
    await owner.page.locator('[data-vault="locked"]').waitFor();
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(unlock, { timeout: 60_000, interval: 500 }).toBe(1);
  });

  test('have a page for a phone, and a name on every control', async () => {
    await owner.page.setViewportSize(PHONE);
    await owner.goTo('Secrets');
    await owner.page.locator(`[data-service="${SERVICE}"]`).waitFor();
    expect(await owner.overflow()).toBe(0);
    expect(await owner.listNameless()).toEqual([]);
    await owner.picture('secrets-phone');
    await owner.page.getByRole('button', { name: 'Set a secret' }).click();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('set-secret-phone');
    await owner.page.setViewportSize(DESKTOP);
    expect(owner.complaints).toEqual([]);
  });
});
