/** What a model's server, or the gateway in front of it, answered to one call, in words. Pure. */
import type { GatewayRefusal } from '../../../shared/gateway.ts';
import type { ProbeAnswer } from '../../../shared/probe.ts';
import { findModelProvider } from '../../../shared/providers.ts';
import { shellWord } from '../../../shared/shell-word.ts';
import { assertNever } from '../../config/errors.ts';
import type { Probed, Words } from './report.ts';

/** Of what a server says. Higher: a page of HTML in a sentence. Lower: its reason is cut. */
const MAX_SAID = 300;
/** Statuses by which Anthropic and others say that they have too much to do. */
const OVERLOADED: ReadonlySet<number> = new Set([503, 529]);
/** Words of an answer 429 or 402 by which servers mean an account without money, which no wait mends. */
const NO_CREDIT = /insufficient_quota|credit balance|billing|payment required|exceeded your current quota/i;

export function sayAnswer(probed: Probed, answer: ProbeAnswer): Words {
  const { ok, refusal, status, error } = answer;
  if (ok) return sayWorks(probed, answer);
  if (refusal !== null) return sayRefusal(probed, refusal);
  if (status !== null && (error === 'status' || status >= 400)) return sayStatus(probed, status, answer);
  const agent = shellWord(probed.agentName);
  const service = probed.service ?? '';
  switch (error) {
    case 'no_gateway':
      return {
        code: 'unreachable',
        text: 'The container did not reach the gateway of the host.',
        next: 'portolan doctor',
      };
    case 'timed_out':
      return {
        code: 'timed_out',
        text: `${service} did not answer in time.`,
        next: `portolan egress list --agent ${agent}`,
      };
    default:
      return {
        code: 'bad_answer',
        text: `What ${service} answered is not what its API gives: it may be another sort of server.`,
        next: 'portolan services list',
      };
  }
}

function sayWorks({ agentName, service, model }: Probed, answer: ProbeAnswer): Words {
  const named = answer.model ?? model ?? '';
  const tokens = [
    ...(answer.inputTokens === null ? [] : [`${answer.inputTokens} tokens in`]),
    ...(answer.outputTokens === null ? [] : [`${answer.outputTokens} out`]),
  ].join(', ');
  const cost = tokens === '' ? '' : ` (${tokens})`;
  return {
    code: 'works',
    text: `${agentName} reaches ${clean(named)} through ${service ?? ''}: answered in ${answer.ms} ms${cost}.`,
    next: null,
  };
}

/** What the gateway did not let through. Its words are for agents: these are for who asked. */
function sayRefusal({ agentName, service, place, model }: Probed, refusal: GatewayRefusal): Words {
  const name = service ?? '';
  const agent = shellWord(agentName);
  switch (refusal) {
    case 'no_secret':
      return {
        code: 'no_key',
        text: `There is no key for ${name}: the gateway has nothing to add to the call.`,
        next: `portolan secrets set ${name}`,
      };
    case 'unknown_service':
      return {
        code: refusal,
        text: `There is no service "${name}" on this host any more.`,
        next: 'portolan provider list',
      };
    case 'no_address':
      return {
        code: refusal,
        text: `${place ?? name} has no address: this machine has no internet, or the name is mistyped.`,
        next: 'portolan services list',
      };
    case 'private_address':
      return {
        code: refusal,
        text: `${name} lies on this machine or network, and was not added as such.`,
        next: `portolan services remove ${name}   # then: portolan services add ${name} --url … --private`,
      };
    case 'unreachable':
      return {
        code: refusal,
        text: `${name} does not answer at ${place ?? 'its address'}: nothing listens there, or the way is closed.`,
        next: 'portolan services list',
      };
    case 'over_budget':
      return { code: refusal, text: `The budget of ${agentName} is spent.`, next: 'portolan budget list' };
    case 'no_price':
      return {
        code: refusal,
        text: `A budget in money holds for ${agentName}, and its model has no price.`,
        next: `portolan price set ${name} ${shellWord(model ?? '<model>')} --input <usd> --output <usd>`,
      };
    case 'too_many':
      return { code: refusal, text: 'Too many calls at once. Try again in a minute.', next: null };
    case 'not_allowed':
    case 'bad_request':
      return {
        code: refusal,
        text: 'The gateway did not let the call through.',
        next: `portolan egress list --agent ${agent}`,
      };
    default:
      return assertNever(refusal);
  }
}

function sayStatus(
  { agentName, provider, service, model, hasKey }: Probed,
  status: number,
  answer: ProbeAnswer,
): Words {
  const name = service ?? '';
  const agent = shellWord(agentName);
  const isBroke = NO_CREDIT.test(answer.message ?? '');
  if (status === 401 && !hasKey) {
    return {
      code: 'bad_key',
      text: `${name} asks for a key (401), and was given none so far.`,
      next: `portolan secrets set ${name}`,
    };
  }
  if (status === 401) {
    return {
      code: 'bad_key',
      text: `${name} does not take the key (401): it is mistyped, was revoked, or is of another service.`,
      next: `portolan secrets set ${name}`,
    };
  }
  if (status === 402 || (isBroke && (status === 429 || status === 400 || status === 403))) {
    return {
      code: 'no_credit',
      text: `The account at ${name} has no money or quota left (${status}): see its billing page.`,
      next: `portolan provider test ${agent}`,
    };
  }
  if (status === 403) {
    return {
      code: 'not_permitted',
      text: `${name} knows the key, but it may not do this (403).`,
      next: `portolan secrets set ${name}`,
    };
  }
  if (status === 404) {
    return {
      code: 'unknown_model',
      text: `${name} knows no model "${model ?? ''}" (404).`,
      next: `portolan provider set ${agent} ${provider}${setService(provider, name)} --model <model>`,
    };
  }
  if (status === 429) {
    const wait =
      answer.retryAfterMs === null
        ? 'Try again in a minute.'
        : `Try again in ${Math.max(1, Math.ceil(answer.retryAfterMs / 1_000))} s.`;
    return {
      code: 'rate_limited',
      text: `${name} has had too many calls of this account (429). ${wait}`,
      next: `portolan provider test ${agent}`,
    };
  }
  if (OVERLOADED.has(status)) {
    return {
      code: 'overloaded',
      text: `${name} is overloaded (${status}). Messages are tried again by themselves.`,
      next: `portolan provider test ${agent}`,
    };
  }
  if (status >= 500) {
    return {
      code: 'server_failed',
      text: `${name} failed (${status}). Messages are tried again by themselves.`,
      next: `portolan provider test ${agent}`,
    };
  }
  return {
    code: 'bad_request',
    text: `${name} refused the call (${status}).`,
    next: `portolan egress list --agent ${agent}`,
  };
}

/** A service that is not the provider's own has to be named again. */
function setService(provider: string, service: string): string {
  return service === '' || service === findModelProvider(provider)?.service ? '' : ` --service ${service}`;
}

/** Its own words; null when it said nothing. */
export function quoteServer(answer: ProbeAnswer | null): string | null {
  if (answer === null || answer.message === null || answer.refusal !== null) return null;
  const said = clean(answer.message);
  return said === '' ? null : said;
}

/** In one line of bounded length, without signs that steer a terminal. */
function clean(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return line.length <= MAX_SAID ? line : `${line.slice(0, MAX_SAID - 1)}…`;
}
