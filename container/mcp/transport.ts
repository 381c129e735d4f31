/**
 * MCP over a pair of streams, one message a line. Unlike the SDK's own it answers what it cannot read, and a
 * line that is too long costs that line alone.
 */
import type { Readable, Writable } from 'node:stream';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js';
import { MAX_JSON_DEPTH } from '../../shared/limits.ts';
import { nestingExceeds } from '../../shared/messages.ts';
import { LineReader } from './line-reader.ts';
import { MAX_REQUEST_BYTES } from './wire.ts';

export class LineTransport implements Transport {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #reader: LineReader;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    this.#reader = new LineReader(MAX_REQUEST_BYTES, {
      onLine: (line) => this.#receive(line),
      onTooLong: () => this.#complain(ErrorCode.InvalidRequest, `a message has at most ${MAX_REQUEST_BYTES} bytes`),
    });
  }

  async start(): Promise<void> {
    this.#input.on('data', (chunk: Buffer) => this.#reader.add(chunk));
    // At the end of the input nothing is cut short: calls under way are answered, then the process ends.
    // An output that fails means that the client is gone.
    this.#output.once('error', () => void this.close());
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#write(message);
  }

  async close(): Promise<void> {
    this.#input.destroy();
    this.onclose?.();
  }

  #receive(line: string): void {
    const raw = parseJson(line);
    if (raw === null) {
      this.#complain(ErrorCode.ParseError, 'this line is not JSON, or nested too deep');
      return;
    }
    const parsed = JSONRPCMessageSchema.safeParse(raw.value);
    if (parsed.success) this.onmessage?.(parsed.data);
    else this.#complain(ErrorCode.InvalidRequest, 'this is not a JSON-RPC 2.0 message', findId(raw.value));
  }

  #complain(code: ErrorCode, message: string, id: string | number | null = null): void {
    this.#write({ jsonrpc: '2.0', id, error: { code, message } });
  }

  #write(message: unknown): void {
    this.#output.write(`${JSON.stringify(message)}\n`);
  }
}

function parseJson(line: string): { value: unknown } | null {
  if (nestingExceeds(line, MAX_JSON_DEPTH)) return null;
  try {
    return { value: JSON.parse(line) };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function findId(value: unknown): string | number | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  return typeof value.id === 'string' || typeof value.id === 'number' ? value.id : null;
}
