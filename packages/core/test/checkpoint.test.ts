import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { encodeBase64url } from '../src/base64url.ts';
import { CHECKPOINT_AGE, checkFreshness, createCheckpoint, verifyCheckpoint } from '../src/checkpoint.ts';
import { CLOCK_SKEW } from '../src/request.ts';
import { generateSigner, type WebSigner, webCrypto } from '../src/webcrypto.ts';
import { ALGORITHMS, BROKER, NOW, newAccount, type TestAccount, withDevice } from './fixtures.ts';
import { refused } from './refused.ts';
import { type Loose, tamper } from './tamper.ts';

let alice: TestAccount;
before(async () => {
  alice = await newAccount('alice@example.com', { devices: 2 });
});

for (const algorithm of ALGORITHMS) {
  describe(`a checkpoint signed with ${algorithm}`, () => {
    let broker: WebSigner;
    let jws: string;
    before(async () => {
      broker = await generateSigner(algorithm);
      jws = (await createCheckpoint(webCrypto, broker, BROKER, alice.log, NOW)).jws;
    });
    const verify = (text: string, log = alice.log) =>
      verifyCheckpoint(webCrypto, text, { origin: BROKER, key: broker.publicKey }, log);

    test('says that a head was the newest at a time', async () => {
      const { payload } = await verify(jws);
      const { name: sub, identity: sub_id, head } = alice.log;
      assert.deepEqual(payload, { iss: BROKER, sub, sub_id, iat: NOW, head });
    });

    test('is altered by nobody', async () => {
      const other = encodeBase64url(new Uint8Array(32));
      const changes: Record<string, (payload: Loose) => void> = {
        iss: (p) => (p.iss = 'https://other.example'),
        sub: (p) => (p.sub = 'bob@example.com'),
        sub_id: (p) => (p.sub_id = other),
        iat: (p) => p.iat++,
        'head.seq': (p) => p.head.seq--,
        'head.hash': (p) => (p.head.hash = other),
      };
      await verify(tamper(jws, () => {}));
      for (const [member, change] of Object.entries(changes)) {
        await assert.rejects(verify(tamper(jws, change)), refused('signature-invalid'), member);
      }
    });

    test('by another broker is refused', async () => {
      const { publicKey: key } = await generateSigner(algorithm);
      const read = verifyCheckpoint(webCrypto, jws, { origin: BROKER, key }, alice.log);
      await assert.rejects(read, refused('signature-invalid'));
      const named = { origin: 'https://other.example', key: broker.publicKey };
      const readAsNamed = verifyCheckpoint(webCrypto, jws, named, alice.log);
      await assert.rejects(readAsNamed, refused('checkpoint-invalid'));
    });
  });
}

describe('a checkpoint for another head than the log has is refused', () => {
  let broker: WebSigner;
  let grown: TestAccount;
  before(async () => {
    broker = await generateSigner('EdDSA');
    grown = await withDevice(alice);
  });
  const check = async (of: TestAccount['log'], has: TestAccount['log']) => {
    const { jws } = await createCheckpoint(webCrypto, broker, BROKER, of, NOW);
    return verifyCheckpoint(webCrypto, jws, { origin: BROKER, key: broker.publicKey }, has);
  };

  test('an older one: the log goes on', async () => {
    await assert.rejects(check(alice.log, grown.log), refused('checkpoint-invalid'));
  });

  test('a newer one: the broker hides entries', async () => {
    await assert.rejects(check(grown.log, alice.log), refused('checkpoint-invalid'));
  });

  test('one of a fork', async () => {
    const fork = await withDevice(alice);
    await assert.rejects(check(fork.log, grown.log), refused('checkpoint-invalid'));
  });

  test('one of another account', async () => {
    const bob = await newAccount('bob@example.com', { devices: 2 });
    await assert.rejects(check(bob.log, alice.log), refused('checkpoint-invalid'));
    await assert.rejects(
      check({ ...bob.log, head: alice.log.head }, alice.log),
      refused('checkpoint-invalid'),
    );
    await assert.rejects(
      check({ ...alice.log, name: 'bob@example.com' }, alice.log),
      refused('checkpoint-invalid'),
    );
  });
});

describe('the age of a checkpoint', () => {
  test('is at most what the reader allows, and clock skew', async () => {
    const broker = await generateSigner('EdDSA');
    const checkpoint = await createCheckpoint(webCrypto, broker, BROKER, alice.log, NOW);
    for (const age of Object.values(CHECKPOINT_AGE)) {
      checkFreshness(checkpoint, NOW, age);
      checkFreshness(checkpoint, NOW + age + CLOCK_SKEW, age);
      assert.throws(
        () => checkFreshness(checkpoint, NOW + age + CLOCK_SKEW + 1, age),
        refused('checkpoint-stale'),
      );
    }
  });

  test('is not below nothing: one from the future would stay fresh too long', async () => {
    const broker = await generateSigner('EdDSA');
    const checkpoint = await createCheckpoint(webCrypto, broker, BROKER, alice.log, NOW);
    checkFreshness(checkpoint, NOW - CLOCK_SKEW, 3600);
    assert.throws(
      () => checkFreshness(checkpoint, NOW - CLOCK_SKEW - 1, 3600),
      refused('checkpoint-invalid'),
    );
  });

  test('may be an hour for logins and payments, a day for approvals', () => {
    assert.deepEqual(CHECKPOINT_AGE, { login: 3600, payment: 3600, approval: 86_400 });
  });
});
