import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  beginRecovery,
  completeRecovery,
  Device,
  freezeByCode,
  MemoryKeyStore,
  MemoryStateStore,
  newRecovery,
  recoveryProof,
  replaceRecovery,
  thawByCode,
} from '@countersign/client';
import { openEpoch } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { joinShares, splitCode } from '../packages/cli/src/recovery-shares.ts';
import { addDevice, introduce, type Party, refused } from './parties.ts';
import { createWorld } from './world.ts';

const world = createWorld();
const UNDO = 3 * 86_400;

function machine() {
  const stores = {
    keyStore: new MemoryKeyStore(),
    state: new MemoryStateStore(),
    crypto: webCrypto,
    clock: world.clock,
  };
  return {
    ...stores,
    recover: (of: Party, code: string) =>
      beginRecovery(placeOf(of), code, { deviceName: 'a new machine' }, stores),
    complete: () => completeRecovery(stores),
    async device() {
      return new Device({ ...stores, keys: (await stores.keyStore.load())! });
    },
  };
}

const placeOf = ({ device }: Party) => {
  const { name, identity, broker } = device.session.keys;
  return { name, identity, broker };
};

describe('an account is got back by its printed code', () => {
  test('after the undo period, and not before: until then the device counts nowhere', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    const found = machine();
    const { kid } = await found.recover(alice, code);
    const device = await found.device();
    await assert.rejects(device.pending(), refused('device-on-probation'));
    await assert.rejects(device.devices.invite('knock'), refused('device-on-probation'));
    // What is asked is not sealed to it.
    const meanwhile = await host.enquirer.ask({ account: alice.name, text: 'Meanwhile' });
    await host.enquirer.cancel(meanwhile.hash);
    assert.equal((await host.enquirer.session.book.find(alice.name, 0)).log.epoch.sealed[kid], undefined);
    await world.atOffset(UNDO - 60, () => assert.rejects(found.complete(), refused('recovery-early')));
    await world.atOffset(UNDO + 61, async () => {
      await found.complete();
      const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
      const { requests } = await device.pending();
      await device.answer(requests.at(-1)!, { decision: 'accept', shown: 'screen' });
      const outcome = await host.enquirer.wait(asked.hash);
      assert.ok(outcome.outcome === 'accepted' && outcome.answer.device.kid === kid);
    });
  });

  test('unless a device undoes it: any of them, also one that may let nobody in, or is frozen', async () => {
    for (const kind of ['plain', 'frozen'] as const) {
      const { party: alice, code } = await world.partyWithCode('alice');
      const phone = await addDevice(alice, 'alice’s phone', ['answer']);
      if (kind === 'frozen') await alice.device.devices.freeze(await phone.device.session.kid());
      const thief = machine();
      const { kid } = await thief.recover(alice, code);
      await phone.device.devices.revoke(kid, 'undone');
      await world.atOffset(UNDO + 61, () => assert.rejects(thief.complete(), refused('device-revoked')));
    }
  });

  test('is an event that every device is told', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const stop = new AbortController();
    const { cursor } = await alice.device.pending();
    const told = (async () => {
      for await (const happened of alice.device.follow(cursor, stop.signal)) {
        if (happened.kind === 'event') return happened.event.kind;
      }
      return 'nothing';
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await machine().recover(alice, code);
    assert.equal(await told, 'log');
    stop.abort();
  });

  test('and by no other code, nor by the old one once there is a new one, nor by two recoveries at once', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const { code: other } = await newRecovery(webCrypto, world.home.broker.context.publicKey);
    await assert.rejects(machine().recover(alice, other), refused('recovery-invalid'));
    const mistyped = code.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A'));
    await assert.rejects(machine().recover(alice, mistyped), refused('recovery-invalid'));
    const fresh = await replaceRecovery(alice.device.session);
    await assert.rejects(machine().recover(alice, code), refused('recovery-invalid'));
    await machine().recover(alice, fresh.toLowerCase().replaceAll('-', ' '));
    await assert.rejects(machine().recover(alice, fresh), refused('log-invalid'));
  });

  test('or by so many of its shares', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const shares = await splitCode(webCrypto, code, 3, 2);
    assert.equal(await joinShares(webCrypto, [shares[2]!, shares[0]!]), code);
    await machine().recover(alice, await joinShares(webCrypto, [shares[1]!.toLowerCase(), shares[2]!]));
    const wrong = shares[0]!.replace(/^./, (letter) => (letter === 'A' ? 'B' : 'A'));
    await assert.rejects(joinShares(webCrypto, [wrong, shares[1]!]), refused('recovery-invalid'));
    await assert.rejects(joinShares(webCrypto, [shares[0]!]), refused('recovery-invalid'));
  });
});

