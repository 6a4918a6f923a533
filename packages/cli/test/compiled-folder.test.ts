import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { compiledFolder } from '../src/compiled-folder.ts';

const root = mkdtempSync(join(tmpdir(), 'compiled-'));
after(() => rmSync(root, { recursive: true }));
let serial = 0;
const newHome = () => {
  const home = join(root, String(++serial));
  mkdirSync(home);
  return home;
};
/** Another than root, whose folders this process can make: itself, or whoever root says. */
const self = process.getuid!();
const USER = self === 0 ? 4711 : self;
const own = (path: string) => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (self === 0) chownSync(path, USER, USER);
};

describe('what was compiled is kept', () => {
  test('in a folder of its user alone', () => {
    const home = newHome();
    own(join(home, '.cache/countersign'));
    assert.equal(compiledFolder(USER, home, undefined), join(home, '.cache/countersign'));
  });

  test('where XDG_CACHE_HOME says, if that is absolute', () => {
    const [home, cache] = [newHome(), newHome()];
    own(join(cache, 'countersign'));
    own(join(home, '.cache/countersign'));
    assert.equal(compiledFolder(USER, home, cache), join(cache, 'countersign'));
    for (const relative of ['', 'cache', './cache']) {
      assert.equal(compiledFolder(USER, home, relative), join(home, '.cache/countersign'));
    }
  });

  test('not for root, in nobody’s home', () => {
    const home = newHome();
    assert.equal(compiledFolder(0, home, undefined), undefined);
    assert.deepEqual(readdirSync(home), []);
  });

  test('not where a system has no users', () => {
    assert.equal(compiledFolder(undefined, newHome(), undefined), undefined);
  });

  test('not in another’s folder, and not in one that others may write to', () => {
    const home = newHome();
    const folder = join(home, '.cache/countersign');
    own(folder);
    assert.equal(compiledFolder(USER + 1, home, undefined), undefined);
    for (const mode of [0o770, 0o707, 0o777, 0o1777]) {
      chmodSync(folder, mode);
      assert.equal(compiledFolder(USER, home, undefined), undefined, mode.toString(8));
    }
  });

  test('not where no folder can be made', () => {
    const home = newHome();
    writeFileSync(join(home, '.cache'), '');
    assert.equal(compiledFolder(USER, home, undefined), undefined);
  });

  test('in a folder that it makes, which others can’t read', () => {
    const home = newHome();
    compiledFolder(USER, home, undefined);
    assert.equal(statSync(join(home, '.cache/countersign')).mode & 0o777, 0o700);
  });
});
