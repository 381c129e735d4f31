/** The console in Debian's Chromium, in the words of a person who uses it. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, errors, type Locator, type Page } from 'playwright-core';
import { until } from '../support/until.ts';

/** Debian's and Ubuntu's places; `PORTOLAN_CHROMIUM` names another. */
const PLACES = [
  process.env.PORTOLAN_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const PICTURES = new URL('../../dist/pictures/', import.meta.url).pathname;

/** What a page takes to show something, a container's answer included, on a busy machine. Higher: a hang is named late. */
const STEP_MS = 60_000;
/** For a click on what is there; past it, it is looked for anew. Lower: no click on a busy machine gets through. */
const CLICK_MS = 5_000;
/** From start to a browser that answers: hundreds of megabytes, from a disk that may be slow. */
const LAUNCH_MS = 120_000;

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Where there is none of these, the browser that `npx playwright-core install chromium` brought. */
export function launchChromium(): Promise<Browser> {
  const executablePath = PLACES.find((place) => place !== undefined && existsSync(place));
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  const options = { args, timeout: LAUNCH_MS };
  return chromium.launch(executablePath === undefined ? options : { ...options, executablePath });
}

export class ConsolePage {
  readonly page: Page;
  /** What the browser complained about, e.g. breaches of the content security policy. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.setDefaultTimeout(STEP_MS);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      // Requests that fail while the host is away are part of the story.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
        this.complaints.push(message.text());
      }
    });
  }

  static async open(browser: Browser, options: BrowserContextOptions = { viewport: DESKTOP }): Promise<ConsolePage> {
    const context = await browser.newContext({ colorScheme: 'light', locale: 'en-GB', ...options });
    return new ConsolePage(await context.newPage());
  }

  get chats(): Locator {
    return this.page.getByRole('navigation', { name: 'Chats' });
  }

  get composer(): Locator {
    return this.page.locator('[data-composer]');
  }

  get messages(): Locator {
    return this.page.getByRole('article');
  }

  /** Links to the pages beside the chats. */
  get pages(): Locator {
    return this.page.getByRole('navigation', { name: 'Pages' });
  }

  /** Opens a page of the navigation; resolves when it is the one that is shown. */
  async goTo(name: string): Promise<void> {
    await until(`a way to the page ${name}`, () => this.#tryToGo(name), STEP_MS);
    await this.page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
  }

  /** False: what was there a moment ago is gone, as when the bar changes with the window's width. */
  async #tryToGo(name: string): Promise<boolean> {
    const link = this.pages.getByRole('link', { name });
    const more = this.pages.getByRole('button', { name: 'More' });
    await link.or(more).first().waitFor();
    try {
      // On a phone some are behind it.
      if ((await link.count()) === 0) await more.click({ timeout: CLICK_MS });
      await link.click({ timeout: CLICK_MS });
      return true;
    } catch (error) {
      if (error instanceof errors.TimeoutError) return false;
      throw error;
    }
  }

  /** Pixels that the page is wider than the window: 0 when nothing has to be scrolled sideways. */
  async overflow(): Promise<number> {
    return Number(await this.page.evaluate('document.documentElement.scrollWidth - innerWidth'));
  }

  /** Kept for who wants to look: `dist/pictures/<name>.png`. */
  async picture(name: string): Promise<void> {
    await this.page.screenshot({ path: `${PICTURES}${name}.png` });
  }

  /** Controls without a name that a screen reader could say. */
  async listNameless(): Promise<unknown> {
    return this.page.evaluate(`[...document.querySelectorAll('a, button, input, select, textarea, summary')]
      .filter((it) => it.checkVisibility() && it.type !== 'hidden')
      .filter((it) => !(it.innerText || it.getAttribute('aria-label') || it.labels?.[0]?.innerText))
      .map((it) => it.outerHTML)`);
  }

  /** My messages with exactly this text, sent or not. */
  mine(text: string): Locator {
    return this.page.locator('[data-mine]').filter({ has: this.page.getByText(text, { exact: true }) });
  }

  /** What the agent wrote and holds this text. */
  fromAgent(text: string | RegExp): Locator {
    return this.page.locator('[data-message]:not([data-mine])').filter({ hasText: text });
  }

  async signIn(link: string): Promise<void> {
    await this.page.goto(link);
    await this.chats.waitFor();
  }

  /** Path of the chat that is shown. */
  get here(): string {
    return new URL(this.page.url()).pathname;
  }

  /** Starts a chat; resolves when it is the one that is shown. */
  async startChat(): Promise<void> {
    const before = this.here;
    await this.page.getByRole('button', { name: 'New chat' }).click();
    await this.page.waitForURL((url) => url.pathname !== before);
    await this.#waitForChat(this.here);
  }

  /** Opens a chat of the list by its path; resolves when it is the one that is shown. */
  async openChat(path: string, how: 'click' | 'tap' = 'click'): Promise<void> {
    const row = this.chats.locator(`a[href="${path}"]`);
    await (how === 'tap' ? row.tap() : row.click());
    await this.page.waitForURL((url) => url.pathname === path);
    await this.#waitForChat(path);
  }

  /** Paths of all chats in the list, in its order. */
  async listChats(): Promise<string[]> {
    const rows = await this.chats.locator('a').all();
    const paths = await Promise.all(rows.map((row) => row.getAttribute('href')));
    return paths.filter((path) => path !== null);
  }

  async #waitForChat(path: string): Promise<void> {
    // On a phone the list is there, but hidden beside the conversation, also from roles.
    await this.page.locator(`nav a[href="${path}"][aria-current]`).waitFor({ state: 'attached' });
    await this.composer.waitFor();
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  async attach(name: string, content: string, contentType = 'text/plain'): Promise<void> {
    const file = { name, mimeType: contentType, buffer: Buffer.from(content) };
    await this.page.locator('input[type=file]').setInputFiles(file);
    await this.page.getByRole('list', { name: 'Files to send' }).getByText(name).waitFor();
  }
}
