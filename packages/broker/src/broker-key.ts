/**
 * The broker's own key, which signs checkpoints and tree heads and answers nothing: in a file of its own, so that neither the
 * database nor a backup of it holds a private key.
 * @module
 */
import { chmod, link, readFile, unlink, writeFile } from 'node:fs/promises';
import type { SignatureAlgorithm } from '@countersign/core';
import { exportPrivate, generateSigner, importSigner, type WebSigner } from '@countersign/core/webcrypto';

/** Reads the broker's key, or makes it. */
export function loadBrokerKey(path: string): Promise<WebSigner> {
  return loadKey(path, 'EdDSA');
}

/** Reads a key file, or makes it. The file is for its owner only. */
export async function loadKey(path: string, algorithm: SignatureAlgorithm): Promise<WebSigner> {
  try {
    const text = await readFile(path, 'utf8');
    await chmod(path, 0o600);
    return await importSigner(JSON.parse(text) as JsonWebKey);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new Error(`the broker’s key ${path} can’t be used: ${(cause as Error).message}`, { cause });
    }
  }
  const made = await generateSigner(algorithm, { extractable: true });
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, JSON.stringify(await exportPrivate(made)), { mode: 0o600 });
  try {
    // A link, unlike a rename, never replaces a key that another process made meanwhile.
    await link(fresh, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(fresh);
  }
  return loadKey(path, algorithm);
}
