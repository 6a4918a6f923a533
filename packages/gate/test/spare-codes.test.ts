import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { webCrypto } from '@countersign/core/webcrypto';
import type { Attempt, Authenticate, Conversation } from '../src/pam/door.ts';
import { SpareCodes } from '../src/spare-codes/spare-codes.ts';
import { withSpareCodes } from '../src/spare-codes/with-spare-codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-codes-'));
const path = join(folder, 'codes.db');
let codes: SpareCodes;
before(() => {
  codes = new SpareCodes(path, webCrypto);
});
after(() => {
  codes.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a code on paper', () => {
  test('opens once, for its user alone', async () => {
    const [one, two] = await codes.make('alice', 2);
    assert.equal(await codes.use('bob', one!), undefined);
    assert.equal(await codes.use('alice', one!.toLowerCase().replaceAll('-', ' ')), 'offline');
    assert.equal(await codes.use('alice', one!), undefined);
    assert.equal(codes.left('alice'), 1);
    assert.equal(await codes.use('alice', two!), 'offline');
  });

  test('of two who type it at once, one is in', async () => {
    const [one] = await codes.make('alice', 1);
    const other = new SpareCodes(path, webCrypto);
    const uses = await Promise.all([codes.use('alice', one!), other.use('alice', one!)]);
    other.close();
    assert.deepEqual(uses.toSorted(), ['offline', undefined]);
  });

  test('is dead when there are new ones', async () => {
    const [old] = await codes.make('alice', 1);
    const [fresh] = await codes.make('alice', 1);
    assert.equal(await codes.use('alice', old!), undefined);
    assert.equal(await codes.use('alice', fresh!), 'offline');
  });

  test('of the host opens once, for anybody', async () => {
    const old = await codes.makeBreakGlass();
    const code = await codes.makeBreakGlass();
    assert.equal(await codes.use('alice', old), undefined);
    assert.equal(await codes.use('bob', code), 'break-glass');
    assert.equal(await codes.use('bob', code), undefined);
    assert.equal(codes.hasBreakGlass, false);
  });

  test('stands in no file, and the file is its owner’s alone', async () => {
    const made = [...(await codes.make('alice', 3)), await codes.makeBreakGlass()];
    for (const name of readdirSync(folder)) {
      const bytes = readFileSync(join(folder, name), 'latin1');
      for (const code of made) {
        for (const text of [code, code.replaceAll('-', '')]) assert.ok(!bytes.includes(text), name);
      }
      assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
    }
  });

  for (const typed of ['', '123456', 'A'.repeat(16), '!'.repeat(16), 'A'.repeat(500)]) {
    test(`is not ${JSON.stringify(typed.slice(0, 20))}`, async () => {
      await codes.make('alice', 1);
      assert.equal(await codes.use('alice', typed), undefined);
    });
  }
});