describe('the printed code', () => {
  test('freezes a lost device at once, from any machine; the device and the code together thaw it', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const kid = await alice.device.session.kid();
    const host = await world.party('host');
    await introduce(alice, host);
    await freezeByCode(placeOf(alice), code, () => kid, machine());
    await assert.rejects(alice.device.pending(), refused('device-frozen'));
    const asked = host.enquirer.ask({ account: alice.name, text: 'Log in' });
    await assert.rejects(asked, refused('epoch-stale'));
    await assert.rejects(alice.device.devices.thaw(kid), refused('recovery-invalid'));
    await thawByCode(alice.device.session, code);
    assert.deepEqual((await alice.device.pending()).requests, []);
  });

  test('lets the last device go that may admit or recover', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const kid = await alice.device.session.kid();
    await assert.rejects(alice.device.devices.revoke(kid, 'retired'), refused('last-device'));
    await alice.device.devices.revoke(kid, 'retired', (log) =>
      recoveryProof(alice.device.session, code, log),
    );
    await assert.rejects(alice.device.pending(), refused('device-revoked'));
  });

  test('is stored nowhere', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const log = await alice.device.session.ownLog(0);
    const kept = JSON.stringify([log, await alice.state.list('log')]);
    for (const form of [code, code.replaceAll('-', '')]) assert.ok(!kept.includes(form));
  });
});

