/**
 * Vectors of the entries that begin a new epoch.
 * @module
 */
import { createEpoch, type ErrorCode } from '@countersign/core';
import { extended, newAccount, revokeEntry, withDevice, withEpoch, withoutDevice } from './accounts.ts';
import { ALICE, flippedLast, goodLog, OTHER_HASH, PLACE, REPLAYED } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { flipSignature, invalid, payloadOf, TOO_LARGE, type Vector, type VectorFile } from './vector.ts';
import {
  ALGORITHMS,
  NOW,
  publicOf,
  sealingJwk,
  seeded,
  signLoose,
  type TestDevice,
  testDevice,
} from './world.ts';

export async function epoch(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    const alice = await withEpoch(await withDevice(await newAccount(memory, ALICE, algorithm), 'phone'));
    const { entries } = alice.log;
    vectors.push(
      await goodLog(`${algorithm}-good`, 'a new epoch, sealed to both devices', alice),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries: entries.with(-1, flipSignature(entries.at(-1)!)),
      }),
      ...flippedLast(algorithm, entries, PLACE, { 'epoch.key.kty': null, 'epoch.key.crv': null }),
    );
  }
  const alice = await withDevice(await newAccount(memory, ALICE), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const next = payloadOf((await withEpoch(alice)).log.entries.at(-1)!);
  const signed = async (name: string, comment: string, code: ErrorCode, changed: object, by = laptop) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [...alice.log.entries, await signLoose(by, 'epoch', { ...next, ...changed })],
      }),
    );
  vectors.push(
    await goodLog(
      'after-revocation',
      'after a revocation, sealed to those who remain',
      await withoutDevice(alice, phone.kid),
    ),
  );
  const withChanged = (changed: object) => ({ epoch: { ...next.epoch, ...changed } });
  const { [phone.kid]: sealedToPhone, ...withoutPhone } = next.epoch.sealed;
  await signed('number-repeated', 'a number that was there', 'log-invalid', withChanged({ n: 0 }));
  await signed('number-left-out', 'a number is left out', 'log-invalid', withChanged({ n: 2 }));
  await signed(
    'device-left-out',
    'not sealed to a device that is in the account',
    'log-invalid',
    withChanged({ sealed: withoutPhone }),
  );
  const stranger = await testDevice(memory, 'broker');
  await signed(
    'device-more',
    'sealed to one that is not',
    'log-invalid',
    withChanged({ sealed: { ...next.epoch.sealed, [stranger.kid]: sealedToPhone } }),
  );
  await signed('admit-missing', 'by a device without the right to admit', 'device-not-entitled', {}, phone);
  await signed('stranger', 'by a device that is not in the account', 'device-unknown', {}, stranger);
  await signed('wrong-prev', 'it follows another entry', 'log-invalid', { prev: OTHER_HASH });
  await signed('wrong-seq', 'a number is left out', 'log-invalid', { seq: 3 });
  await signed(
    'n-too-large',
    'a number that readers round',
    'statement-malformed',
    withChanged({ n: TOO_LARGE }),
  );
  await signed(
    'key-private',
    'a private key in it',
    'statement-malformed',
    withChanged({ key: sealingJwk('x') }),
  );
  await signed('key-ed25519', 'a signing key', 'statement-malformed', withChanged({ key: publicOf(laptop) }));
  const revoked = await extended(alice, await revokeEntry(alice, phone.kid));
  const stale = await createEpoch(
    seeded('stale epoch'),
    alice.log,
    laptop.signer,
    { key: next.epoch.key, privateKey: '{}' },
    NOW,
  );
  const { seq, prev } = { seq: 3, prev: revoked.log.head.hash };
  vectors.push(
    invalid('sealed-to-revoked', 'sealed to a device that was revoked', 'log-invalid', {
      entries: [
        ...revoked.log.entries,
        await signLoose(laptop, 'epoch', { ...payloadOf(stale.jws), seq, prev }),
      ],
    }),
  );
  return { description: `Entries that begin a new epoch. ${REPLAYED}`, spec: 'device-log.md#epoch', vectors };
}
