/** Many open ways out in a process of their own, so that all it uses is theirs: a real gateway on real stores. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { openStores } from '../../host/assembly/stores.ts';
import { Closers } from '../../host/closers.ts';
import { prepareHome } from '../../host/config/home.ts';
import { Credentials } from '../../host/egress/credentials.ts';
import { EgressLog } from '../../host/egress/egress-log.ts';
import { Gateway } from '../../host/egress/gateway.ts';
import { MeteredDoor } from '../../host/egress/model/metered-door.ts';
import { Services } from '../../host/egress/services.ts';
import { Vault } from '../../host/vault/vault.ts';
import { makeId } from '../../shared/ids.ts';
import { FILE_NAMES } from '../../shared/session-files.ts';

/** The argument that makes the bench program hold the ways out. */
export const DOORS_ARGUMENT = '--doors';

const bytesSchema = z.number();

/** Ways out that are held open by another process; nobody comes through. */
export class DoorsProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly pid: number;

  private constructor(child: ChildProcess, pid: number) {
    this.#child = child;
    this.pid = pid;
  }

  static async start(home: string): Promise<DoorsProgram> {
    const child = fork(process.argv[1] ?? '', [DOORS_ARGUMENT, home], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    if (child.pid === undefined) throw new Error('the process of the ways out cannot be started');
    return new DoorsProgram(child, child.pid);
  }

  /** Opens so many more. Resolves with the memory of the process, once its garbage is gone. */
  async open(count: number): Promise<number> {
    const told = once(this.#child, 'message');
    this.#child.send(count);
    const [bytes] = await told;
    return bytesSchema.parse(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.disconnect();
    await exited;
  }
}

/** The other process. Resolves when the bench is done with it. */
export async function runDoors(home: string): Promise<void> {
  const closers = new Closers();
  try {
    const gateway = buildGateway(home, closers);
    const agentGroupId = makeId('agentGroup');
    const open = async (count: number): Promise<void> => {
      for (let made = 0; made < count; made++) {
        const sessionId = makeId('session');
        const folder = join(home, 'sessions', agentGroupId, sessionId, 'in');
        mkdirSync(folder, { recursive: true });
        await gateway.open({ sessionId, agentGroupId }, join(folder, FILE_NAMES.gateway));
      }
      collectGarbage();
      process.send?.(process.memoryUsage.rss());
    };
    process.on('message', (count) => void open(Number(count)));
    const ended = once(process, 'disconnect');
    process.send?.('ready');
    await ended;
  } finally {
    await closers.closeAll();
  }
}

function buildGateway(home: string, closers: Closers): Gateway {
  const now = () => Date.now();
  const paths = prepareHome(home);
  const stores = openStores(paths, closers);
  const vault = closers.use(new Vault({ ...stores, paths, environment: [], now }));
  const model = closers.use(
    new MeteredDoor({
      ...{ ...stores, calls: stores.modelCalls, prices: stores.modelPrices, now },
      onSpent: () => undefined,
    }),
  );
  return closers.use(
    new Gateway({
      ...{ agents: stores.agents, services: new Services({ ...stores, now }), rules: stores.accessRules, model, now },
      ...{
        credentials: new Credentials(stores.secretUses, vault),
        log: closers.use(new EgressLog(stores.egressLog, now)),
      },
      resolve: async () => [],
    }),
  );
}

/** What the process would give back by itself, sooner or later. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}
