/**
 * A backup of a broker that may be running: `VACUUM INTO` reads one consistent state, and neither waits for
 * writers nor makes them wait.
 * @module
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { databasePath, keyPath } from './broker.ts';

/** Copies the database and the broker's key into a folder, which may not have a backup yet. */
export async function backUp(data: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(databasePath(data), { readOnly: true, timeout: 5000 });
  try {
    database.prepare('VACUUM INTO ?').run(databasePath(to));
  } finally {
    database.close();
  }
  await copyFile(keyPath(data), keyPath(to));
}
