/** What models cost in a real browser against the built host: per message, in sums, with budgets and prices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { ModelServer } from '../support/model-servers/answers.ts';
import { startOpenAiServer } from '../support/model-servers/openai.ts';
import type { BuiltHost } from './built-host.ts';
import { askHost } from './console-api.ts';
import { type ConsolePage, DESKTOP, PHONE } from './console-page.ts';
import { findMain, MODEL, SERVICE, sayTo, thinkWith } from './model-service.ts';
import { OwnerAtPage } from './owner-at-page.ts';

const sumSchema = z.object({
  sum: z.object({ calls: z.number(), inputTokens: z.number(), outputTokens: z.number(), cacheReadTokens: z.number() }),
});

describe('what models cost', () => {
  let atPage: OwnerAtPage;
  let host: BuiltHost;
  let owner: ConsolePage;
  let server: ModelServer;
  let main: string;

  beforeAll(async () => {
    server = await startOpenAiServer({ rules: { models: [MODEL, 'next-model'] } });
    atPage = await OwnerAtPage.open();
    ({ host, owner } = atPage);
    main = await findMain(host);
    await thinkWith(host, server, main);
    const says = await sayTo(host, main);
    server.answer(
      says('The tide is low.', { input: 1_204, output: 88 }),
      says('It comes at noon.', { input: 2_310, output: 41, cached: 1_000 }),
      says('Better so.', { input: 10, output: 2 }),
    );
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
    await server?.[Symbol.asyncDispose]();
  });

  const dialog = () => owner.page.getByRole('dialog');
  const row = (key: string) => owner.page.locator(`tr[data-key="${key}"]`);
  const told = () => {
    const sum = (pick: (usage: ModelServer['told'][number]) => number) =>
      server.told.reduce((all, usage) => all + pick(usage), 0).toLocaleString('en-US');
    return { in: sum(({ input, cached = 0 }) => input - cached), out: sum(({ output }) => output) };
  };

  test('stands beneath each message that was answered, in numbers of the server, and whole in its details', async () => {
    await owner.say('how is the tide');
    await owner.fromAgent('The tide is low.').waitFor();
    const line = owner.mine('how is the tide').getByRole('button', { name: /^Answering this cost/ });
    expect(await line.textContent()).toBe('1,204 in · 88 out · $0');
    await owner.say('and then');
    await owner.fromAgent('It comes at noon.').waitFor();
    const second = owner.mine('and then').getByRole('button', { name: /^Answering this cost/ });
    expect(await second.textContent()).toBe('1,310 in · 1,000 cached · 41 out · $0');
    await owner.picture('usage-messages');
    await second.click();
    const cost = dialog().getByRole('region', { name: 'What answering cost' });
    await cost.getByText('1,000 tokens').waitFor();
    await owner.picture('usage-message-details');
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  test('is summed in the panel of the chat and on its page, as the API and the server count it', async () => {
    await owner.page.getByRole('button', { name: 'Chat details' }).click();
    const sums = dialog().getByRole('region', { name: 'What this chat cost' });
    await sums.getByText(`${told().in} tokens`).waitFor();
    await sums.getByText(`${told().out} tokens`).waitFor();
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });

    await owner.goTo('Usage');
    for (const by of ['day', 'agent', 'model', 'person', 'chat']) {
      await owner.page.getByLabel('By', { exact: true }).selectOption({ label: by });
      await owner.page.getByRole('region', { name: `By ${by}` }).waitFor();
      const cells = async () => [by, ...(await row('sum').getByRole('cell').allTextContents())];
      await expect.poll(cells).toEqual([by, '2', told().in, '1,000', told().out, '$0']);
    }
    const { sum } = sumSchema.parse(await askHost(host, '/usage?days=2', 'GET'));
    expect([sum.calls, sum.inputTokens.toLocaleString('en-US'), sum.outputTokens.toLocaleString('en-US')]).toEqual([
      ...[2, told().in, told().out],
    ]);
    await owner.page.getByLabel('By', { exact: true }).selectOption({ label: 'model' });
    await row(`${SERVICE}/${MODEL}`).waitFor();
    await owner.picture('usage-desktop');
  });

  test('has a cap that an owner sets, sees filled, changes and removes', async () => {
    await owner.page.getByRole('button', { name: 'Set a budget' }).click();
    await dialog().getByLabel('Of', { exact: true }).selectOption({ label: 'main' });
    await dialog().getByLabel('In', { exact: true }).selectOption({ label: 'tokens' });
    await dialog().getByLabel('At most, in tokens of all sorts').fill('a few');
    await dialog().getByText('Expected a whole number').waitFor();
    expect(await dialog().getByRole('button', { name: 'Set', exact: true }).isDisabled()).toBe(true);
    await dialog().getByLabel('At most, in tokens of all sorts').fill('4,000');
    await dialog().getByRole('button', { name: 'Set', exact: true }).click();
    const bar = owner.page.getByRole('progressbar', { name: 'main, each day' });
    await bar.waitFor();
    expect(await bar.getAttribute('aria-valuenow')).toBe('91');
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await bar.waitFor();
    await owner.page.getByRole('button', { name: 'Change: main, each day' }).click();
    await dialog().getByRole('textbox').fill('8000');
    await dialog().getByRole('button', { name: 'Set', exact: true }).click();
    await owner.page.getByText('3,643 of 8,000 tokens · 45 %').waitFor();
    await owner.picture('agent-thinks');
    await owner.page.getByRole('button', { name: 'Remove: main, each day' }).click();
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await bar.waitFor({ state: 'detached' });
  });

  test('has a price that is changed at its page, and holds for the next call', async () => {
    const price = { service: SERVICE, model: MODEL, input: 1_000, output: 1_000, cacheRead: 0, cacheWrite: 0 };
    await askHost(host, '/prices', 'PUT', price);
    await owner.goTo('Usage');
    await owner.page.getByText('$1 in, $1 out, $0 from the cache').waitFor();
    await owner.page.getByRole('button', { name: `Change the price: ${SERVICE}/${MODEL}` }).click();
    await dialog().getByLabel('In', { exact: false }).first().fill('3');
    await dialog().getByLabel('Out').fill('cheap');
    await dialog().getByText('Such as 3 or 0.25').waitFor();
    // As much as a dollar for a token may be; more is said here, not by the host.
    await dialog().getByLabel('Out').fill('1000000');
    await dialog().getByText('Such as 3 or 0.25').waitFor({ state: 'detached' });
    await dialog().getByLabel('Out').fill('1000000.001');
    await dialog().getByText('Such as 3 or 0.25').waitFor();
    await dialog().getByLabel('Out').fill('15');
    await owner.picture('set-price');
    await dialog().getByRole('button', { name: 'Set', exact: true }).click();
    await owner.page.getByText('$3 in, $15 out, $0 from the cache').waitFor();
    await askHost(host, '/budgets', 'PUT', {
      ...{ scope: 'agent', subject: main, period: 'day', unit: 'tokens', amount: 4_000 },
    });
    await owner.pages.getByRole('link', { name: 'Chats' }).click();
    await owner.say('in earnest');
    await owner.fromAgent('Better so.').waitFor();
    const line = owner.mine('in earnest').getByRole('button', { name: /^Answering this cost/ });
    expect(await line.textContent()).toBe('10 in · 2 out · $0.0001');
  });

  test('has a price ahead of the first call, of a model that its service lists or that is typed', async () => {
    await owner.goTo('Usage');
    const open = owner.page.getByRole('button', { name: 'Set a model’s price' });
    await open.click();
    expect(await dialog().getByRole('button', { name: 'Set', exact: true }).isDisabled()).toBe(true);
    await dialog().getByLabel('Service').selectOption(SERVICE);
    await dialog().getByRole('button', { name: 'List its models' }).click();
    await dialog().getByLabel('Those it has').selectOption(MODEL);
    await dialog()
      .getByText(/It has a price: “Change”/)
      .waitFor();
    await dialog().getByLabel('Those it has').selectOption('next-model');
    await dialog()
      .getByText(/It has a price: “Change”/)
      .waitFor({ state: 'detached' });
    await dialog().getByRole('textbox', { name: 'In', exact: true }).fill('2');
    await dialog().getByRole('textbox', { name: 'Out' }).fill('8');
    await owner.picture('set-price-ahead');
    await dialog().getByRole('button', { name: 'Set', exact: true }).click();
    await dialog().waitFor({ state: 'detached' });
    await expect.poll(() => open.evaluate((it) => it.matches(':focus'))).toBe(true);
    await owner.page.getByText(`${SERVICE}/next-model`).waitFor();
    await owner.page.getByText('$2 in, $8 out, $2 from the cache').waitFor();

    await open.click();
    await dialog().getByLabel('Service').selectOption('anthropic');
    await dialog().getByRole('textbox', { name: 'Model' }).fill('not a model');
    await dialog().getByText('Expected a model’s name').waitFor();
    await dialog().getByRole('textbox', { name: 'Model' }).fill('claude-sonnet-4-5');
    await dialog()
      .getByText(/The list price that this version knows: \$3 in, \$15 out/)
      .waitFor();
    await owner.page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'detached' });
  });

  test('asks an owner at 80 % on a card, and approving raises the cap', async () => {
    await owner.pages.getByText('waiting').waitFor({ state: 'attached' });
    await owner.goTo('Approvals');
    const card = owner.page.locator('article[data-approval][data-state="pending"]');
    await card.first().waitFor();
    await owner.picture('approval-budget');
    await card.first().getByRole('button').first().click();
    await owner.page.getByText('Nothing waits for you.').waitFor();
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await owner.page.getByRole('progressbar', { name: 'main, each day' }).waitFor();
    await expect.poll(() => owner.page.getByText(/^3,655 of 4,000 tokens/).count()).toBe(0);
  });

  test('fits on a phone, where the pages beyond the bar are behind “More”, in the dark too', async () => {
    await askHost(host, '/budgets', 'PUT', { scope: 'host', subject: '', period: 'month', unit: 'usd', amount: 5e9 });
    await owner.page.setViewportSize(PHONE);
    await owner.goTo('Usage');
    await row('sum').waitFor();
    await owner.page.getByRole('progressbar').first().waitFor();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('usage-phone');
    await owner.pages.getByRole('button', { name: 'More' }).click();
    await owner.pages.getByRole('link', { name: 'Ledger' }).waitFor();
    await owner.picture('more-phone');
    await owner.page.keyboard.press('Escape');
    await owner.page.emulateMedia({ colorScheme: 'dark' });
    await owner.page.goto(`${host.origin}/agents/${main}`);
    await owner.page.getByRole('progressbar').first().waitFor();
    expect(await owner.overflow()).toBe(0);
    await owner.picture('agent-thinks-phone-dark');
    await owner.page.emulateMedia({ colorScheme: 'light' });
    // The narrowest that is common.
    await owner.page.setViewportSize({ width: 375, height: 667 });
    for (const place of ['usage', 'egress', 'secrets', `agents/${main}`, 'approvals']) {
      await owner.page.goto(`${host.origin}/${place}`);
      await owner.page.locator('main section').first().waitFor();
      expect([place, await owner.overflow()]).toEqual([place, 0]);
    }
    await owner.page.setViewportSize(DESKTOP);
    for (const place of ['usage', `agents/${main}`]) {
      await owner.page.goto(`${host.origin}/${place}`);
      await owner.page.getByRole('progressbar').first().waitFor();
      expect([place, await owner.listNameless()]).toEqual([place, []]);
    }
    expect(owner.complaints).toEqual([]);
    expect(server.wrong.map(({ problem }) => problem)).toEqual([]);
  });
});
