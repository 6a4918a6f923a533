import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AccountBook, BrokerApi, newEpoch } from '@countersign/client';
import { createCheckpoint, createEpoch, extendLog } from '@countersign/core';
import { generateSigner, webCrypto } from '@countersign/core/webcrypto';
import {
  accountOfItsOwn,
  addedDevice,
  alice,
  clock,
  evil,
  fresh,
  host,
  isLogOf,
  logOf,
  serial,
} from './malicious-scene.ts';
import { addDevice, makeParty, type Party, refused, revokeDevice } from './parties.ts';

describe('a log that was longer before', () => {
  test('is a rollback when the broker shows less of it, and a fork when it shows another', async () => {
    await fresh();
    const { session } = alice.device;
    const log = await logOf(alice);
    const entry = async () => {
      const own = await generateSigner('EdDSA');
      return addedDevice(session.keys.signer, own, log);
    };
    const [one, other] = [await entry(), await entry()];
    await session.api.appendLog(alice.name, [one]);
    assert.equal((await host.enquirer.session.book.find(alice.name, -1)).log.head.seq, 1);

    evil.tamper((path, body) => isLogOf(alice)(path) && { ...body, entries: [] });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('log-rollback'));
    evil.tamper((path, body) => isLogOf(alice)(path) && { ...body, entries: [other] });
    await assert.rejects(host.enquirer.session.book.find(alice.name, -1), refused('log-fork'));
  });
});

describe('of two look-ups at a time, a broker that answers one late', () => {
  /** Another process of the same profile. */
  const otherBook = () => new AccountBook(new BrokerApi(evil.origin), webCrypto, host.state, clock);

  /** The first log of a party that is read from now on is another one, and comes when it is let go. */
  function holdBack(party: Party, other: (body: unknown, path: string) => Promise<object>) {
    const { promise, resolve: letGo } = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    let first = true;
    evil.tamper(async (path, body) => {
      if (!first || !isLogOf(party)(path)) return;
      first = false;
      held.resolve();
      await promise;
      return other(body, path);
    });
    return { letGo, held: held.promise };
  }

  test('does not replace an account that was bound by its link', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    const { letGo, held } = holdBack(bob, accountOfItsOwn);
    const early = otherBook().find(bob.name, 3600);
    early.catch(() => {});
    await held;
    const { name, identity } = bob.device.session.keys;
    await host.enquirer.session.book.bind(name, identity, 'link');
    letGo();
    await assert.rejects(early, refused('account-changed'));
    const { log, binding } = await host.enquirer.session.book.find(name, 3600);
    assert.deepEqual([log.identity, binding], [identity, 'link']);
  });

  test('does not replace a log that shows a revocation by a longer one', async () => {
    await fresh();
    const thief = await addDevice(alice, 'stolen phone', ['ask', 'answer', 'pay', 'admit', 'recover']);
    const kid = await thief.device.session.kid();
    await host.enquirer.session.book.find(alice.name, 0);
    const before = await alice.device.session.ownLog(0);
    const { signer } = thief.device.session.keys;
    let fork = before;
    for (let i = 0; i < 4; i++) {
      const entry = await createEpoch(webCrypto, fork, signer, await newEpoch(), clock.now());
      fork = await extendLog(webCrypto, fork, [entry.jws]);
    }
    await revokeDevice(alice, kid);
    const { letGo, held } = holdBack(alice, async (body, path) => {
      const from = Number(/from=(\d+)/.exec(path)![1]);
      const { signer: own } = evil.broker.context;
      const checkpoint = await createCheckpoint(webCrypto, own, evil.origin, fork, clock.now());
      return { ...(body as object), entries: fork.entries.slice(from), checkpoint: checkpoint.jws };
    });
    const early = otherBook().find(alice.name, 0);
    early.catch(() => {});
    await held;
    await host.enquirer.session.book.find(alice.name, 0);
    letGo();
    await assert.rejects(early, refused('log-fork'));
    const { log } = await host.enquirer.session.book.find(alice.name, 3600);
    assert.notEqual(log.devices.get(kid)!.revokedAt, undefined);
  });

  test('does not replace a longer log by a shorter one', async () => {
    await fresh();
    const tablet = await addDevice(alice, 'tablet');
    const short = await alice.device.session.ownLog(0);
    const { signer } = evil.broker.context;
    const { letGo, held } = holdBack(alice, async (body) => {
      const checkpoint = await createCheckpoint(webCrypto, signer, evil.origin, short, clock.now());
      return { ...(body as object), entries: short.entries, checkpoint: checkpoint.jws };
    });
    const early = otherBook().find(alice.name, 0);
    await held;
    await revokeDevice(alice, await tablet.device.session.kid());
    const { head } = await alice.device.session.ownLog(0);
    await host.enquirer.session.book.find(alice.name, 0);
    letGo();
    assert.deepEqual((await early).log.head, head);
    assert.deepEqual((await host.enquirer.session.book.find(alice.name, 3600)).log.head, head);
  });

  test('does not leave another account bound where the program ends before it can say so', async () => {
    await fresh();
    const bob = await makeParty(evil.origin, `bob${serial}@example.com`, clock);
    evil.tamper(async (path, body) => isLogOf(bob)(path) && (await accountOfItsOwn(body)));
    const { name, identity } = bob.device.session.keys;
    const kept = () => host.state.get('log', `${evil.origin} ${name}`);
    const { update } = host.state;
    host.state.update = (kind, key, change) => {
      assert.notEqual(kind, 'log', 'nothing is stored that was not compared');
      return update.call(host.state, kind, key, change as never) as never;
    };
    await assert.rejects(otherBook().bind(name, identity, 'link'), refused('account-changed'));
    host.state.update = update;
    assert.equal(await kept(), undefined);
  });
});
