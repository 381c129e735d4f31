/** All tools of a turn as the model gets them: those of the box, and those that this provider brings along. */
import { createHash } from 'node:crypto';
import type { LanguageModelV3FunctionTool } from '@ai-sdk/provider';
import { z } from 'zod';
import type { ModelApi } from '../../../shared/providers.ts';
import { describeProblems } from '../../tools/problems.ts';
import type { ToolBox, ToolDescription } from '../../tools/tool.ts';
import { MAX_INPUT_BYTES, MAX_TOOLS } from './limits.ts';
import type { CallPart } from './records.ts';
import { boundText } from './tools/bounds.ts';
import { OWN_TOOLS } from './tools/index.ts';
import { describeSystemError, mistake, type OwnResult, type OwnTool, type OwnToolPlace } from './tools/own-tool.ts';

export class Toolbelt {
  readonly #box: ToolBox;
  readonly #place: OwnToolPlace;
  readonly #api: ModelApi;

  constructor(box: ToolBox, place: OwnToolPlace, api: ModelApi) {
    this.#box = box;
    this.#place = place;
    this.#api = api;
  }

  /** As they are now: the box may grow in mid-turn. */
  list(): LanguageModelV3FunctionTool[] {
    const box = this.#box.list();
    const taken = new Set(box.map(({ name }) => name));
    const own = OWN_TOOLS.filter(({ name }) => !taken.has(name)).map(describeOwn);
    // What is beyond the limit is the tail of the MCP servers' tools: the box lists its own first.
    return [...own, ...box].slice(0, MAX_TOOLS).map(({ name, description, inputSchema }) => ({
      type: 'function',
      name: wireName(name),
      description,
      inputSchema: wireSchema(inputSchema, this.#api),
    }));
  }

  /** How long the call may take; null for the tools of the box, which say so themselves. */
  timeoutMs({ name, input }: CallPart): number | null {
    const tool = this.#findOwn(name);
    const parsed = tool?.input.safeParse(input);
    return tool && parsed?.success ? tool.timeoutMs(parsed.data) : null;
  }

  async call({ name, input }: CallPart): Promise<OwnResult> {
    if (Buffer.byteLength(JSON.stringify(input)) > MAX_INPUT_BYTES) return mistake(`${name}: the input is too large.`);
    const own = this.#findOwn(name);
    if (own !== null) return await callOwn(own, input, this.#place);
    const known = this.#box.list().find((tool) => wireName(tool.name) === name);
    const calling = this.#box.call(known?.name ?? name, input);
    const result = await untilAbort(calling, this.#place.signal);
    if (result === null) return mistake('The turn is over.');
    const seq = result.ok && result.seq !== undefined ? ` (message ${result.seq})` : '';
    const data = result.ok && result.data !== undefined ? `\n${JSON.stringify(result.data)}` : '';
    return { isOk: result.ok, text: boundText(`${result.text}${seq}${data}`) };
  }

  #findOwn(name: string): OwnTool | null {
    if (this.#box.list().some((tool) => tool.name === name)) return null;
    return OWN_TOOLS.find((tool) => tool.name === name) ?? null;
  }
}

async function callOwn(tool: OwnTool, input: unknown, place: OwnToolPlace): Promise<OwnResult> {
  const parsed = tool.input.safeParse(input);
  if (!parsed.success) {
    const problems = describeProblems(parsed.error, input);
    return mistake(`${tool.name} was not called: ${problems}. Correct the input and call again.`);
  }
  try {
    return await tool.run(parsed.data, place);
  } catch (error) {
    const path = typeof input === 'object' && input !== null && 'path' in input ? String(input.path) : tool.name;
    const why = describeSystemError(error, path);
    if (why === null) throw error;
    return mistake(why);
  }
}

/** Null: aborted first. Whatever it comes to then is of no interest any more. */
async function untilAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  let abort = () => {};
  const aborted = new Promise<null>((resolve) => {
    abort = () => resolve(null);
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const schemas = new Map<string, ToolDescription['inputSchema']>();

function describeOwn({ name, description, input }: OwnTool): ToolDescription {
  let inputSchema = schemas.get(name);
  if (inputSchema === undefined) {
    const { $schema: _dialect, ...schema } = z.toJSONSchema(input, { io: 'input' });
    inputSchema = { ...schema, type: 'object' };
    schemas.set(name, inputSchema);
  }
  return { name, description, inputSchema };
}

/** What both APIs take as a name. */
const WIRE_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** A name that they do not take gets one that does, the same each time. */
function wireName(name: string): string {
  if (WIRE_NAME.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 55)}_${hash}`;
}

/** OpenAI takes an object with properties, and no choice between schemas at the top; the tool checks its input itself. */
function wireSchema(schema: ToolDescription['inputSchema'], api: ModelApi): ToolDescription['inputSchema'] {
  const whole = { properties: {}, ...schema };
  if (api !== 'openai') return whole;
  const {
    oneOf: _1,
    anyOf: _2,
    allOf: _3,
    not: _4,
    enum: _5,
    ...plain
  } = whole as typeof whole & Record<string, unknown>;
  return plain;
}
