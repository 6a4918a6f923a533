/**
 * The folder of a broker's data, and of a backup.
 * @module
 */
import { mkdir, stat } from 'node:fs/promises';

const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes the folder, for its owner only. One that is there may be read by others, since every file in it is for
 * its owner; where others may write they could put files of theirs in the place of ours, and it is refused.
 */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const { mode } = await stat(path);
  if (process.platform === 'win32' || (mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new Error(`others may write into ${path}: make it its owner's with \`chmod go-w\``);
}
