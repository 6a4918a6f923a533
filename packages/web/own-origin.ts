/**
 * Builds the authenticator for an origin that is not its broker's: `node packages/web/own-origin.ts <folder> --broker
 * https://confirm.example.com`. Any web server serves the folder; `deploy/nginx/countersign-authenticator.conf` is how
 * nginx does. The broker is told of the origin by `--web-origin`.
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isOrigin } from '@countersign/core';
import { buildPage, buildWorker } from './build.ts';
import { BROKER_META } from './src/authenticator/broker-meta.ts';

/**
 * @param folder is emptied, where it has an authenticator that was built so before
 * @param broker its origin
 * @throws where there is anything else in the folder
 */
export async function buildForOwnOrigin(folder: string, broker: string): Promise<void> {
  if (!isOrigin(broker)) throw new Error('--broker is an origin, like https://confirm.example.com');
  if (!mayBeEmptied(folder)) throw new Error(`${folder} has other files in it: name a folder of its own`);
  const head = [
    `<meta http-equiv="Content-Security-Policy" content="${policy(broker)}" />`,
    `<meta name="${BROKER_META}" content="${broker}" />`,
  ];
  const { files } = await buildPage('index', folder, head.map((line) => `\n    ${line}`).join(''));
  await buildWorker(folder, files, 'index', 'sw.js');
}

/**
 * In the page itself, so that it holds on every web server: nobody is spoken to but the broker and, since the page is a
 * validator too, the hosts that its person has paired it with, which are anywhere.
 */
function policy(broker: string): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${broker} ${broker.replace('http', 'ws')} wss:`,
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types countersign',
  ].join('; ');
}

function mayBeEmptied(folder: string): boolean {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return true;
  const page = join(folder, 'index.html');
  return existsSync(page) && readFileSync(page, 'utf8').includes(`name="${BROKER_META}"`);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { broker: { type: 'string' } },
    allowPositionals: true,
  });
  const [folder] = positionals;
  try {
    if (folder === undefined || positionals.length > 1 || values.broker === undefined) {
      throw new Error('name a folder and a broker: <folder> --broker https://confirm.example.com');
    }
    await buildForOwnOrigin(resolve(folder), values.broker);
    process.stdout.write(
      `The authenticator is in ${resolve(folder)}. Its broker must be told its origin: --web-origin <url>\n`,
    );
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
