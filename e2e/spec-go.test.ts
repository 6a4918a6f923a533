/**
 * Existing tools read the broker's tree: a program on the Go team's packages for transparency logs verifies its
 * signed head, its tiles, every leaf, and how it grew.
 * @module
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { addDevice, makeParty, type Party, TestClock } from './parties.ts';
import { temporaryFolder } from './processes.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../spec/go/', import.meta.url));
/** The Go that the source asks for. */
const OLDEST = [1, 26];

async function missingGo(): Promise<string | false> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION']);
    const [major = 0, minor = 0] = stdout.replace(/^go/, '').split('.').map(Number);
    const good = major > OLDEST[0]! || (major === OLDEST[0] && minor >= OLDEST[1]!);
    return good ? false : `Go ${OLDEST.join('.')} is needed, and ${stdout.trim()} is here`;
  } catch {
    return 'Go is not installed here';
  }
}

describe('a Go program with golang.org/x/mod/sumdb', { skip: await missingGo(), timeout: 300_000 }, () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let broker: MaliciousBroker;
  let alice: Party;
  const program = () => join(folder.path, 'verify-tree');
  const verify = async () => {
    const { stdout } = await run(program(), [broker.origin, alice.name], { maxBuffer: 1e7 });
    return JSON.parse(stdout) as Record<'size' | 'tiles' | 'leaves' | 'consistency' | 'accounts', number>;
  };

  before(async () => {
    folder = await temporaryFolder();
    const env = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
    await run('go', ['build', '-o', program(), '.'], { cwd: SOURCE, env });
    const clock = new TestClock();
    broker = await startMaliciousBroker(clock);
    alice = await makeParty(broker.origin, 'alice@example.com', clock);
    await addDevice(alice, 'phone');
  });
  after(async () => {
    await broker[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** Accounts that are nobody's, straight into the store: for the tree, a leaf is a leaf. */
  async function grow(to: number): Promise<void> {
    const { store, tree } = broker.broker.context;
    for (let i = await store.tree.size(); i < to; i++) {
      const hash = createHash('sha256').update(String(i)).digest('base64url');
      const named = { name: `n${i}@example.com`, identity: hash, head: { seq: 0, hash } };
      await store.createAccount({ ...named, epoch: 0, devices: new Map(), entries: ['e'] }, 1_800_000_000);
    }
    // Else the head that is shown may be a second old.
    await tree.head(to);
  }

  test('verifies a tree in one partial tile', async () => {
    const { size, leaves, consistency, accounts } = await verify();
    assert.deepEqual(
      { size, leaves, consistency, accounts },
      { size: 2, leaves: 2, consistency: 2, accounts: 1 },
    );
  });

  test('verifies a tree of exactly one full tile', async () => {
    await grow(256);
    assert.equal((await verify()).leaves, 256);
  });

  test('verifies a tree of full and partial tiles, on two levels', async () => {
    await grow(600);
    const { leaves, tiles } = await verify();
    assert.equal(leaves, 600);
    assert.ok(tiles >= 4, `${tiles} tiles`);
  });

  test('refuses a tree of which one leaf, one hash of a tile, or the head was altered', async () => {
    const cases: [path: RegExp, at: number, said: RegExp][] = [
      [/^\/tlog\/tile\/entries\/001$/, 40, /leaf 256/],
      [/^\/tlog\/tile\/0\/001$/, 40, /inconsistent tile/],
      [/^\/tlog\/checkpoint$/, 25, /invalid signature/],
    ];
    for (const [path, at, said] of cases) {
      broker.tamper((called, body) => {
        if (!path.test(called)) return undefined;
        const altered = Buffer.from(body);
        altered[at]! ^= 1;
        return altered;
      });
      await assert.rejects(verify(), ({ code, stderr }: { code: number; stderr: string }) => {
        assert.equal(code, 1);
        assert.match(stderr, said);
        return true;
      });
    }
    broker.behave();
  });

  test('refuses a proof of how the tree grew that is not good', async () => {
    broker.tamper((path, body) =>
      path.startsWith('/tlog/proof') ? { consistency: body.consistency.toReversed() } : undefined,
    );
    await assert.rejects(verify(), /leaves: .*proof/i);
  });
});
