/** The host's API over its Unix socket: each call one route, each kind of resource a file of `resources/`. */
import { Requests } from './requests.ts';
import { accessCalls } from './resources/access.ts';
import { agentCalls } from './resources/agents.ts';
import { approvalCalls } from './resources/approvals.ts';
import { buildCalls } from './resources/builds.ts';
import { chatCalls } from './resources/chats.ts';
import { configCalls } from './resources/configs.ts';
import { hostCalls } from './resources/host.ts';
import { ledgerCalls } from './resources/ledger.ts';
import { messageCalls } from './resources/messages.ts';
import { mountCalls } from './resources/mounts.ts';
import { peopleCalls } from './resources/people.ts';
import { providerCalls } from './resources/providers.ts';
import { secretCalls } from './resources/secrets.ts';
import { serviceCalls } from './resources/services.ts';
import { sessionCalls } from './resources/sessions.ts';
import { signInCalls } from './resources/sign-ins.ts';
import { taskCalls } from './resources/tasks.ts';
import { usageCalls } from './resources/usage.ts';
import { vaultCalls } from './resources/vault.ts';

export type HostApi = ReturnType<typeof createHostApi>;

/** Opens nothing: each call is a connection. They throw CliError, with the exit code of the command. */
export function createHostApi(socketPath: string) {
  const requests = new Requests(socketPath);
  return {
    ...hostCalls(requests),
    ...agentCalls(requests),
    ...configCalls(requests),
    ...mountCalls(requests),
    ...providerCalls(requests),
    ...buildCalls(requests),
    ...accessCalls(requests),
    ...secretCalls(requests),
    ...serviceCalls(requests),
    ...vaultCalls(requests),
    ...chatCalls(requests),
    ...sessionCalls(requests),
    ...messageCalls(requests),
    ...taskCalls(requests),
    ...approvalCalls(requests),
    ...peopleCalls(requests),
    ...signInCalls(requests),
    ...usageCalls(requests),
    ...ledgerCalls(requests),
  };
}
