#!/usr/bin/env node
/**
 * A small MCP server over stdio, without a package: `node mcp-server.mjs [way]`. It behaves, or breaks in the way
 * that is named; some of its tools break it in the middle of a call.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [, , way = 'good'] = process.argv;
const object = { type: 'object', properties: {} };

/** @param {unknown} message */
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
/** @param {string} text */
const words = (text) => ({ content: [{ type: 'text', text }] });

/** @type {Record<string, (input: Record<string, unknown>) => unknown>} */
const TOOLS = {
  echo: (input) => words(String(input.text)),
  where: () =>
    words(JSON.stringify({ cwd: process.cwd(), pid: process.pid, args: process.argv.slice(2), env: process.env })),
  fail: () => ({ ...words('no such note'), isError: true }),
  big: () => words('ä'.repeat(200_000)),
  picture: () => ({
    content: [
      { type: 'image', mimeType: 'image/png', data: 'A'.repeat(4_000) },
      { type: 'text', text: 'a picture' },
      { type: 'resource_link', uri: 'file:///notes.txt', name: 'notes' },
      { type: 'resource', resource: { uri: 'file:///a.txt', text: 'in the file' } },
      'odd',
    ],
  }),
  structured: () => ({ content: [], structuredContent: { answer: 42 } }),
  nonsense: () => 'this is no result',
  mute: () => undefined,
  die: () => {
    process.stderr.write('out of paper\n');
    process.exit(4);
  },
  close: () => {
    process.stdout.end();
    setInterval(() => {}, 1_000);
  },
  fork: ({ file }) => {
    const child = spawn('sleep', ['600'], { stdio: 'inherit' });
    writeFileSync(String(file), `${child.pid}`);
    return words('forked');
  },
  rant: () => {
    for (let line = 0; line < 30_000; line++)
      say({ jsonrpc: '2.0', method: 'notifications/message', params: { line } });
  },
  wall: () => process.stdout.write('x'.repeat(9_000_000)),
  ask: () => {
    say({ jsonrpc: '2.0', id: 'q1', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } });
    return words('asked');
  },
  grow: () => {
    TOOLS.grown = () => words('grown');
    say({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    return words('ok');
  },
};

/** @param {{ id?: unknown, method?: string, params?: any }} message */
function answer({ id, method, params }) {
  if (id === undefined || method === undefined) return;
  const reply = (/** @type {unknown} */ result) => result !== undefined && say({ jsonrpc: '2.0', id, result });
  if (method === 'initialize') {
    const { protocolVersion } = params;
    const serverInfo = { name: 'small', version: '1' };
    return reply({ protocolVersion, capabilities: { tools: { listChanged: true } }, serverInfo });
  }
  if (method === 'tools/list') {
    const listed = Object.keys(TOOLS).map((name) => ({ name, description: `Does ${name}.`, inputSchema: object }));
    if (way !== 'odd-tools') return reply({ tools: listed });
    const long = { name: 'long', inputSchema: { ...object, description: 'x'.repeat(20_000) } };
    const odd = [{ name: 'dots.and spaces', inputSchema: object }, { name: 7 }, { name: 'no-schema' }, long, null];
    return reply({ tools: [...odd, { name: 'a', description: 'd'.repeat(5_000), inputSchema: object }] });
  }
  if (method === 'tools/call') return reply(TOOLS[params.name]?.(params.arguments ?? {}));
  return say({ jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } });
}

function serve() {
  createInterface({ input: process.stdin }).on('line', (line) => answer(JSON.parse(line)));
}

const forever = () => setInterval(() => {}, 1_000);

/** @type {Record<string, () => void>} */
const WAYS = {
  good: serve,
  'odd-tools': serve,
  crash: () => {
    process.stderr.write('cannot read notes.db: no such file\n');
    process.exitCode = 3;
  },
  hang: () => void forever(),
  /** Ignores everything but SIGKILL. */
  stubborn: () => {
    process.on('SIGTERM', () => {});
    forever();
    serve();
  },
  greeting: () => {
    process.stdout.write('Welcome to the notes server!\n\n{"half": \n');
    serve();
  },
  garbage: () => {
    process.stdout.write('Welcome to the notes server!\n');
    forever();
  },
  'flood-lines': () => flood(process.stdout, 'moo\n'),
  'flood-line': () => flood(process.stdout, 'moo'),
  'flood-log': () => flood(process.stderr, 'moo\n'),
  /** Comes up the second time. */
  'second-time': () => {
    if (!existsSync('second-time.mark')) {
      writeFileSync('second-time.mark', '');
      process.exit(5);
    }
    serve();
  },
  'old-version': () => {
    const reply = { protocolVersion: '1999-01-01', capabilities: {}, serverInfo: { name: 'old', version: '0' } };
    createInterface({ input: process.stdin }).once('line', () => say({ jsonrpc: '2.0', id: 0, result: reply }));
  },
};

/**
 * As fast as it is read.
 * @param {NodeJS.WriteStream} stream
 * @param {string} piece
 */
function flood(stream, piece) {
  while (stream.write(piece.repeat(10_000)));
  stream.once('drain', () => flood(stream, piece));
}

WAYS[way]?.();
