/**
 * Writes `docs/reference.md` from the programs themselves; with `--check`, says whether it is as they are.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import { reference } from './reference.ts';

const FILE = new URL('reference.md', import.meta.url);

const text = await reference();
if (!process.argv.includes('--check')) {
  await writeFile(FILE, text);
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
  process.stderr.write('docs/reference.md is not as the programs are: `npm run docs` writes it anew\n');
  process.exitCode = 1;
}
