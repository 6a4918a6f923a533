/**
 * Argon2id (RFC 9106) in WebAssembly, loaded when it is needed: for browsers.
 * @module
 */
import type { Argon2Parameters } from './crypto-provider.ts';

export async function argon2idWasm(
  secret: Uint8Array,
  { memory, passes, lanes, salt, length }: Argon2Parameters,
): Promise<Uint8Array> {
  const { argon2id } = await import('hash-wasm');
  return argon2id({
    password: secret,
    salt,
    memorySize: memory,
    iterations: passes,
    parallelism: lanes,
    hashLength: length,
    outputType: 'binary',
  });
}
