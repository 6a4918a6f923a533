/**
 * The key that push services know this broker by (VAPID, RFC 8292): it lets its holder send notices to browsers that
 * asked for them, and nothing else.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { loadKey } from './broker-key.ts';

export interface PushKey {
  /** An uncompressed point in base64url, as browsers want it. */
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Reads the key file, or makes it. */
export async function loadPushKey(path: string): Promise<PushKey> {
  await loadKey(path, 'ES256');
  const { x, y, d } = JSON.parse(await readFile(path, 'utf8')) as JsonWebKey;
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
  return { publicKey: point.toString('base64url'), privateKey: d! };
}
