import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { newEpoch } from '@countersign/client';
import {
  createChallenge,
  createCheckpoint,
  createDeviceAdd,
  createEnrolment,
  createEnrolmentAccept,
  createGenesis,
  drawCode,
  drawPin,
  replayLog,
  verifyEnrolment,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { ForgedTree } from './forged-tree.ts';
import { type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { makeParty, newcomer, refused, TestClock } from './parties.ts';

const clock = new TestClock();
let evil: MaliciousBroker;
let serial = 0;

before(async () => {
  evil = await startMaliciousBroker(clock);
});
after(() => evil[Symbol.asyncDispose]());
afterEach(() => evil.behave());

const alices = () => makeParty(evil.origin, `alice${++serial}@example.com`, clock);
const isDoor = (path: string, method: string) => method === 'GET' && /\/enrolments$/.test(path);

/** An enrolment with the broker's own keys, under all the facts of another one. */
async function swapped(of: { name: string; identity: string }, code: string): Promise<string> {
  const { signer: brokerKey } = evil.broker.context;
  const [signer, opener] = [await generateSigner('EdDSA'), await generateOpener()];
  const enrolment = await createEnrolment(webCrypto, of, {
    signer,
    enc: opener.publicKey,
    name: 'alice’s phone',
    model: 'Pixel 9',
    os: 'Android 17',
    code,
    challenge: await createChallenge(webCrypto, brokerKey, evil.origin, of, '127.0.0.1', clock.now()),
    now: clock.now(),
  });
  return enrolment.jws;
}

describe('a broker that swaps', () => {
  test('the new device’s keys is caught by the person’s code', async () => {
    const alice = await alices();
    const phone = newcomer(clock);
    const { code } = await phone.knock(await alice.device.devices.invite('knock'));
    const own = await swapped(alice.device.session.keys, drawCode(webCrypto));
    const { hash } = (
      await verifyEnrolment(webCrypto, own, alice.device.session.keys, {
        broker: evil.origin,
        key: evil.broker.context.publicKey,
        now: clock.now(),
      })
    ).facts;
    evil.tamper((path, body, method) => {
      if (!isDoor(path, method)) return;
      return { ...body, waiting: body.waiting.map((row: object) => ({ ...row, hash, enrolment: own })) };
    });
    const { waiting } = await alice.device.devices.door();
    assert.equal(waiting[0]!.facts.name, 'alice’s phone');
    await assert.rejects(alice.device.devices.accept(waiting[0]!, code), refused('code-wrong'));
    assert.equal((await alice.device.session.ownLog(0)).head.seq, 0);
  });

  test('the keys of a device with a PIN is caught by the PIN', async () => {
    const alice = await alices();
    await newcomer(clock).knock(await alice.device.devices.invite('admit'));
    const own = await swapped(alice.device.session.keys, drawPin(webCrypto));
    evil.tamper((path, body, method) => {
      if (!isDoor(path, method)) return;
      return { ...body, waiting: body.waiting.map((row: object) => ({ ...row, enrolment: own })) };
    });
    const { waiting, suspects } = await alice.device.devices.door();
    assert.deepEqual(waiting, []);
    assert.deepEqual(
      suspects.map(({ error }) => error.code),
      ['enrolment-mismatch'],
    );
  });

  test('a PIN that lets a device in for one that it invented shows nobody', async () => {
    const alice = await alices();
    await newcomer(clock).knock(await alice.device.devices.invite('knock'));
    const other = await alices();
    evil.tamper(async (path, body, method) => {
      if (!isDoor(path, method)) return;
      const foreign = await swapped(other.device.session.keys, drawCode(webCrypto));
      return { ...body, waiting: body.waiting.map((row: object) => ({ ...row, enrolment: foreign })) };
    });
    const { waiting, suspects } = await alice.device.devices.door();
    assert.deepEqual(waiting, []);
    assert.deepEqual(
      suspects.map(({ error }) => error.code),
      ['account-mismatch'],
    );
  });

  test('the account before a device that came by name and PIN is caught by the PIN', async () => {
    const alice = await alices();
    const link = await alice.device.devices.invite('admit');
    // An account of the broker's own making, under alice's name.
    const [signer, opener] = [await generateSigner('EdDSA'), await generateOpener()];
    const epoch = await newEpoch();
    const genesis = await createGenesis(webCrypto, {
      name: alice.name,
      signer,
      enc: opener.publicKey,
      deviceName: 'alice’s laptop',
      epoch,
      now: clock.now(),
    });
    let log = await replayLog(webCrypto, [genesis.jws]);
    const { context } = evil.broker;
    const tree = new ForgedTree(evil.broker);
    const signLog = async (path: string) => {
      const { jws } = await createCheckpoint(webCrypto, context.signer, evil.origin, log, clock.now());
      const transparency = await tree.transparency(log, path);
      return {
        name: log.name,
        identity: log.identity,
        entries: [...log.entries],
        checkpoint: jws,
        transparency,
      };
    };
    let accepted = '';
    evil.tamper(async (path, body, method) => {
      if (/\/log\?from=/.test(path)) {
        const whole = await signLog(path);
        return { ...whole, entries: whole.entries.slice(Number(/from=(\d+)/.exec(path)![1])) };
      }
      if (path.endsWith('/challenge')) {
        return {
          challenge: await createChallenge(
            webCrypto,
            context.signer,
            evil.origin,
            log,
            '127.0.0.1',
            clock.now(),
          ),
          identity: log.identity,
        };
      }
      if (/\/enrolments\/[^/]+$/.test(path.split('?')[0]!) && method === 'GET') {
        return { ...body, state: 'accepted', statement: accepted };
      }
    });
    const phone = newcomer(clock);
    const honest = globalThis.fetch;
    let posted = '';
    globalThis.fetch = async (input, init) => {
      const url = String(input);
      if (init?.method === 'POST' && url.endsWith('/enrolments')) {
        posted = (JSON.parse(String(init.body)) as { enrolment: string }).enrolment;
        return Response.json({ hash: log.identity, state: 'waiting', posted_at: 1, expires_at: 2 });
      }
      if (init?.method !== 'POST' && /\/enrolments\/[^/]+$/.test(url.split('?')[0]!)) {
        return Response.json({
          hash: log.identity,
          state: 'accepted',
          posted_at: 1,
          expires_at: 2,
          statement: accepted,
        });
      }
      return honest(input, init);
    };
    try {
      const { identity: _, ...byName } = link;
      const { facts } = await phone.knock(byName as typeof link);
      const enrolment = await verifyEnrolment(webCrypto, posted, log, {
        broker: evil.origin,
        key: context.publicKey,
        now: clock.now(),
      });
      const { jws, enc } = enrolment.device;
      const by = { signer, log, now: clock.now() };
      const add = await createDeviceAdd(webCrypto, by, { jws, kid: facts.kid, enc }, ['answer'], epoch);
      log = await replayLog(webCrypto, [...log.entries, add.jws]);
      accepted = await createEnrolmentAccept(webCrypto, signer, enrolment, drawPin(webCrypto), clock.now());
      await assert.rejects(phone.complete(), refused('enrolment-mismatch'));
      // With the PIN itself it would have been believed: that alone is what the broker lacked.
      accepted = await createEnrolmentAccept(webCrypto, signer, enrolment, link.pin, clock.now());
      await assert.rejects(
        phone.complete(),
        (error: { code: string }) => error.code !== 'enrolment-mismatch',
      );
    } finally {
      globalThis.fetch = honest;
    }
  });
});
