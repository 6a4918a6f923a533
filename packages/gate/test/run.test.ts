import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../src/install/run.ts';

test('a command that a closing terminal hit as it began is run once more, and no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-run-'));
  try {
    const once = 'if mkdir "$0"; then kill -HUP $$; else exit "$1"; fi 2>&-';
    await run('sh', ['-c', once, join(folder, 'one'), '0']);
    await assert.rejects(run('sh', ['-c', once, join(folder, 'two'), '1']), /sh failed/);
    await assert.rejects(run('sh', ['-c', 'kill -HUP $$']), /sh failed/);
    await assert.rejects(run('sh', ['-c', `mkdir "${join(folder, 'three')}" && kill -TERM $$`]), /sh failed/);
    await assert.rejects(run('sh', ['-c', 'echo no >&2; exit 3']), /sh failed: no$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
