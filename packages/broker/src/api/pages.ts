/**
 * The web pages, as files of a folder: the authenticator at `/`, the console, and the pages that the links
 * of a session and of a signature open, and an organisation's profile. The broker has none of their code.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_HEADERS, VALIDATOR_PAGE_HEADERS } from '@countersign/http/page-headers';
import files from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Which file a page's address shows. */
const PAGES = [
  ['/', 'index.html'],
  ['/console', 'console.html'],
  ['/s/:name', 'session.html'],
  ['/v/:name', 'signature.html'],
  ['/o/:name', 'profile.html'],
] as const;

/** What the authenticator installs itself by; they stand at the top, since a worker serves what is under it. */
const FILES = ['sw.js', 'manifest.webmanifest', 'icon.svg', 'apple-touch-icon.png'] as const;

export async function addPages(app: FastifyInstance, folder: string, secure: boolean): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new Error(`there are no pages in ${folder}: \`npm run pages\` makes them`);
  }
  await app.register(files, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply, path) => {
      const headers = path.endsWith('index.html') ? VALIDATOR_PAGE_HEADERS : PAGE_HEADERS;
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    },
  });
  const shown = [...PAGES, ...FILES.map((file) => [`/${file}`, file] as const)];
  for (const [path, file] of shown) {
    app.get(path, { schema: { hide: true } as object }, async (_call, reply: FastifyReply) => {
      reply.header('cache-control', 'no-cache');
      if (secure) reply.header('strict-transport-security', 'max-age=31536000');
      return reply.sendFile(file, folder, { cacheControl: false });
    });
  }
}
