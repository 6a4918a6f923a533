/**
 * Builds the web pages: `node packages/web/build.ts [folder]`, into `packages/web/dist` by default.
 * @module
 */
import { join } from 'node:path';
import { build } from 'vite';

const PAGES = ['index', 'console', 'session'] as const;

export async function buildPages(outDir: string): Promise<void> {
  const root = import.meta.dirname;
  await build({
    root,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'esnext',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: {
        input: Object.fromEntries(PAGES.map((page) => [page, join(root, `${page}.html`)])),
      },
    },
  });
}

if (import.meta.main) await buildPages(process.argv[2] ?? join(import.meta.dirname, 'dist'));
