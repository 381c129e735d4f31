/** What the doctor sees of agents' models: what the host says of them, or what one that does not run would use. */
import { modelServiceOf } from '../../../shared/providers.ts';
import { errorCode } from '../../config/errors.ts';
import { createHostApi } from '../client/api.ts';
import { CliError } from '../errors.ts';
import type { DatabaseFact, HostFact, ModelsFact } from './facts.ts';

/** Higher: doctor seems to hang beside a busy host. Lower: nothing is said of models then. */
const DEADLINE_MS = 3_000;

export async function gatherModels(
  { socket, centralDb }: { socket: string; centralDb: string },
  host: HostFact,
  database: DatabaseFact,
): Promise<ModelsFact> {
  if (host.kind !== 'running') return readModels(centralDb, database);
  try {
    const { agents } = await createHostApi(socket).listProviders(AbortSignal.timeout(DEADLINE_MS));
    return { kind: 'known', agents };
  } catch (error) {
    // Of another version, or too slow: its own finding says so.
    if (error instanceof CliError || errorCode(error) === 'ABORT_ERR') return { kind: 'unknown' };
    throw error;
  }
}

async function readModels(path: string, database: DatabaseFact): Promise<ModelsFact> {
  if (database.kind !== 'version' || database.version !== database.known) return { kind: 'unknown' };
  // Loaded here: most commands need none of it.
  const { readProviders } = await import('../../store/read-providers.ts');
  try {
    const agents = await readProviders(path);
    return {
      kind: 'recorded',
      agents: agents.map((agent) => ({ agentName: agent.agentName, service: modelServiceOf(agent) })),
    };
  } catch (error) {
    // The finding of the database says it.
    if (!errorCode(error).startsWith('SQLITE_')) throw error;
    return { kind: 'unknown' };
  }
}
