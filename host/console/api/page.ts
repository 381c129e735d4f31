/**
 * The web page: files of dist/web, listed once. A request finds a file by exact address in that list, so
 * that no address can reach outside of it; any other page address gets index.html, which routes by itself.
 */
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { Context } from 'hono';
import type { Env } from './door.ts';
import { Problem } from './problem.ts';

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
};

/**
 * Script from this host alone, no address but this host, no frame around it. Styles may be inline: the
 * component library sets sizes that way, and a style can load nothing under this policy.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export type PageHandler = (c: Context<Env>) => Promise<Response>;

/** `folder` is dist/web, or null when the page was not built. */
export function servePage(folder: string | null): PageHandler {
  const files = folder === null ? new Map<string, string>() : listFiles(folder);
  return async (c) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') throw noSuchAddress();
    const path = c.req.path;
    const isFile = extname(path) !== '';
    const file = files.get(path) ?? (isFile ? undefined : files.get('/index.html'));
    if (file !== undefined) return answer(c, file, path);
    if (isFile || files.size > 0) throw noSuchAddress();
    throw new Problem(503, 'no_page', 'The web page is not built.', { next: 'npm run build' });
  };
}

function listFiles(folder: string): Map<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length).replaceAll('\\', '/'), path];
    }),
  );
}

async function answer(c: Context<Env>, file: string, path: string): Promise<Response> {
  c.header('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream');
  c.header('Content-Security-Policy', PAGE_POLICY);
  // Names under /assets/ carry a hash of their content.
  const isHashed = path.startsWith('/assets/');
  c.header('Cache-Control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
  return c.body(new Uint8Array(await readFile(file)));
}

function noSuchAddress(): Problem {
  return new Problem(404, 'not_found', 'There is nothing at this address.');
}
