/**
 * What thinks inside the runner. A provider gets a prompt and answers with events; it reaches people
 * only through the tools and through `<message>` blocks in its result, like any other provider.
 */
import type { Attachment, InboundKind } from '../../shared/messages.ts';
import type { SessionFile } from '../../shared/protocol.ts';
import type { WorkspacePaths } from '../../shared/session-files.ts';
import type { CheckResult } from '../runner/format.ts';
import type { ToolBox } from '../tools/tool.ts';

export interface PromptAttachment extends Attachment {
  path: string;
}

/** One message of the prompt, for providers that follow rules instead of reading text. */
export interface PromptMessage {
  id: string;
  seq: number;
  kind: InboundKind;
  /** For `system`: the machine word that says what happened, as `delivery_refused`. */
  event: string | null;
  /** Epoch ms. */
  timestamp: number;
  /** The destination it came from; null when that chat is not in the chart, or there is none. */
  from: string | null;
  fromType: 'channel' | 'agent' | null;
  sender: string;
  text: string;
  attachments: PromptAttachment[];
  /** For `task`: which firing this is. */
  task: { id: string; dueAt: number; missed: number } | null;
  /** What the task's own check said, if it has one. */
  check: CheckResult | null;
  /** False for context that only rides along. */
  isTrigger: boolean;
  /** The own message that it answers; null for what comes unasked. */
  inReplyTo: string | null;
}

/** The same messages twice: as the text a model reads, and as values. A nudge has no messages. */
export interface Prompt {
  text: string;
  messages: PromptMessage[];
}

export interface QueryInput {
  prompt: Prompt;
  /** What the agent is told about its destinations and the reply syntax, beside the prompt. */
  addendum: string;
  /** What an earlier turn's `init` gave, or null in a fresh conversation. */
  continuation: string | null;
  session: SessionFile;
  tools: ToolBox;
  paths: WorkspacePaths;
  /** Where the host's gateway is reached, on 127.0.0.1: see `gatewayUrl`. */
  gateway: { port: number };
  /** The first message that the turn answers: on whose behalf its model calls are. Null when it answers none. */
  messageId: string | null;
}

export type ProviderEvent =
  /** The conversation's handle; the runner keeps it when the turn ends well. */
  | { kind: 'init'; continuation: string }
  | { kind: 'progress' }
  /** A tool that may take long: its timeout stretches the host's stuck check. */
  | { kind: 'tool_start'; tool: string; timeoutMs: number }
  | { kind: 'tool_end'; tool: string }
  /** Text on the way to the result; never sent by itself. */
  | { kind: 'text'; text: string }
  /** The final text, parsed for blocks. Several may come when messages were pushed. */
  | { kind: 'result'; text: string; usage?: Record<string, number> }
  /**
   * The continuation that it was given leads nowhere: the last event of a turn that has done nothing yet. The runner
   * forgets it, and asks once more in a fresh conversation.
   */
  | { kind: 'continuation_invalid' }
  /** The turn failed. `message` may be shown to a person; `retryAfterMs` is what the server asked for. */
  | { kind: 'error'; retryable: boolean; message: string; retryAfterMs?: number };

/** One running turn. The iterable ends when the turn does. */
export interface ProviderTurn extends AsyncIterable<ProviderEvent> {
  /** Hands over messages that came meanwhile. False: too late or not supported, they wait for the next turn. */
  push(prompt: Prompt): boolean;
  /** Ends the turn within half a second, without a result, and whatever it started with it. */
  interrupt(): void;
  /** No more messages will be pushed: finish what is there. */
  end(): void;
}

export interface Provider {
  readonly name: string;
  /** Whether `push` can ever answer true. */
  readonly supportsPush: boolean;
  query(input: QueryInput): ProviderTurn;
  /**
   * Makes the conversation of `continuation` shorter; the prompt is the command as it was typed, and there are no tools.
   * Ends like a turn: the result's text is what people are told. Absent where there is nothing to compact.
   */
  compact?(input: QueryInput): ProviderTurn;
}
