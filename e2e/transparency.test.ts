import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  createCheckpoint,
  createRightsChange,
  type DeviceLog,
  extendLog,
  formatTreeLeaf,
  signTreeHead,
  treeOrigin,
} from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { ForgedTree } from './forged-tree.ts';
import { type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { addDevice, makeParty, type Party, refused, TestClock } from './parties.ts';

const clock = new TestClock();
let evil: MaliciousBroker;
let serial = 0;

before(async () => {
  evil = await startMaliciousBroker(clock);
});
after(() => evil[Symbol.asyncDispose]());
afterEach(() => evil.behave());

const party = (name: string) => makeParty(evil.origin, `${name}${++serial}@example.com`, clock);
const bookOf = ({ device }: Party) => device.session.book;
const logOf = (one: Party): Promise<DeviceLog> => one.device.session.ownLog(0);
const isLogOf = (one: Party, path: string) =>
  path.startsWith(`/v1/accounts/${encodeURIComponent(one.name)}/log`);

/** Somebody who watches, and has seen the tree with alice in it. */
async function watching() {
  const [alice, bob] = [await party('alice'), await party('bob')];
  await bookOf(bob).read(alice.name);
  return { alice, bob, kept: (await bookOf(bob).tree.kept())! };
}

/** Changes what comes with alice's log. */
// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
function tamperProof(alice: Party, change: (transparency: any, path: string) => unknown): void {
  evil.tamper(async (path, body) => {
    if (!isLogOf(alice, path)) return;
    const transparency = { ...body.transparency };
    return { ...body, transparency: (await change(transparency, path)) ?? transparency };
  });
}

describe('a look-up detects a broker', () => {
  /** Refused, nothing of it kept, and good again with an honest broker. */
  async function refuses(
    { alice, bob, kept }: Awaited<ReturnType<typeof watching>>,
    code: 'tree-invalid' | 'tree-inconsistent',
  ) {
    await assert.rejects(bookOf(bob).read(alice.name), refused(code));
    assert.equal((await bookOf(bob).tree.kept())?.note, kept.note);
    evil.behave();
    await bookOf(bob).read(alice.name);
  }

  test('whose tree shrank', async () => {
    const people = await watching();
    const tree = await ForgedTree.copyOf(evil.broker);
    tree.leaves.pop();
    const log = await logOf(people.alice);
    tamperProof(people.alice, (_, path) => tree.transparency(log, path));
    assert.equal(tree.leaves.length, people.kept.size - 1);
    await refuses(people, 'tree-inconsistent');
  });

  test('whose tree has the same size and another root', async () => {
    const people = await watching();
    const tree = await ForgedTree.copyOf(evil.broker);
    tree.leaves[0] = tree.leaves[0]!.replace('"seq":0', '"seq":1');
    const log = await logOf(people.alice);
    tamperProof(people.alice, (_, path) => tree.transparency(log, path));
    await refuses(people, 'tree-inconsistent');
  });

  test('whose tree grew from another one', async () => {
    const people = await watching();
    const tree = await ForgedTree.copyOf(evil.broker);
    tree.leaves[0] = tree.leaves[0]!.replace('"seq":0', '"seq":1');
    tree.leaves.push(
      formatTreeLeaf({ ...(await logOf(people.bob)), head: { seq: 7, hash: 'A'.repeat(43) } }),
    );
    const log = await logOf(people.alice);
    tamperProof(people.alice, (_, path) => tree.transparency(log, path));
    await refuses(people, 'tree-inconsistent');
  });

  test('that leaves out how its tree grew', async () => {
    const people = await watching();
    await party('carol');
    tamperProof(people.alice, (transparency) => {
      assert.ok(transparency.consistency.length > 0);
      delete transparency.consistency;
    });
    await refuses(people, 'tree-inconsistent');
  });

  test('that alters a hash of how its tree grew', async () => {
    const people = await watching();
    await party('carol');
    tamperProof(people.alice, (transparency) => {
      transparency.consistency = ['A'.repeat(43), ...transparency.consistency.slice(1)];
    });
    await refuses(people, 'tree-inconsistent');
  });

  test('that gives a wrong inclusion proof', async () => {
    const people = await watching();
    tamperProof(people.alice, (transparency) => {
      transparency.inclusion = ['A'.repeat(43), ...transparency.inclusion.slice(1)];
    });
    await refuses(people, 'tree-invalid');
  });

  test('that gives the proof of another leaf', async () => {
    const people = await watching();
    tamperProof(people.alice, (transparency) => {
      transparency.index--;
    });
    await refuses(people, 'tree-invalid');
  });

  test('that gives a stale proof: of the head before', async () => {
    const people = await watching();
    const { transparency: old } = await people.bob.device.session.api.readLog(people.alice.name, 0, 0);
    await addDevice(people.alice, 'phone');
    await party('carol');
    tamperProof(people.alice, (now) => ({
      ...now,
      index: old.index,
      leaf: old.leaf,
      inclusion: old.inclusion,
    }));
    await refuses(people, 'tree-invalid');
    await addDevice(people.alice, 'tablet');
    people.kept = (await bookOf(people.bob).tree.kept())!;
    tamperProof(people.alice, () => old);
    await refuses(people, 'tree-invalid');
  });

  test('that puts no leaf into its tree for a head that it shows', async () => {
    const people = await watching();
    const tree = await ForgedTree.copyOf(evil.broker);
    await addDevice(people.alice, 'phone');
    const { transparency } = await people.bob.device.session.api.readLog(
      people.alice.name,
      0,
      people.kept.size,
    );
    tamperProof(people.alice, async () => ({
      ...transparency,
      tree_head: await tree.head(),
      consistency: [],
    }));
    await refuses(people, 'tree-invalid');
  });

  test('that signs its tree with another key, or as another broker', async () => {
    const people = await watching();
    const { signer } = evil.broker.context;
    const origin = treeOrigin(evil.origin);
    for (const [by, as] of [
      [await generateSigner('EdDSA'), origin],
      [signer, 'other.example'],
    ] as const) {
      tamperProof(people.alice, async (transparency) => {
        const { size, root } = people.kept;
        transparency.tree_head = await signTreeHead(webCrypto, by, as, { size, root });
      });
      await refuses(people, 'tree-invalid');
    }
  });

  test('that says nothing of its tree', async () => {
    const { alice, bob } = await watching();
    evil.tamper((path, { transparency: _, ...body }) => isLogOf(alice, path) && body);
    await assert.rejects(bookOf(bob).read(alice.name), refused('broker-answer-invalid'));
  });
});

describe('the tree head that a client keeps', () => {
  /** Holds the answer to one look-up at alice's log back, and lets others through. */
  function holdBack(alice: Party): { arrived: Promise<void>; release: () => void } {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let held = false;
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice, path) || held) return undefined;
      held = true;
      arrived.resolve();
      await released.promise;
      return body;
    });
    return { arrived: arrived.promise, release: released.resolve };
  }

  test('is not moved back by a look-up that was overtaken, which is good all the same', async () => {
    const { alice, bob } = await watching();
    const { arrived, release } = holdBack(alice);
    const slow = bookOf(bob).read(alice.name);
    await arrived;
    const carol = await party('carol');
    await bookOf(bob).read(carol.name);
    const kept = await bookOf(bob).tree.kept();
    release();
    const { log } = await slow;
    assert.equal(log.name, alice.name);
    assert.equal((await bookOf(bob).tree.kept())?.note, kept?.note);
  });

  test('finds out a look-up that was overtaken, and is of another tree', async () => {
    const { alice, bob, kept } = await watching();
    const log = await logOf(alice);
    const tree = await ForgedTree.copyOf(evil.broker);
    // Both have grown from what was kept, each in its own way.
    tree.leaves.push(formatTreeLeaf({ ...log, head: { seq: 7, hash: 'A'.repeat(43) } }));
    const forged = await tree.transparency(log, `?tree=${kept.size}`);
    const released = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    evil.tamper(async (path, body) => {
      if (!isLogOf(alice, path)) return undefined;
      arrived.resolve();
      await released.promise;
      return { ...body, transparency: forged };
    });
    const slow = bookOf(bob).read(alice.name);
    await arrived.promise;
    for (const name of ['carol', 'dave']) await bookOf(bob).read((await party(name)).name);
    const honest = await bookOf(bob).tree.kept();
    released.resolve();
    await assert.rejects(slow, refused('tree-inconsistent'));
    assert.equal((await bookOf(bob).tree.kept())?.note, honest?.note);
  });

  test('is found out by a good look-up that was overtaken by a lie', async () => {
    const { alice, bob } = await watching();
    const carol = await party('carol');
    await bookOf(bob).read(carol.name);
    const released = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const tree = await ForgedTree.copyOf(evil.broker);
    const log = await logOf(carol);
    for (let seq = 1; seq < 4; seq++)
      tree.leaves.push(formatTreeLeaf({ ...log, head: { seq, hash: 'A'.repeat(43) } }));
    evil.tamper(async (path, body) => {
      if (isLogOf(carol, path)) return { ...body, transparency: await tree.transparency(log, path) };
      if (!isLogOf(alice, path)) return undefined;
      arrived.resolve();
      await released.promise;
      return body;
    });
    const slow = bookOf(bob).read(alice.name);
    await arrived.promise;
    await bookOf(bob).read(carol.name);
    released.resolve();
    // The broker has no proof from its real tree to the larger one that it signed.
    await assert.rejects(slow, refused('tree-inconsistent'));
  });

  test('only goes forward under many look-ups at once, while the tree grows', async () => {
    const { alice, bob } = await watching();
    const sizes: number[] = [];
    const watch = async () => {
      for (let i = 0; i < 15; i++) {
        await bookOf(bob).read(alice.name);
        sizes.push((await bookOf(bob).tree.kept())!.size);
      }
    };
    const grow = async () => {
      for (let i = 0; i < 10; i++) await party('more');
    };
    await Promise.all([watch(), watch(), watch(), grow(), bookOf(bob).tree.refresh()]);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    );
    assert.ok(sizes.at(-1)! > sizes[0]!, 'the tree grew meanwhile');
  });
});

