/** What became of one call to an agent's model, in words for the person who asked for it. Pure. */

import { shellWord } from '../../../shared/shell-word.ts';
import { assertNever } from '../../config/errors.ts';
import { quoteServer, sayAnswer } from './answer-words.ts';
import type { Probed, ProbeOutcome, ProbeReport, Words } from './report.ts';

/** Of a list that helps to choose. Higher: it scrolls away what is above it. Lower: the wanted one is not on it. */
const MAX_MODELS = 20;

export function planReport(probed: Probed, outcome: ProbeOutcome): ProbeReport {
  const answer = outcome.kind === 'answered' ? outcome.answer : null;
  const words = answer === null ? sayUnanswered(probed, outcome) : sayAnswer(probed, answer);
  const models = outcome.kind === 'answered' && words.code === 'unknown_model' ? (outcome.models ?? []) : [];
  const isFine = words.code === 'works' || words.code === 'no_model';
  return {
    ok: isFine,
    ...words,
    said: isFine ? null : quoteServer(answer),
    models: models.slice(0, MAX_MODELS),
  };
}

function sayUnanswered({ agentName, provider }: Probed, outcome: ProbeOutcome): Words {
  const agent = shellWord(agentName);
  switch (outcome.kind) {
    case 'no-model':
      return {
        code: 'no_model',
        text: `${agentName} thinks with the provider ${provider}, which needs no model and no key: there is nothing to test.`,
        next: `portolan provider set ${agent} claude`,
      };
    case 'no-key':
      return { code: 'no_key', text: `No call was made: ${outcome.why}.`, next: outcome.next };
    case 'image-waiting':
      return {
        code: 'image_waiting',
        text: `${outcome.reason} The call is made in a container of it: try again when it is built.`,
        next: `portolan builds log ${agent} --follow`,
      };
    case 'image-failed':
      return { code: 'image_failed', text: outcome.reason, next: `portolan builds retry ${agent}` };
    case 'engine-away':
      return {
        code: 'engine_away',
        text: `Docker is away, and the call is made in a container: ${outcome.reason}.`,
        next: outcome.hint,
      };
    case 'not-started':
      return {
        code: 'not_started',
        text: `The container for the call did not start: ${outcome.reason}.`,
        next: outcome.hint ?? 'portolan doctor',
      };
    case 'timed-out':
      return {
        code: 'timed_out',
        text: `No answer came within ${Math.round(outcome.afterMs / 1_000)} s.`,
        next: `portolan egress list --agent ${agent}`,
      };
    case 'silent':
      return {
        code: 'no_answer',
        text: `The container ended without a word${outcome.exitCode === null ? '' : ` (exit code ${outcome.exitCode})`}.`,
        next: 'portolan doctor',
      };
    case 'answered':
      throw new Error('an answer has words of its own');
    default:
      return assertNever(outcome);
  }
}
