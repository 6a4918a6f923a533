/**
 * One broker to a folder. What a broker keeps in memory (accounts, pending requests, proofs that were used, who
 * waits) is right only while nobody else writes to its database.
 * @module
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** For so long a predecessor may still be stopping. */
const PATIENCE_MS = 3000;
/** SQLite's result code where another connection holds the lock. */
const SQLITE_BUSY = 5;

/**
 * Holds a folder until it is let go. The lock is the operating system's, by way of SQLite: it ends with the process,
 * however that ends.
 * @param path of the lock file, which stays empty
 * @throws Error where another broker holds it
 */
export function holdFolder(path: string): { release(): void } {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path, { timeout: PATIENCE_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause;
    throw new Error(`another broker is running on this data (${path}): a folder has one`, { cause });
  }
  return { release: () => lock.close() };
}
