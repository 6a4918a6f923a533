/**
 * The web pages, as files of a folder: the authenticator at `/`, the console, and the page that a session's link
 * opens. The broker has none of their code.
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import files from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Which file a page's address shows. */
const PAGES = [
  ['/', 'index.html'],
  ['/console', 'console.html'],
  ['/s/:name', 'session.html'],
] as const;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'permissions-policy': 'camera=(self), geolocation=(), microphone=()',
} as const;

export async function addPages(app: FastifyInstance, folder: string, secure: boolean): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new Error(`there are no pages in ${folder}: \`npm run pages\` makes them`);
  }
  await app.register(files, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    immutable: true,
    maxAge: '365d',
    setHeaders: (reply) => {
      for (const [name, value] of Object.entries(HEADERS)) reply.header(name, value);
    },
  });
  for (const [path, file] of PAGES) {
    app.get(path, { schema: { hide: true } as object }, async (_call, reply: FastifyReply) => {
      reply.headers(HEADERS).header('cache-control', 'no-cache');
      if (secure) reply.header('strict-transport-security', 'max-age=31536000');
      return reply.sendFile(file, folder);
    });
  }
}
