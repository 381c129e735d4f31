/**
 * The transcript as a request: pure. What is the same in two requests stands at the same place in both, so that
 * servers which keep what they have read need not read it again.
 */
import type { LanguageModelV3Message, LanguageModelV3Prompt, SharedV3ProviderOptions } from '@ai-sdk/provider';
import type { ModelApi } from '../../../shared/providers.ts';
import { MAX_MEDIA_BYTES_PER_REQUEST, MAX_MEDIA_PER_REQUEST } from './limits.ts';
import type { AssistantPart, Media, Metadata, RecordOf, TranscriptRecord } from './records.ts';

export interface PromptFacts {
  instructions: string;
  api: ModelApi;
  /** Thoughts of another model are not understood. */
  model: string;
  /** base64, or null when the file is gone. */
  load(media: Media): string | null;
}

type UserPart = Extract<LanguageModelV3Message, { role: 'user' }>['content'][number];
type AssistantContent = Extract<LanguageModelV3Message, { role: 'assistant' }>['content'];

/** Anthropic keeps what stands before such a mark; others do not know it. */
const CACHED: SharedV3ProviderOptions = { anthropic: { cacheControl: { type: 'ephemeral' } } };
/** Marks on the newest messages: the last finds what the one before it left. */
const CACHED_MESSAGES = 2;

export function buildPrompt(records: readonly TranscriptRecord[], facts: PromptFacts): LanguageModelV3Prompt {
  const shown = chooseMedia(records, facts.model);
  const turnStart = records.findLastIndex(({ kind }) => kind === 'end');
  const messages: LanguageModelV3Message[] = [];
  for (const [index, record] of records.entries()) {
    const message = toMessage(record, index > turnStart, shown, facts);
    for (const each of message) join(messages, each);
  }
  const marked = messages.map((message, index) =>
    index >= messages.length - CACHED_MESSAGES ? { ...message, providerOptions: CACHED } : message,
  );
  return [{ role: 'system', content: facts.instructions, providerOptions: CACHED }, ...marked];
}

function toMessage(
  record: TranscriptRecord,
  isOfThisTurn: boolean,
  shown: ReadonlySet<Media>,
  facts: PromptFacts,
): LanguageModelV3Message[] {
  switch (record.kind) {
    case 'user':
      return [{ role: 'user', content: [text(record.text), ...showMedia(record.media, shown, facts)] }];
    case 'note':
      return [{ role: 'user', content: [text(`<system-note>${record.text}</system-note>`)] }];
    case 'summary':
      return [
        {
          role: 'user',
          content: [text(`<summary-of-what-was-before>\n${record.text}\n</summary-of-what-was-before>`)],
        },
      ];
    case 'assistant':
      return toAssistant(record, isOfThisTurn, facts);
    case 'result':
      return toResult(record, shown, facts);
    case 'header':
    case 'window':
    case 'unseen':
    case 'end':
      return [];
  }
}

function toAssistant(
  { parts, model }: RecordOf<'assistant'>,
  isOfThisTurn: boolean,
  facts: PromptFacts,
): LanguageModelV3Message[] {
  // Anthropic drops old thoughts itself, and wants those of this turn; who thinks aloud elsewhere wants them back
  // while it works, and not later.
  const keepsThoughts = model === facts.model && (facts.api === 'anthropic' || isOfThisTurn);
  const content = parts.flatMap((part) => toContent(part, keepsThoughts));
  return content.length === 0 ? [] : [{ role: 'assistant', content }];
}

function toContent(part: AssistantPart, keepsThoughts: boolean): AssistantContent {
  const options = 'metadata' in part && part.metadata ? { providerOptions: asOptions(part.metadata) } : {};
  switch (part.type) {
    case 'text':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text }];
    case 'thought':
      return keepsThoughts ? [{ type: 'reasoning', text: part.text, ...options }] : [];
    case 'call':
      return [{ type: 'tool-call', toolCallId: part.id, toolName: part.name, input: part.input, ...options }];
  }
}

function toResult(record: RecordOf<'result'>, shown: ReadonlySet<Media>, facts: PromptFacts): LanguageModelV3Message[] {
  const type = record.isOk ? 'text' : 'error-text';
  const output = { type, value: record.text || '(nothing)' } as const;
  const content = [{ type: 'tool-result', toolCallId: record.callId, toolName: record.name, output } as const];
  const media = showMedia(record.media, shown, facts);
  // Results are text in one of the APIs, so a picture follows as a message: after the results of all calls.
  return media.length === 0
    ? [{ role: 'tool', content }]
    : [
        { role: 'tool', content },
        { role: 'user', content: media },
      ];
}

function showMedia(media: readonly Media[], shown: ReadonlySet<Media>, facts: PromptFacts): UserPart[] {
  return media.flatMap((each): UserPart[] => {
    const data = shown.has(each) ? facts.load(each) : null;
    if (data === null) return [text(`(${each.name}: not shown)`)];
    return [text(`(${each.name}:)`), { type: 'file', data, mediaType: each.contentType, filename: each.name }];
  });
}

/** The newest, as many as a request may hold, without those that this model did not take. */
export function chooseMedia(records: readonly TranscriptRecord[], model: string): ReadonlySet<Media> {
  const unseen = new Set(
    records.flatMap((record) => (record.kind === 'unseen' && record.model === model ? record.sha256s : [])),
  );
  const all = records.flatMap((record) => ('media' in record ? record.media : []));
  const chosen = new Set<Media>();
  let sizeBytes = 0;
  for (const media of all.filter(({ sha256 }) => !unseen.has(sha256)).reverse()) {
    sizeBytes += media.sizeBytes;
    if (chosen.size >= MAX_MEDIA_PER_REQUEST || sizeBytes > MAX_MEDIA_BYTES_PER_REQUEST) break;
    chosen.add(media);
  }
  return chosen;
}

/** Templates of local models want roles to take turns, and all results of a step to stand together. */
function join(messages: LanguageModelV3Message[], next: LanguageModelV3Message): void {
  const last = messages.at(-1);
  const before = messages.at(-2);
  if (next.role === 'tool' && last?.role === 'user' && before?.role === 'tool') {
    before.content.push(...next.content);
  } else if (next.role === 'tool' && last?.role === 'tool') last.content.push(...next.content);
  else if (next.role === 'user' && last?.role === 'user') last.content.push(...next.content);
  else if (next.role === 'assistant' && last?.role === 'assistant') last.content.push(...next.content);
  else messages.push(next);
}

function text(value: string): UserPart {
  return { type: 'text', text: value };
}

/** What an API gave as metadata, it takes back as options. */
function asOptions(metadata: NonNullable<Metadata>): SharedV3ProviderOptions {
  return metadata as SharedV3ProviderOptions;
}
