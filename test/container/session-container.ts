/** The runner of a session in a real container, as hardened as the host makes it. */
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { agentImage } from '../support/image.ts';
import type { SessionFixture } from './session-fixture.ts';

const AGENT_UID = 10001;

/** Starts the session's container, which ends with the test. */
export function startContainer(session: SessionFixture): Disposable & { look(command: string): string; pause(): void } {
  const { in: inFolder, out, state, agent } = session.folders;
  for (const path of [out, state, agent, ...readdirSync(out).map((name) => join(out, name))]) {
    chownSync(path, AGENT_UID, AGENT_UID);
  }
  const mounts = { out, state, agent };
  const id = execFileSync('docker', [
    ...['run', '--detach', '--rm', '--init', '--network', 'none', '--read-only', '--cap-drop', 'ALL'],
    ...['--security-opt', 'no-new-privileges', '--pids-limit', '64', '--memory', '256m'],
    ...['--tmpfs', `/tmp:rw,size=16m,uid=${AGENT_UID},gid=${AGENT_UID}`, '-v', `${inFolder}:/workspace/in:ro`],
    ...Object.entries(mounts).flatMap(([name, from]) => ['-v', `${from}:/workspace/${name}`]),
    agentImage(),
  ])
    .toString()
    .trim();
  return {
    look: (command) => execFileSync('docker', ['exec', id, 'sh', '-c', command], { encoding: 'utf8', timeout: 25_000 }),
    pause() {
      for (const verb of ['pause', 'unpause']) execFileSync('docker', [verb, id], { stdio: 'ignore' });
    },
    [Symbol.dispose]: () => void execFileSync('docker', ['kill', id], { stdio: 'ignore' }),
  };
}
