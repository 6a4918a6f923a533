import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MAIN = fileURLToPath(new URL('demo/main.ts', import.meta.url));
const run = promisify(execFile);

for (const [door, last] of [
  ['confirm', 'That was the door “confirm”'],
  ['devices', 'That was the door “devices”'],
  ['gate', 'That was the door “gate”'],
  ['sessions', 'That was the door “sessions”'],
  ['cosign', 'That was the door “cosign”'],
] as const) {
  test(`the demo of the door ${door} is told to its end`, async () => {
    const { stdout } = await run(process.execPath, [MAIN, door], { timeout: 600_000 });
    assert.ok(stdout.includes(last), stdout);
  });
}

test('the demo names the doors that there are', async () => {
  await assert.rejects(run(process.execPath, [MAIN, 'nowhere']), { code: 64 });
});
