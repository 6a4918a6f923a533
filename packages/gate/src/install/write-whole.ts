/**
 * Replaces a file at once: whoever reads it meanwhile has the old one or the new one, whole.
 * @module
 */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';

export function writeWhole(path: string, content: string | Buffer, mode = 0o600): void {
  writeFileSync(`${path}.new`, content, { mode, flush: true });
  // Whatever the umask takes away.
  chmodSync(`${path}.new`, mode);
  renameSync(`${path}.new`, path);
}
