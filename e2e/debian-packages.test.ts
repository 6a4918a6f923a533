import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const module = import.meta.resolve('./debian-packages.ts');

/** Sees to some programs, in a process of its own with another search path. */
function installing(programs: readonly string[], path: string) {
  const script = `import { installNeeded } from ${JSON.stringify(module)}; installNeeded(${JSON.stringify(programs)}); console.log('went on');`;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
  });
}

test('a package that is missing and can’t be installed is named, and the tests stop', () => {
  // Where there is nothing on the path, there is no apt-get either.
  const { status, stdout, stderr } = installing(['zsh', 'fish'], '/nonexistent');
  assert.equal(status, 1);
  assert.match(stdout, /^installing zsh, fish with apt-get/);
  assert.doesNotMatch(stdout, /went on/);
  assert.match(stderr, /needed, and could not be installed: zsh, fish/);
});

test('where all that is needed is there, nothing is installed', () => {
  const { status, stdout } = installing(['python3', 'zsh'], process.env.PATH!);
  assert.deepEqual([status, stdout], [0, 'went on\n']);
});
