/** Docker's errors, translated where they enter. Knows the Engine API's answers, not dockerode. */
import { DriverFault } from './driver.ts';

/** No engine behind the socket. */
const AWAY = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EHOSTUNREACH']);

export type DockerAction = 'create' | 'start' | 'pause' | 'resume' | 'kill' | 'remove' | 'look' | 'wait';

/**
 * The fault that an answer of the engine, or the lack of one, means for this action. Anything that is
 * neither is a bug and comes back as it is.
 */
export function toDriverFault(action: DockerAction, error: unknown): unknown {
  if (error instanceof DriverFault || !(error instanceof Error)) return error;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : null;
  if (status !== null) return answered(action, status, error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'EACCES' || code === 'EPERM') {
    return new DriverFault('engine-away', 'this user may not use the Docker socket', {
      cause: error,
      hint: 'sudo usermod -aG docker "$USER", then sign in again',
    });
  }
  if (AWAY.has(code)) {
    return new DriverFault('engine-away', 'the Docker Engine does not answer', {
      cause: error,
      hint: 'start it: sudo systemctl start docker (or sudo dockerd)',
    });
  }
  return error;
}

/** The engine's HTTP status; 0 for an error without one. */
export function statusOf(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
}

function answered(action: DockerAction, status: number, cause: Error): DriverFault {
  if (action === 'create') {
    if (status === 404) {
      return new DriverFault('image-missing', 'the agent image is not on this engine', {
        cause,
        hint: 'build it: node scripts/build-image.mjs',
      });
    }
    if (status === 409) return new DriverFault('name-conflict', 'a container of this session exists', { cause });
    if (status === 400) return new DriverFault('bad-spec', 'the engine does not accept this container', { cause });
  } else if (status === 404 || status === 409) {
    return new DriverFault('gone', `the container is not in a state to ${action}`, { cause });
  }
  if (isShortage(cause)) {
    return new DriverFault('no-resources', 'the machine has no room for a container', {
      cause,
      hint: 'free disk or memory, or lower maxRunning',
    });
  }
  return new DriverFault('engine-refused', `the Docker Engine failed to ${action}`, { cause });
}

/** The engine passes the kernel's error on as text alone; there is no code to branch on. */
function isShortage(error: Error): boolean {
  return /no space left on device|cannot allocate memory|resource temporarily unavailable/i.test(error.message);
}
