/**
 * Builds the web pages: `node packages/web/build.ts [folder]`, into `packages/web/dist` by default. Prints what each
 * page loads before it shows anything, and fails where that is more than it may be.
 * @module
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type InlineConfig, type Rolldown } from 'vite';

const PAGES = ['index', 'console', 'session', 'signature', 'profile', 'validator'] as const;
type Page = (typeof PAGES)[number];
/** Pages that can be installed, and the service worker of each: the broker's, and a host's own. */
const WORKERS: ReadonlyMap<Page, string> = new Map([
  ['index', 'sw.js'],
  ['validator', 'validator-sw.js'],
]);
/** A language's words, in a file of their own. */
const WORDS = /\/words-\w\w-[^/]*\.js$/;
/**
 * JavaScript of a page's first screen, gzipped, in bytes: what stands between a tap on a link and what is read. The
 * exchange of a session comes with *Continue*, and is not in it.
 */
export const MOST: Partial<Record<Page, number>> = { index: 60_000, session: 25_000 };

/** What a page loads before it shows anything. */
export interface PageSize {
  readonly page: Page;
  /** Bytes of JavaScript, gzipped, with the words of its longest language. */
  readonly first: number;
  /** The scripts, but for words. */
  readonly scripts: readonly string[];
}

export async function buildPages(outDir: string): Promise<readonly PageSize[]> {
  const sizes: PageSize[] = [];
  // Each page alone: together, a page would load what only another one needs of a file that they share.
  for (const page of PAGES) {
    const { files, size } = await buildPage(page, outDir);
    sizes.push(size);
    const worker = WORKERS.get(page);
    if (worker !== undefined) await buildWorker(outDir, files, page, worker);
  }
  return sizes;
}

/** What a page begins with stays a file of its own. */
const ENTRY = /\.html$|\/main\.tsx$/;
const CHARSET = '<meta charset="utf-8" />';
const COMMON: InlineConfig = {
  root: import.meta.dirname,
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
};

/** Builds one page; the first, into a folder that it empties. @param head what its head begins with, as HTML */
export async function buildPage(
  page: Page,
  outDir: string,
  head = '',
): Promise<{ files: Files; size: PageSize }> {
  const asSplit = await buildOnce(page, outDir, head);
  // What the first screen needs comes in one file: it packs better, and is one request.
  const first = new Set(asSplit.size.scripts.flatMap((name) => modulesOf(asSplit.files, name)));
  return buildOnce(page, outDir, head, first);
}

async function buildOnce(
  page: Page,
  outDir: string,
  head: string,
  together?: ReadonlySet<string>,
): Promise<{ files: Files; size: PageSize }> {
  const { output } = (await build({
    ...COMMON,
    publicDir: page === PAGES[0] ? 'public' : false,
    plugins: [{ name: 'head', transformIndexHtml: (html) => html.replace(CHARSET, CHARSET + head) }],
    build: {
      outDir,
      write: together !== undefined,
      emptyOutDir: page === PAGES[0],
      target: 'esnext',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      rolldownOptions: {
        // HPKE asks Node before version 19 for it, and a browser never.
        external: ['crypto'],
        input: { [page]: join(COMMON.root!, `${page}.html`) },
        ...(together === undefined
          ? {}
          : {
              output: {
                codeSplitting: {
                  groups: [{ name: 'first', test: (id) => together.has(id) && !ENTRY.test(id) }],
                },
              },
            }),
      },
    },
  })) as Rolldown.RolldownOutput;
  const files = new Map(output.map((file) => [file.fileName, file]));
  return { files, size: { page, ...firstScreen(files, page) } };
}

/** A page's service worker. It stands alone at the top, so that it may serve `/`. @param file its name */
export async function buildWorker(outDir: string, files: Files, page: Page, file: string): Promise<void> {
  await build({
    ...COMMON,
    publicDir: false,
    define: { SHELL: JSON.stringify(shell(files, page)) },
    build: {
      outDir,
      emptyOutDir: false,
      target: 'esnext',
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: join(COMMON.root!, 'src/service-worker/sw.ts'),
        output: { entryFileNames: file, format: 'iife' },
      },
    },
  });
}

export type Files = ReadonlyMap<string, Rolldown.OutputAsset | Rolldown.OutputChunk>;

/** All files that a page may load, and a name of them all. */
function shell(files: Files, page: Page): { name: string; files: string[] } {
  const names = ['icon.svg', 'manifest.webmanifest', ...reach(files, entryOf(files, page), true)];
  const text = JSON.stringify([...names, files.get(`${page}.html`)]);
  const name = `shell-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  return { name, files: names.map((file) => `/${file}`) };
}

function firstScreen(files: Files, page: Page): Pick<PageSize, 'first' | 'scripts'> {
  const scripts = reach(files, entryOf(files, page), false).filter((name) => name.endsWith('.js'));
  const bytes = (name: string) => {
    const file = files.get(name);
    return file?.type === 'chunk' ? gzipSync(file.code).length : 0;
  };
  const spoken = [...files.keys()].filter((name) => WORDS.test(name)).map(bytes);
  const first = scripts.reduce((sum, name) => sum + bytes(name), Math.max(0, ...spoken));
  return { first, scripts };
}

function modulesOf(files: Files, name: string): readonly string[] {
  const file = files.get(name);
  return file?.type === 'chunk' ? file.moduleIds : [];
}

function entryOf(files: Files, page: Page): string {
  const found = [...files.values()].find(
    (file) => file.type === 'chunk' && file.isEntry && file.facadeModuleId?.endsWith(`/${page}.html`),
  );
  if (found === undefined) throw new Error(`${page}.html has no script`);
  return found.fileName;
}

/** A file and what it imports, and their styles. @param lazy with what is loaded only when it is needed */
function reach(files: Files, entry: string, lazy: boolean): string[] {
  const found = new Set<string>();
  const add = (name: string) => {
    const file = files.get(name);
    if (found.has(name) || file === undefined) return;
    found.add(name);
    if (file.type !== 'chunk') return;
    for (const style of file.viteMetadata?.importedCss ?? []) found.add(style);
    for (const next of [...file.imports, ...(lazy ? file.dynamicImports : [])]) add(next);
  };
  add(entry);
  return [...found].sort();
}

if (import.meta.main) {
  for (const { page, first } of await buildPages(process.argv[2] ?? join(import.meta.dirname, 'dist'))) {
    const most = MOST[page];
    process.stdout.write(
      `${page}: ${(first / 1000).toFixed(1)} kB of JavaScript, gzipped${most === undefined ? '' : ` (at most ${most / 1000})`}\n`,
    );
    if (most !== undefined && first > most) process.exitCode = 1;
  }
}
