/** The built host as its own process, on a throwaway home and a free port, as `npm run up` runs it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SIGN_IN_LINK = /http:\/\/127\.0\.0\.1:\d+\/#token=[\w.~-]+/;
/** From start to printed link; too low fails on a busy machine. */
const START_MS = 60_000;

const sessionsSchema = z.object({ items: z.array(z.object({ id: z.string(), state: z.string() })) });

export class BuiltHost {
  readonly home: string;
  readonly #folder: string;
  readonly #driver: string;
  #child: ChildProcess | null = null;
  #output = '';
  /** Of the system's choice at the first start, the same at the next ones: the page comes back to it. */
  #port = 0;
  /** It printed its link: there is somebody to ask. */
  #isReady = false;

  private constructor(folder: string, driver: string) {
    this.#folder = folder;
    this.#driver = driver;
    this.home = join(folder, 'home');
  }

  /** Agents are plain processes, where a test asks for no containers. */
  static async make(driver = process.env.PORTOLAN_BROWSER_DRIVER ?? 'process'): Promise<BuiltHost> {
    return new BuiltHost(mkdtempSync(join(tmpdir(), 'portolan-web-')), driver);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it and returns the sign-in link that it prints. */
  async start(): Promise<string> {
    this.#output = '';
    const child = spawn(process.execPath, [join(ROOT, 'dist/host.mjs')], {
      cwd: ROOT,
      env: {
        ...process.env,
        PORTOLAN_HOME: this.home,
        PORTOLAN_PORT: String(this.#port),
        PORTOLAN_DRIVER: this.#driver,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`the host ${why}; it printed:\n${this.#output}`));
      const timer = setTimeout(() => fail(`printed no sign-in link within ${START_MS} ms`), START_MS);
      const hear = (chunk: Buffer) => {
        this.#output += chunk.toString();
        const link = SIGN_IN_LINK.exec(this.#output)?.[0];
        if (link === undefined) return;
        clearTimeout(timer);
        this.#port = Number(new URL(link).port);
        this.#isReady = true;
        resolve(link);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        fail(`ended with ${signal ?? code} before it was ready`);
      });
    });
  }

  /** Ends it at once, as a power cut would; its agents live on until the next start or `dispose`. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async dispose(): Promise<void> {
    // A host that stops leaves its agents at work for the next one; here there is no next one.
    // One that never was ready has none, and what it printed is what its test fails with.
    if (this.#child !== null && this.#isReady) await this.#stopAgents();
    await this.#end('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #stopAgents(): Promise<void> {
    const authorization = `Bearer ${readFileSync(join(this.home, 'api-token'), 'utf8').trim()}`;
    const sessions = `${this.origin}/api/v1/sessions`;
    const ask = (url: string, method: string) => fetch(url, { method, headers: { authorization } });
    await until('every agent to stop', async () => {
      const page = sessionsSchema.parse(await (await ask(sessions, 'GET')).json());
      const awake = page.items.filter((session) => session.state !== 'idle');
      for (const session of awake) await ask(`${sessions}/${session.id}/stop`, 'POST');
      return awake.length === 0;
    });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