describe('a device’s own keys', () => {
  test('change without losing its place, by turns and both together', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    const before = await alice.device.session.kid();
    const { x } = alice.device.session.keys.opener.publicKey;
    await alice.device.rotate(alice.keyStore, 'sealing');
    assert.equal(await alice.device.session.kid(), before);
    assert.notEqual(alice.device.session.keys.opener.publicKey.x, x);
    await alice.device.rotate(alice.keyStore, 'both');
    const after = await alice.device.session.kid();
    assert.notEqual(after, before);
    const log = await alice.device.session.ownLog(0);
    assert.equal(log.devices.get(before)!.revokedAt!.reason, 'rotated');
    assert.deepEqual(log.devices.get(after)!.rights, log.devices.get(before)!.rights);
    assert.deepEqual((await alice.keyStore.load())!.next, undefined);
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const { requests } = await alice.device.pending();
    await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
  });

  test('are not lost where the line is cut in the middle of it', async () => {
    for (const cut of ['before', 'after'] as const) {
      const { party: alice } = await world.partyWithCode('alice');
      const honest = globalThis.fetch;
      globalThis.fetch = async (input, init) => {
        if (init?.method !== 'POST' || !String(input).endsWith('/log')) return honest(input, init);
        if (cut === 'after') await honest(input, init);
        throw new TypeError('cut');
      };
      try {
        await assert.rejects(alice.device.rotate(alice.keyStore, 'both'), refused('broker-unreachable'));
      } finally {
        globalThis.fetch = honest;
      }
      // A new process, with what the key store has.
      const keys = (await alice.keyStore.load())!;
      const again = new Device({ keys, state: alice.state, crypto: webCrypto, clock: world.clock });
      await again.maintain(alice.keyStore).catch(() => again.rotate(alice.keyStore, 'sealing'));
      assert.deepEqual((await again.pending()).requests, []);
      assert.equal((await alice.keyStore.load())!.next, undefined);
    }
  });

  test('of today open nothing of last month, with all of the database', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Of last month' });
    const { requests } = await alice.device.pending();
    await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    const recorded = (await world.home.broker.context.store.findRequest(asked.hash))!;
    assert.equal(
      JSON.parse(Buffer.from(recorded.jws.split('.')[1]!, 'base64url').toString()).sealed.epoch,
      0,
    );
    await world.atOffset(8 * 86_400, async () => {
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: true, rotated: true });
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: false });
      const copied = (await alice.keyStore.load())!;
      const log = await alice.device.session.ownLog(0);
      const kid = await alice.device.session.kid();
      await assert.rejects(openEpoch(log.name, log.epochs[0]!, kid, copied.opener), refused('seal-broken'));
      await openEpoch(log.name, log.epoch, kid, copied.opener);
      // And it goes on working.
      const later = await host.enquirer.ask({ account: alice.name, text: 'Of today' });
      const { requests: now } = await alice.device.pending();
      assert.equal(now.at(-1)!.hash, later.hash);
    });
  });

  test('stay as long as a question waits that needs them', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    await host.enquirer.ask({ account: alice.name, text: 'Deploy', kind: 'approval' });
    await alice.device.devices.beginEpoch();
    assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: false });
    const { requests } = await alice.device.pending();
    await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: true });
  });

  test('stay for a question that a stranger asks, which does not keep the epoch from ending', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await world.atOffset(8 * 86_400, async () => {
      await host.enquirer.ask({ account: alice.name, text: 'A stranger asks' });
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: true, rotated: false });
      await introduce(alice, host);
      const { requests } = await alice.device.pending();
      assert.equal(requests[0]!.question.parts[0]!.text, 'A stranger asks');
    });
  });

  test('stay for an answer to a question of its own, which is good however late it is read', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const { requests } = await alice.device.pending();
    await alice.device.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    await host.device.devices.beginEpoch();
    assert.deepEqual(await host.device.maintain(host.keyStore), { epoch: false, rotated: false });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    assert.deepEqual(await host.device.maintain(host.keyStore), { epoch: false, rotated: true });
    // One that is asked from then on is answered to the new one.
    const later = await host.enquirer.ask({ account: alice.name, text: 'Log in again' });
    const { requests: more } = await alice.device.pending();
    await alice.device.answer(more[0]!, { decision: 'accept', shown: 'screen' });
    assert.equal((await host.enquirer.wait(later.hash)).outcome, 'accepted');
  });

  test('are kept by no stranger for longer than a day: not by asking again, nor after the epoch began', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const [one, two] = [await world.party('host'), await world.party('host')];
    const asks = ({ enquirer }: Party) =>
      enquirer.ask({ account: alice.name, text: 'A stranger asks', kind: 'approval', lifetime: 86_400 });
    await asks(one);
    await alice.device.devices.beginEpoch();
    assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: false });
    await world.atOffset(86_400 - 60, async () => {
      await asks(two);
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: false });
    });
    await world.atOffset(86_400 + 60, async () => {
      assert.equal((await alice.device.pending()).contactRequests.length, 1);
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: true });
    });
  });

  test('are changed by one process at a time, and the others go on with the new ones', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    const { keyStore, state, clock } = alice;
    const process = async () =>
      new Device({ keys: (await keyStore.load())!, state, crypto: webCrypto, clock, keyStore });
    const [one, two, watching] = await Promise.all([process(), process(), process()]);
    await alice.device.devices.beginEpoch();
    const done = await Promise.all([one, two].map((device) => device.maintain(keyStore)));
    assert.deepEqual(done.map(({ rotated }) => rotated).sort(), [false, true]);
    const asked = await host.enquirer.ask({ account: alice.name, text: 'Log in' });
    const { requests, suspects } = await watching.pending();
    assert.deepEqual(suspects, []);
    await watching.answer(requests[0]!, { decision: 'accept', shown: 'screen' });
    assert.equal((await host.enquirer.wait(asked.hash)).outcome, 'accepted');
    await watching.devices.beginEpoch();
    assert.deepEqual(await watching.maintain(keyStore), { epoch: false, rotated: true });
  });

  test('end an epoch by which a device could read that was shown out or frozen', async () => {
    const { party: alice, code } = await world.partyWithCode('alice');
    const host = await world.party('host');
    await introduce(alice, host);
    for (const gone of ['retired', 'frozen']) {
      const phone = await addDevice(alice, 'alice’s phone', ['answer']);
      const kid = await phone.device.session.kid();
      if (gone === 'retired') await phone.device.devices.revoke(kid, 'retired');
      else await freezeByCode(placeOf(alice), code, () => kid, machine());
      const ask = () => host.enquirer.ask({ account: alice.name, text: 'Log in' });
      await assert.rejects(ask(), refused('epoch-stale'));
      await alice.device.session.ownLog(0);
      assert.equal((await alice.device.maintain(alice.keyStore)).epoch, true);
      await ask();
    }
  });

  test('are looked after without a word to the broker while nothing is due', async () => {
    const { party: alice } = await world.partyWithCode('alice');
    const honest = globalThis.fetch;
    const asked: string[] = [];
    globalThis.fetch = (input, init) => {
      asked.push(String(input));
      return honest(input, init);
    };
    try {
      await alice.device.session.ownLog(0);
      asked.length = 0;
      assert.deepEqual(await alice.device.maintain(alice.keyStore), { epoch: false, rotated: false });
      assert.deepEqual(asked, []);
    } finally {
      globalThis.fetch = honest;
    }
  });
});
