/** Programs that the runner starts have a process group of their own, so that what they start dies with them. */
import type { ChildProcess } from 'node:child_process';

/** Ends everybody in the group of a child that was spawned `detached`. Fine when nobody is left there. */
export function killGroup({ pid }: Pick<ChildProcess, 'pid'>, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** Debian keeps small programs for fun in /usr/games, which the image's own PATH leaves out. */
const MORE_PATH = ['/usr/games', '/usr/local/games'];
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** Where programs of an agent run. */
export interface ProgramPlace {
  homeFolder: string;
  /** IANA name. */
  timezone: string;
  /** Of the gateway on 127.0.0.1. */
  gatewayPort: number;
}

/** What such a program is given: where programs are and which way leads outside, and nothing of this process's own (I7). */
export function cleanEnvironment({ homeFolder, timezone, gatewayPort }: ProgramPlace): Record<string, string> {
  const path = [process.env.PATH ?? DEFAULT_PATH, ...MORE_PATH].join(':');
  return { PATH: path, HOME: homeFolder, TZ: timezone, LANG: 'C.UTF-8', ...proxyEnvironment(gatewayPort) };
}

/** Names in both cases, for programs know one or the other; Node goes by them only when told to. */
function proxyEnvironment(port: number): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const inside = 'localhost,127.0.0.1,::1';
  return {
    ...{ HTTP_PROXY: proxy, http_proxy: proxy, HTTPS_PROXY: proxy, https_proxy: proxy },
    ...{ NO_PROXY: inside, no_proxy: inside, NODE_USE_ENV_PROXY: '1' },
  };
}
