/** What the doctor sees of agents' models: what the host says of them. */
import { errorCode } from '../../config/errors.ts';
import { HostApi } from '../client/api.ts';
import { CliError } from '../errors.ts';
import type { HostFact, ModelsFact } from './facts.ts';

/** Higher: doctor seems to hang beside a busy host. Lower: nothing is said of models then. */
const DEADLINE_MS = 3_000;

export async function gatherModels(socket: string, host: HostFact): Promise<ModelsFact> {
  if (host.kind !== 'running') return { kind: 'unknown' };
  try {
    const { agents } = await new HostApi(socket).listProviders(AbortSignal.timeout(DEADLINE_MS));
    return { kind: 'known', agents };
  } catch (error) {
    // Of another version, or too slow: its own finding says so.
    if (error instanceof CliError || errorCode(error) === 'ABORT_ERR') return { kind: 'unknown' };
    throw error;
  }
}
