import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `vite` in watch mode sends API calls; a running host's address. */
const devHost = process.env.PORTOLAN_URL ?? 'http://127.0.0.1:4180';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react()],
  build: {
    outDir: fileURLToPath(new URL('../../../dist/web', import.meta.url)),
    emptyOutDir: true,
    // `light-dark()` and `dvh` reach the browser as written: every browser of the last two years has them.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    // No data: URLs, so that the page's CSP can stay at 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // The host checks Host and Origin, so the proxy presents itself as the page the host serves.
    proxy: { '/api': { target: devHost, changeOrigin: true, headers: { origin: devHost } } },
  },
});
