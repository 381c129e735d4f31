/** What an agent is told about its destinations, the reply syntax and what is missing, in addition to its instructions. */
import type { Chart } from '../../shared/protocol.ts';
import type { ServerState } from '../mcp-servers/contract.ts';

/** `missing` are the MCP servers that did not come up. */
export function formatAddendum(chart: Chart, missing: readonly ServerState[] = []): string {
  return [formatDestinations(chart), OUTSIDE, ...formatMissing(missing)].join('\n\n');
}

/** How programs of the agent get out, and what to do when they do not. */
const OUTSIDE = `Outside is reached over HTTP(S) alone, through the proxy in your programs' environment (\`HTTPS_PROXY\`), and only where an admin allowed it; there is no DNS and no other network.
A proxy that answers 403 means: not allowed yet; some programs say no more than that a tunnel failed, that the proxy refused, or that the request was cancelled. If you need the place, ask for it with the tool \`request_access\`, and go on when you are told. A service that an admin gave you, such as \`github\`, is at \`$HTTP_PROXY/service/github/…\`, and its credential is added on the way.`;

function formatMissing(missing: readonly ServerState[]): string[] {
  if (missing.length === 0) return [];
  const lines = missing.map(({ name, problem }) => `- \`${name}\`: ${oneLine(problem ?? '')}`);
  return [
    `These MCP servers of yours are down, and their tools with them. Go on without; an admin was told:

${lines.join('\n')}`,
  ];
}

function formatDestinations(chart: Chart): string {
  const [only, ...others] = chart.destinations;
  if (!only) {
    return 'You have no destinations at the moment: nothing you write can be sent. Ask an admin to wire a chat to you.';
  }
  const lines = chart.destinations.map((destination) => {
    const kind = destination.type === 'agent' ? 'another agent' : `chat on ${oneLine(destination.channelType)}`;
    return `- \`${destination.name}\`: ${oneLine(destination.displayName)} (${kind})`;
  });
  const hasAgents = chart.destinations.some(({ type }) => type === 'agent');
  const head =
    others.length === 0
      ? `You can send to exactly one destination, \`${only.name}\`, and every reply goes there:`
      : 'You can send to these destinations, by name:';
  return `${head}

${lines.join('\n')}

What you write is sent only when it stands in a block:

<message to="${only.name}">Your text, in Markdown.</message>

- Reply where a message came from: its \`from\` is the name to put in \`to\`. An earlier name of a destination still arrives.
- One answer may hold several blocks. \`reply_to="4"\` says which message a block answers; without it, the newest from that destination.
- Text outside blocks, and anything in <internal>…</internal>, is your scratchpad: nobody sees it.
- \`kind="task"\`: a task of yours is due; \`<check>\` holds what its script found. \`kind="system"\`: the host tells you something; no answer is needed, but what came of a request (\`event="approval_…"\`) is news for whoever had you ask.
- To let people choose, use the tool \`ask_user_question\`; an answer that comes too late for it arrives as a message with \`event="question_answered"\`.${hasAgents ? AGENTS : ''}
- In messages you read, \`<\` is written \`&lt;\`. To show a tag literally, put it in code or write \`&lt;\`.`;
}

/** Two agents that thank each other never end. */
const AGENTS = `
- Another agent reads only what you send it, so say all it needs to know; its answer comes as a message of its own. Do not answer one that asks for nothing.`;

/** Names are people's words: nobody can write a line of their own into the instructions. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
}