describe('at the door', () => {
  const attempt = (style: Attempt['style'], signal = new AbortController().signal): Attempt => ({
    service: 'su',
    user: 'alice',
    mode: 'gate',
    style,
    qr: 'none',
    peer: { pid: 1, uid: 0, gid: 0 },
    deadline: 0,
    signal,
  });
  const typing = (typed: string) => {
    const said: string[] = [];
    const ask = async (text: string) => {
      said.push(text);
      return typed;
    };
    const nothing = async () => {};
    const conversation: Conversation = { prompt: ask, secret: ask, info: nothing, error: nothing };
    return { said, conversation };
  };
  const nobody: Authenticate = async () => 'unavailable';
  /** Asks, and is never answered. */
  const waits: Authenticate = async ({ signal }, conversation) => {
    await conversation.prompt('passcode 123 456');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return 'denied';
  };

  test('a code at the usual prompt opens, and what was asked is over', async () => {
    const [code] = await codes.make('alice', 1);
    const used: string[] = [];
    let over = false;
    const door = withSpareCodes(
      async (inner, conversation) => {
        inner.signal.addEventListener('abort', () => (over = true));
        return waits(inner, conversation);
      },
      codes,
      (_attempt, use) => used.push(use),
    );
    assert.equal(await door(attempt('prompt'), typing(code!).conversation), 'granted');
    assert.deepEqual(used, ['offline']);
    assert.ok(over);
  });

  test('where nothing can be shown, it is typed as the password', async () => {
    const [code] = await codes.make('alice', 1);
    const door = withSpareCodes(nobody, codes, () => {});
    assert.equal(await door(attempt('silent'), typing(code!).conversation), 'granted');
    assert.equal(await door(attempt('silent'), typing(code!).conversation), 'unavailable');
  });

  test('where nobody can be asked, it is asked for', async () => {
    const [code] = await codes.make('alice', 2);
    const door = withSpareCodes(nobody, codes, () => {});
    const { said, conversation } = typing(code!);
    assert.equal(await door(attempt('info'), conversation), 'granted');
    assert.equal(said.length, 1);
    assert.equal(await door(attempt('info'), conversation), 'unavailable');
  });

  test('where nobody answered, it is asked for in a program that showed the passcode without a question', async () => {
    const [code, other] = await codes.make('alice', 2);
    const late: Authenticate = async () => 'unanswered';
    const door = withSpareCodes(late, codes, () => {});
    assert.equal(await door(attempt('info'), typing('').conversation), 'unanswered');
    assert.equal(await door(attempt('info'), typing(code!).conversation), 'granted');
    const { said, conversation } = typing(other!);
    assert.equal(await door(attempt('prompt'), conversation), 'unanswered');
    assert.deepEqual(said, []);
  });

  test('a host that has none asks for none', async () => {
    const none = new SpareCodes(join(folder, 'none.db'), webCrypto);
    for (const verdict of ['unanswered', 'unavailable'] as const) {
      const { said, conversation } = typing('');
      const door = withSpareCodes(
        async () => verdict,
        none,
        () => {},
      );
      assert.equal(await door(attempt('info'), conversation), verdict);
      assert.deepEqual(said, []);
    }
    none.close();
  });

  test('a push leaves a third of the time for it', async () => {
    await codes.make('alice', 1);
    const deadlines: number[] = [];
    const door = withSpareCodes(
      async ({ deadline }) => {
        deadlines.push(deadline);
        return 'denied';
      },
      codes,
      () => {},
      () => 10_000,
    );
    for (const style of ['info', 'prompt'] as const) {
      await door({ ...attempt(style), mode: 'push', deadline: 100_000 }, typing('').conversation);
    }
    assert.deepEqual(deadlines, [70_000, 100_000]);
  });

  test('a code that was typed counts, though the usual way ends before it is looked up', async () => {
    const [code] = await codes.make('alice', 1);
    const quick: Authenticate = async (_attempt, conversation) => {
      await conversation.prompt('passcode 123 456');
      return 'denied';
    };
    const door = withSpareCodes(quick, codes, () => {});
    assert.equal(await door(attempt('prompt'), typing('no code').conversation), 'denied');
    assert.equal(await door(attempt('prompt'), typing(code!).conversation), 'granted');
  });

  test('a no of the usual way stays a no', async () => {
    const [code] = await codes.make('alice', 1);
    const door = withSpareCodes(
      async () => 'denied',
      codes,
      () => {},
    );
    assert.equal(await door(attempt('info'), typing(code!).conversation), 'denied');
    assert.equal(codes.left('alice'), 1);
  });

  test('a code of somebody who is gone opens nothing', async () => {
    const [code] = await codes.make('alice', 1);
    const gone = AbortSignal.abort();
    const used: string[] = [];
    const door = withSpareCodes(nobody, codes, (_attempt, use) => used.push(use));
    assert.notEqual(await door(attempt('silent', gone), typing(code!).conversation), 'granted');
    assert.deepEqual(used, []);
  });
});
