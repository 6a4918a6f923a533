/**
 * The broker's own key, which signs checkpoints and tree heads and answers nothing: in a file of its own, so that neither the
 * database nor a backup of it holds a private key.
 * @module
 */
import { chmod, link, readFile, unlink, writeFile } from 'node:fs/promises';
import { exportPrivate, generateSigner, importSigner, type WebSigner } from '@countersign/core/webcrypto';

/** Reads the key file, or makes it. The file is for its owner only. */
export async function loadBrokerKey(path: string): Promise<WebSigner> {
  try {
    const text = await readFile(path, 'utf8');
    await chmod(path, 0o600);
    return await importSigner(JSON.parse(text) as JsonWebKey);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = await generateSigner('EdDSA', { extractable: true });
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
  return loadBrokerKey(path);
}
