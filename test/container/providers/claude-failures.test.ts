/** What people are told of a call that failed: the words of the server, or of the gateway, and not those of the SDK. */
import { expect, it } from 'vitest';
import { describeFailure } from '../../../container/providers/claude/failures.ts';
import { makeRefusalBody } from '../../../shared/gateway.ts';

const PLACE = { service: 'lab', model: 'claude-test', agentName: 'main' };
const NEXT =
  'An owner or a global admin sets its price, in dollars per million tokens: portolan price set lab claude-test --input 3 --output 15';

it('ends with what to do next, however long that is', () => {
  const why = `The budget of the agent “main”, $5.00 a day, is in money, and nobody has said what the model “${'m'.repeat(100)}” of lab costs.`;
  const { error } = makeRefusalBody('no_price', why, NEXT);
  expect(describeFailure({ status: 403, problem: null, words: `API Error: 403 ${error.message}` }, PLACE)).toEqual({
    retryable: false,
    message: `A call to lab was refused: “${why} → ${NEXT}”`,
  });
});

it('leaves out advice that is for whoever runs the SDK by hand', () => {
  const words =
    'API Error: 502 lab did not answer. This is a server-side issue, usually temporary — try again in a moment. ' +
    'If it persists, check your inference gateway (127.0.0.1:3128).';
  expect(describeFailure({ status: 502, problem: null, words }, PLACE)).toEqual({
    retryable: true,
    message: 'lab is out of order (502). It says: “lab did not answer”',
  });
});
