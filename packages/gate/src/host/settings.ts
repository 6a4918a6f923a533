/**
 * What a host is called, and where its demultiplexer is. Set once, by `countersign-gate configure`.
 * @module
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { isOrigin } from '@countersign/core';
import { isAddress, parseContext } from '@countersign/core/m-auth';
import * as v from 'valibot';
import { DEFAULT_PORT, DEFAULT_SOCKET } from '../demultiplexer/program.ts';
import type { DemultiplexerAt } from '../sign-on/way-to-demultiplexer.ts';

const Address = v.pipe(v.string(), v.check(isAddress, 'expected host:port, or a URL with wss:'));

const HostName = v.pipe(v.string(), v.check(isHostName, 'expected a host’s name, like web1.example.com'));

export const HostSettings = v.strictObject({
  /** The name that people see, and pairs are bound to. */
  host: HostName,
  /** Where validators reach the demultiplexer. */
  addresses: v.pipe(v.array(Address), v.minLength(1), v.maxLength(4)),
  /** Where this host serves the validator’s page, if it does: a telephone opens it by its camera. */
  page: v.optional(v.pipe(v.string(), v.check(isSecureOrigin, 'expected an origin with https:'))),
  /** How this host reaches it. Names of files, in PEM. */
  demultiplexer: v.union([
    v.strictObject({ path: v.string() }),
    v.strictObject({
      host: v.string(),
      port: v.number(),
      cert: v.string(),
      key: v.string(),
      authority: v.string(),
    }),
  ]),
});
export type HostSettings = v.InferOutput<typeof HostSettings>;

export function defaultSettings(): HostSettings {
  const host = hostname();
  return { host, addresses: [`${host}:${DEFAULT_PORT}`], demultiplexer: { path: DEFAULT_SOCKET } };
}

/** The way to the demultiplexer, its files read. @throws whatever the file system says */
export function demultiplexerAt({ demultiplexer }: HostSettings): DemultiplexerAt {
  if ('path' in demultiplexer) return demultiplexer;
  const { host, port } = demultiplexer;
  const read = (path: string) => readFileSync(path, 'utf8');
  return {
    host,
    port,
    cert: read(demultiplexer.cert),
    key: read(demultiplexer.key),
    authority: read(demultiplexer.authority),
  };
}

function isSecureOrigin(text: string): boolean {
  return isOrigin(text) && text.startsWith('https:');
}

function isHostName(host: string): boolean {
  try {
    parseContext({ account: 'anybody', host, service: 'any', time: 0 });
    return true;
  } catch {
    return false;
  }
}
