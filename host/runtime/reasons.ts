/** Why runs end, as words for programs and sentences for people. */
import { assertNever } from '../config/errors.ts';
import type { DriverFaultKind } from './drivers/driver.ts';

/** Stops that count as a failure of the run. */
const FAILING_STOPS = ['stuck', 'start-timeout', 'turn-too-long', 'holds-lock'] as const;
export type FailingStop = (typeof FAILING_STOPS)[number];

const QUIET_STOPS = [
  'idle',
  'make-room',
  'memory',
  'config-changed',
  'restart',
  'quarantined',
  'ended',
  'requested',
  'stopped',
] as const;
/** Why a container is stopped. */
export type StopReason = (typeof QUIET_STOPS)[number] | FailingStop;

/** The stop reason of a stored record. */
export function parseStopReason(text: string | null): StopReason {
  return [...QUIET_STOPS, ...FAILING_STOPS].find((each) => each === text) ?? 'requested';
}

/** Why a run failed. */
export type FailureReason =
  | FailingStop
  | Exclude<DriverFaultKind, 'engine-away' | 'gone'>
  | (typeof RUN_FAILURES)[number];

const RUN_FAILURES = [
  'refused',
  'no-gateway',
  'out-of-memory',
  'crashed',
  'vanished',
  'bad-contract',
  'unknown-provider',
] as const;
const START_FAILURES = [
  'image-missing',
  'name-conflict',
  'no-resources',
  'stubborn',
  'bad-spec',
  'recovery',
  'mount-refused',
  'engine-refused',
] as const;

/** The sentence for a stored reason. */
export function describeStored(text: string | null): string {
  const reason = [...FAILING_STOPS, ...RUN_FAILURES, ...START_FAILURES].find((each) => each === text);
  return reason === undefined ? 'The agent failed.' : describeFailure(reason);
}

export function isFailingStop(reason: string | null): reason is FailingStop {
  return FAILING_STOPS.some((each) => each === reason);
}

/** One sentence for people: what happened, and what to do about it when there is something. */
export function describeFailure(reason: FailureReason): string {
  switch (reason) {
    case 'stuck':
      return 'The agent stopped answering and was ended.';
    case 'start-timeout':
      return 'The agent did not come up in time. See `npx portolan doctor`.';
    case 'turn-too-long':
      return 'The agent worked on one message for too long and was ended.';
    case 'holds-lock':
      return 'The agent held its inbox locked and was ended.';
    case 'image-missing':
      return 'The agent image is missing. Run `npm run up`, which builds it.';
    case 'name-conflict':
      return 'Another container of this session is in the way. See `docker ps -a`.';
    case 'no-resources':
      return 'The machine has no room for another agent: free memory or disk.';
    case 'stubborn':
      return 'The container could not be ended. See `docker ps`.';
    case 'bad-spec':
      return 'The container config of this agent cannot work. See `npx portolan doctor`.';
    case 'recovery':
      return 'A commit that was cut off could not be rolled back.';
    case 'mount-refused':
      return 'A folder that this agent was given may not be mounted now. See `npx portolan mounts list <agent>`.';
    case 'engine-refused':
      return 'Docker refused to start the agent. See the host log.';
    case 'refused':
      return 'The agent could not be prepared. See the host log.';
    case 'no-gateway':
      return 'The agent’s way to its model and to the outside could not be opened. See the host log.';
    case 'out-of-memory':
      return 'The agent ran out of memory. Raise its limit, or ask for less at once.';
    case 'crashed':
      return 'The agent ended unexpectedly.';
    case 'vanished':
      return 'The agent’s container disappeared.';
    case 'bad-contract':
      return 'The agent image is of another version than this host. Run `npm run up`, which rebuilds it.';
    case 'unknown-provider':
      return 'The provider of this agent is not in the image.';
    default:
      return assertNever(reason);
  }
}
