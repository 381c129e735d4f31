/** A question with buttons in a real browser against the built host: mouse, keyboard, phone, and too late. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConsolePage, PHONE } from './console-page.ts';
import { OwnerAtPage } from './owner-at-page.ts';

describe('a question of an agent', () => {
  let atPage: OwnerAtPage;
  let person: ConsolePage;

  beforeAll(async () => {
    atPage = await OwnerAtPage.open();
    person = atPage.owner;
  });

  afterAll(async () => {
    await atPage?.[Symbol.asyncDispose]();
  });

  const card = (question: string) => person.page.locator('section[data-state]').filter({ hasText: question });

  test('has a button for each option, reached by keyboard, and then says who chose what', async () => {
    await person.say('ask me: Which colour? Deep blue, Red or Green');
    const asked = card('Which colour?');
    await asked.getByRole('button').nth(2).waitFor();
    expect(await asked.getByRole('button').allTextContents()).toEqual(['Deep blue', 'Red', 'Green']);
    expect(await asked.getByRole('status').textContent()).toMatch(/^Open until /);
    await asked.getByRole('button', { name: 'Deep blue' }).focus();
    await person.page.keyboard.press('Tab');
    await person.page.keyboard.press('Enter');
    await asked.getByText(/^Owner chose “Red”/).waitFor();
    await expect.poll(() => asked.getByRole('button', { disabled: true }).count()).toBe(3);
    expect(await asked.getByRole('button', { name: 'Red' }).getAttribute('aria-pressed')).toBe('true');
    await person.fromAgent('Owner chose: Red').waitFor();
  });

  test('is answered with a number too, and the number stands in the conversation', async () => {
    await person.say('ask me: Which size? Small or Large');
    await card('Which size?').getByRole('button', { name: 'Large' }).waitFor();
    await person.say('2');
    await card('Which size?')
      .getByText(/^Owner chose “Large”/)
      .waitFor();
    await person.mine('2').waitFor();
    expect(await person.mine('2').count()).toBe(1);
  });

  test('keeps its buttons when the host does not answer, and says what to do', async () => {
    await person.say('ask me: Which day? Monday or Friday');
    const asked = card('Which day?');
    await asked.getByRole('button', { name: 'Friday' }).waitFor();
    await person.page.route('**/answer', (route) => route.abort());
    await asked.getByRole('button', { name: 'Friday' }).click();
    await asked.getByRole('alert').getByText('Choose again when the connection is back.').waitFor();
    await person.page.unroute('**/answer');
    await asked.getByRole('button', { name: 'Friday' }).click();
    await asked.getByText(/^Owner chose “Friday”/).waitFor();
    await expect.poll(() => asked.getByRole('alert').count()).toBe(0);
  });

  test('fits a phone: each option can be hit with a thumb', async () => {
    await person.page.setViewportSize(PHONE);
    await person.say('ask me: Which city? Lisbon, Porto or Faro');
    const button = card('Which city?').getByRole('button', { name: 'Faro' });
    const box = await button.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(36);
    expect(box?.width).toBeGreaterThan(250);
    await button.click();
    await card('Which city?')
      .getByText(/^Owner chose “Faro”/)
      .waitFor();
    expect(person.complaints).toEqual([]);
  });
});
