import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startApi } from '../../support/api-server.ts';

function buildPage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portolan-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const web = join(folder, 'web');
  mkdirSync(join(web, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'outside');
  writeFileSync(join(web, 'index.html'), '<!doctype html><title>Portolan</title>');
  writeFileSync(join(web, 'assets', 'index-abc123.js'), 'export {};');
  return web;
}

describe('the page', () => {
  it('is served without a sign-in, under a policy that lets nothing foreign in', async () => {
    const api = await startApi(buildPage());
    const { status, headers, text } = await api.call('//', { as: 'nobody' });
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(text).toContain('Portolan');
    const policy = String(headers['content-security-policy']);
    for (const part of ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) {
      expect(policy.split('; ')).toContain(part);
    }
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-cache' });
    expect(headers['set-cookie']).toBeUndefined();
  });

  it('keeps hashed files for ever, and its own addresses lead to it', async () => {
    const api = await startApi(buildPage());
    const asset = await api.call('//assets/index-abc123.js', { as: 'nobody' });
    expect(asset.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
    expect((await api.call('//sessions/ses_1', { as: 'nobody' })).text).toContain('Portolan');
    expect((await api.call('//', { as: 'nobody', method: 'HEAD' })).status).toBe(200);
  });

  it('has nothing outside of its folder', async () => {
    const api = await startApi(buildPage());
    for (const path of ['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt']) {
      const answer = await api.call(`/${path}`, { as: 'nobody' });
      expect([path, answer.text.includes('outside')]).toEqual([path, false]);
    }
    expect((await api.call('//missing.js', { as: 'nobody' })).status).toBe(404);
    expect((await api.call('//', { as: 'nobody', method: 'POST' })).status).toBe(404);
  });

  it('says how to build it when it is not there', async () => {
    const api = await startApi();
    const answer = await api.call('//', { as: 'nobody' });
    expect([answer.status, answer.json.error.next]).toEqual([503, 'npm run build']);
  });
});
