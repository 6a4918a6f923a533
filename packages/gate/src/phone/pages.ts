/**
 * The validator's page, served by the host itself over https: a telephone needs no other server, and installs it from
 * here. The files are read once, when it starts; what is asked for is looked up, and never a path.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { extname, join } from 'node:path';
import { PAGE_HEADERS, VALIDATOR_PAGE_HEADERS } from '@countersign/http/page-headers';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** What stands at the top: a worker serves what is under it. */
const FILES = [
  ['/', 'validator.html'],
  ['/sw.js', 'validator-sw.js'],
  ['/manifest.webmanifest', 'manifest.webmanifest'],
  ['/icon.svg', 'icon.svg'],
] as const;
/** Where a telephone gets the authority to trust, if it is the host's own. */
const AUTHORITY = '/authority.crt';

interface Served {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * @param folder of the built pages
 * @param authority certificate of the host's own authority, in PEM
 * @throws Error where there are no pages
 */
export function validatorPages(folder: string, authority?: Buffer): RequestListener {
  const served = new Map<string, Served>();
  for (const [path, file] of FILES) {
    if (!existsSync(join(folder, file)))
      throw new Error(`${folder} has no ${file}: \`npm run pages\` makes it`);
    served.set(path, serve(folder, file, 'no-cache'));
  }
  for (const file of readdirSync(join(folder, 'assets'))) {
    served.set(`/assets/${file}`, serve(join(folder, 'assets'), file, 'public, max-age=31536000, immutable'));
  }
  if (authority !== undefined) {
    const headers = { ...PAGE_HEADERS, 'content-type': 'application/x-x509-ca-cert' };
    served.set(AUTHORITY, { body: authority, headers });
  }
  return (request, response) => {
    const found = served.get((request.url ?? '').split('?')[0]!);
    if (found === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, PAGE_HEADERS).end();
      return;
    }
    response.writeHead(200, { ...found.headers, 'content-length': found.body.length });
    response.end(request.method === 'HEAD' ? undefined : found.body);
  };
}

function serve(folder: string, file: string, cacheControl: string): Served {
  const type = extname(file);
  return {
    body: readFileSync(join(folder, file)),
    headers: {
      ...(type === '.html' || file.endsWith('sw.js') ? VALIDATOR_PAGE_HEADERS : PAGE_HEADERS),
      'content-type': TYPES[type] ?? 'application/octet-stream',
      'cache-control': cacheControl,
    },
  };
}
