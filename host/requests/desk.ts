/**
 * The desk that answers every request of an agent.
 *
 * I1. A handler's work in the central database is synchronous, and is committed before the session's database
 *     says `delivered`: a crash in between answers the same row again, so a handler names what it makes after
 *     the row and finds it there the second time.
 * I2. Requests that are asked together share one commit: a flood of them does not stop the host for one each.
 * I3. A handler that throws answers nothing: the error ends the drain, which tries again.
 */
import type { Request, RequestOf } from '../../shared/requests.ts';
import type { TaskRequests } from '../schedule/requests.ts';
import type { Answered, Asked } from '../sessions/asked.ts';

/** One handler for each action; the compiler misses none. */
type Handlers = { [Action in Request['action']]: (asked: Asked<RequestOf<Action>>) => Answered };

/** Runs `work` in one transaction of the central database. */
export type CommitTogether = <T>(work: () => T) => T;

/** What an agent asks to be changed about itself. */
export type SelfRequest = RequestOf<
  'install_packages' | 'add_mcp_server' | 'remove_mcp_server' | 'request_rebuild' | 'restart' | 'report_mcp_servers'
>;

/** Answers what an agent asks about itself. */
export type ChangeSelf = (asked: Asked<SelfRequest>) => Answered;

/** Makes the agent that another asks for. */
export type MakeAgent = (asked: Asked<RequestOf<'create_agent'>>) => Answered;

/** Asks an admin to let an agent out. */
export type AskAccess = (asked: Asked<RequestOf<'request_access'>>) => Answered;

interface DeskParts {
  commit: CommitTogether;
  tasks: TaskRequests;
  makeAgent: MakeAgent;
  changeSelf: ChangeSelf;
  askAccess: AskAccess;
}

export class RequestDesk {
  readonly #commit: CommitTogether;
  readonly #handlers: Handlers;

  constructor({ commit, tasks, makeAgent, changeSelf, askAccess }: DeskParts) {
    this.#commit = commit;
    this.#handlers = {
      create_task: (asked) => tasks.create(asked),
      update_task: (asked) => tasks.update(asked),
      pause_task: (asked) => tasks.setState(asked),
      resume_task: (asked) => tasks.setState(asked),
      cancel_task: (asked) => tasks.setState(asked),
      create_agent: (asked) => makeAgent(asked),
      install_packages: (asked) => changeSelf(asked),
      add_mcp_server: (asked) => changeSelf(asked),
      remove_mcp_server: (asked) => changeSelf(asked),
      request_rebuild: (asked) => changeSelf(asked),
      restart: (asked) => changeSelf(asked),
      request_access: (asked) => askAccess(asked),
      report_mcp_servers: (asked) => changeSelf(asked),
    };
  }

  /** Answers in the order asked. Whatever a handler throws is thrown on, and nothing of the batch was done (I3). */
  answerAll(asked: readonly Asked[]): Answered[] {
    return asked.length === 0 ? [] : this.#commit(() => asked.map((one) => this.answer(one)));
  }

  answer<Action extends Request['action']>(asked: Asked<RequestOf<Action>>): Answered {
    // The table is keyed by the same word that the request carries, which the compiler cannot follow.
    const handler = this.#handlers[asked.request.action] as (asked: Asked<RequestOf<Action>>) => Answered;
    return handler(asked);
  }
}
