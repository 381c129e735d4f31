/** What the tools of one turn work with. */
import type { ToolContext } from '../tools/context.ts';
import { describeError, log } from './log.ts';
import type { InboundMessage, SentRow } from './message.ts';
import { isPassing } from './outbox.ts';
import type { ReplyFacts } from './replies.ts';
import type { RingWatch } from './ring-watch.ts';
import type { ToolsInFlight } from './tools-in-flight.ts';
import type { TurnParts } from './turn.ts';
import type { TurnScope } from './turn-scope.ts';

/** The host's words for the end of a question. */
const QUESTION_ENDS: readonly string[] = ['question_answered', 'question_expired'];

interface TurnOfTools {
  scope: TurnScope;
  watch: RingWatch;
  inFlight: ToolsInFlight;
  facts: () => ReplyFacts;
  signal: AbortSignal;
}

export function createToolContext(parts: TurnParts, turn: TurnOfTools): ToolContext {
  const { session, paths, outFiles, outbox, inbox } = parts;
  const isNumber = (reference: string) => /^\d{1,15}$/.test(reference);
  return {
    session,
    paths,
    outFiles,
    now: () => Date.now(),
    facts: turn.facts,
    send: (draft, id) => turn.scope.send(draft, id),
    takeEarlier: (draft) => turn.scope.takeEarlier(draft),
    hasEarlier: (draft) => turn.scope.hasEarlier(draft),
    findOwn: (reference) => (isNumber(reference) ? outbox.bySeq(Number(reference)) : outbox.byId(reference)),
    findReceived(reference) {
      const read = inbox.read((tables) =>
        isNumber(reference) ? tables.bySeq(Number(reference)) : tables.byId(reference),
      );
      return read.kind === 'read' ? read.value : null;
    },
    findDelivery(messageId) {
      const read = inbox.read((tables) => tables.delivery(messageId));
      return read.kind === 'read' ? read.value : null;
    },
    takeAnswer: (question) => takeAnswer(parts, turn.scope, question),
    watch: (look, timeoutMs) => turn.watch.watch(look, timeoutMs),
    signal: turn.signal,
    declare: (tool, timeoutMs) => turn.inFlight.begin(tool, timeoutMs),
  };
}

function takeAnswer({ inbox, outbox }: TurnParts, scope: TurnScope, question: SentRow): InboundMessage | null {
  const read = inbox.read((tables) => tables.noticesOn(question));
  if (read.kind === 'unavailable') return null;
  const answer = read.value.find(({ content }) => QUESTION_ENDS.includes(content.event ?? ''));
  if (answer === undefined) return null;
  // One that an earlier turn has seen already is found again, but has its end.
  if (!outbox.isTaken(answer)) {
    claimNow(outbox, answer);
    scope.absorb(answer);
  }
  return answer;
}

/** Nobody else takes it while this turn's message is open, so a claim that fails is only late to be seen. */
function claimNow(outbox: TurnParts['outbox'], answer: InboundMessage): void {
  try {
    outbox.claim([answer], [], Date.now());
  } catch (error) {
    if (!isPassing(error)) throw error;
    log.warn('cannot claim an answer now', { error: describeError(error) });
  }
}
