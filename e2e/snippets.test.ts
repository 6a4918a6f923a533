import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** What the text around a snippet takes for granted. */
const GRANTED = 'declare const passphrase: string;\n';

for (const page of ['README.md', 'docs/cosign.md']) {
  test(`the TypeScript in ${page} compiles`, () => {
    const snippets = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(
      ([, code]) => code!,
    );
    assert.ok(snippets.length > 0, 'there is some');
    const folder = mkdtempSync(join(ROOT, 'artefacts-'));
    try {
      const files = snippets.map((code, i) => {
        const file = join(folder, `snippet-${i}.ts`);
        writeFileSync(file, GRANTED + code);
        return file;
      });
      const compilerOptions = { noUnusedLocals: false };
      const config = { extends: '../tsconfig.json', compilerOptions, include: [], files };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
      const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder], {
        encoding: 'utf8',
      });
      assert.equal(status, 0, stdout);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