/** A log of alice's that only some are shown: her device's own entry, which the honest broker never had. */
async function forkOf(alice: Party): Promise<DeviceLog> {
  const log = await logOf(alice);
  const { keys } = alice.device.session;
  const kid = await alice.device.session.kid();
  const signing = { signer: keys.signer, log, now: clock.now() };
  const { jws } = await createRightsChange(webCrypto, signing, kid, ['ask', 'answer', 'admit', 'recover']);
  return extendLog(webCrypto, log, [jws]);
}

/** Shows a log of alice's in a tree of its own, from now on. */
function show(alice: Party, log: DeviceLog, tree: ForgedTree): void {
  evil.tamper(async (path, body) => {
    if (path.startsWith('/tlog/checkpoint')) return tree.head();
    if (path.startsWith('/tlog/proof')) {
      const query = new URL(path, evil.origin).searchParams;
      return { consistency: await tree.consistency(Number(query.get('from')), Number(query.get('to'))) };
    }
    if (!isLogOf(alice, path)) return undefined;
    const { signer } = evil.broker.context;
    const { jws } = await createCheckpoint(webCrypto, signer, evil.origin, log, clock.now());
    const from = Number(/from=(\d+)/.exec(path)![1]);
    const transparency = await tree.transparency(log, path);
    return { ...body, entries: log.entries.slice(from), checkpoint: jws, transparency };
  });
}

