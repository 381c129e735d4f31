/** A host of the tests' own and a browser in which its owner is signed in: what most tests of the page begin with. */
import type { Browser } from 'playwright-core';
import { BuiltHost } from './built-host.ts';
import { ConsolePage, launchChromium } from './console-page.ts';

export class OwnerAtPage implements AsyncDisposable {
  readonly host: BuiltHost;
  readonly browser: Browser;
  readonly owner: ConsolePage;

  private constructor(host: BuiltHost, browser: Browser, owner: ConsolePage) {
    this.host = host;
    this.browser = browser;
    this.owner = owner;
  }

  /** Resolves when the first chat can be written in; what was started is ended when that fails. */
  static async open(): Promise<OwnerAtPage> {
    const host = await BuiltHost.make();
    let browser: Browser | null = null;
    try {
      const link = await host.start();
      browser = await launchChromium();
      const owner = await ConsolePage.open(browser);
      await owner.signIn(link);
      await owner.composer.waitFor();
      return new OwnerAtPage(host, browser, owner);
    } catch (error) {
      await browser?.close();
      await host.dispose();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.host.dispose();
  }
}
