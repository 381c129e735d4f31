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
  /** The turn failed. `message` may be shown to a person. */
  | { kind: 'error'; retryable: boolean; message: string };

/** One running turn. The iterable ends when the turn does. */
export interface ProviderTurn extends AsyncIterable<ProviderEvent> {
  /** Hands over messages that came meanwhile. False: too late or not supported, they wait for the next turn. */
  push(prompt: Prompt): boolean;
  /** Ends the turn soon, without a result. */
  interrupt(): void;
  /** No more messages will be pushed: finish what is there. */
  end(): void;
}

export interface Provider {
  readonly name: string;
  /** Whether `push` can ever answer true. */
  readonly supportsPush: boolean;
  query(input: QueryInput): ProviderTurn;
}