describe('two clients that are shown different logs of one account', () => {
  /** bob is shown the honest log, carol a fork, each in a tree of its own, and each is content. */
  async function split() {
    const [alice, bob, carol] = [await party('alice'), await party('bob'), await party('carol')];
    const tree = await ForgedTree.copyOf(evil.broker);
    const fork = await forkOf(alice);
    await addDevice(alice, 'phone');
    const honest = (await bookOf(bob).read(alice.name)).log;
    show(alice, fork, tree);
    const forked = (await bookOf(carol).read(alice.name)).log;
    assert.notEqual(honest.head.hash, forked.head.hash);
    return { alice, bob, carol, tree, fork };
  }
  const noteOf = async (one: Party) => (await bookOf(one).tree.kept())!.note;

  test('find out by comparing, without the broker where the trees are of one size', async () => {
    const { bob, carol } = await split();
    evil.tamper(() => assert.fail('nobody need be asked'));
    await assert.rejects(bookOf(bob).tree.compare(await noteOf(carol)), refused('tree-inconsistent'));
    await assert.rejects(bookOf(carol).tree.compare(await noteOf(bob)), refused('tree-inconsistent'));
  });

  test('find out by comparing, whichever tree is larger and whichever the broker goes on with', async () => {
    const { alice, bob, carol, tree, fork } = await split();
    evil.behave();
    const dave = await party('dave');
    await bookOf(bob).read(dave.name);
    await assert.rejects(bookOf(bob).tree.compare(await noteOf(carol)), refused('tree-inconsistent'));
    for (let i = 0; i < 5; i++)
      tree.leaves.push(formatTreeLeaf({ ...fork, head: { seq: i, hash: 'A'.repeat(43) } }));
    show(alice, fork, tree);
    await bookOf(carol).read(alice.name);
    await assert.rejects(bookOf(carol).tree.compare(await noteOf(bob)), refused('tree-inconsistent'));
    evil.behave();
    await assert.rejects(bookOf(bob).tree.compare(await noteOf(carol)), refused('tree-inconsistent'));
  });

  test('of an honest broker agree, whoever saw more', async () => {
    const { alice, bob } = await watching();
    const early = await noteOf(bob);
    const carol = await party('carol');
    await bookOf(carol).read(alice.name);
    const { own, other } = await bookOf(carol).tree.compare(early);
    assert.ok(other.size < own.size);
    const { own: bobs } = await bookOf(bob).tree.compare(await noteOf(carol));
    assert.ok(bobs.size >= own.size);
    assert.equal(await noteOf(bob), bobs.note);
  });

  test('compare heads of the same broker only', async () => {
    const { bob, kept } = await watching();
    const other = await signTreeHead(webCrypto, await generateSigner('EdDSA'), treeOrigin(evil.origin), kept);
    await assert.rejects(bookOf(bob).tree.compare(other), refused('tree-invalid'));
    await assert.rejects(bookOf(bob).tree.compare('not a note'), refused('tree-invalid'));
  });
});
