/**
 * A backup of a broker that may be running: `VACUUM INTO` reads one consistent state, and neither waits for
 * writers nor makes them wait.
 * @module
 */
import { copyFile, open } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { databasePath, keyPath, pushKeyPath } from './broker.ts';
import { makeFolder } from './data-folder.ts';

/** Copies the database and the broker's keys into a folder, which may not have a backup yet. */
export async function backUp(data: string, to: string): Promise<void> {
  await makeFolder(to);
  await (await open(databasePath(to), 'wx', 0o600)).close();
  const database = new DatabaseSync(databasePath(data), { readOnly: true, timeout: 5000 });
  try {
    database.prepare('VACUUM INTO ?').run(databasePath(to));
  } finally {
    database.close();
  }
  await copyFile(keyPath(data), keyPath(to));
  await copyFile(pushKeyPath(data), pushKeyPath(to)).catch((error: NodeJS.ErrnoException) => {
    // A broker of before it sent notices has none.
    if (error.code !== 'ENOENT') throw error;
  });
}
