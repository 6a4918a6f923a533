/**
 * Where what Node made of this program's sources is kept. It is run as it lies there, so the folder must be its
 * user's alone, as their programs are.
 * @module
 */
import { mkdirSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

const OTHERS_WRITE = 0o022;

/**
 * @param uid whom this process acts for; absent where the system has none
 * @param cache $XDG_CACHE_HOME; one that is not absolute counts for nothing, as the XDG Base Directory Specification says
 * @returns absent where nothing is kept: for root, who may act in the home of another, and where a folder is not to be had
 */
export function compiledFolder(
  uid: number | undefined,
  home: string,
  cache: string | undefined,
): string | undefined {
  if (uid === undefined || uid === 0) return undefined;
  const base = cache !== undefined && isAbsolute(cache) ? cache : join(home, '.cache');
  const folder = join(base, 'countersign');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = statSync(folder);
    return found.uid === uid && (found.mode & OTHERS_WRITE) === 0 ? folder : undefined;
  } catch {
    return undefined;
  }
}
