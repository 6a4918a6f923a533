/**
 * Vectors of a room's keys, and of those that are shared with a new device.
 * @module
 */
import { createRoomShare, type ErrorCode, encodeBase64url } from '@countersign/core';
import { extended, newAccount, newEpoch, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { SALT } from './asking.ts';
import { expectOf } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry } from './recoverable.ts';
import { authorVectors, ROOM_KEY, sceneOf } from './rooms.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  type Loose,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, NOW, sealingJwk, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

export async function roomKey(memory: Memory): Promise<VectorFile> {
  const readBy = (member: Pick<TestAccount, 'log' | 'epochs'>) => ({
    member: member.log.identity,
    epoch_private_keys: member.epochs,
  });
  const inputOf = (statement: string, { log }: TestAccount, member: object) => ({
    statement,
    entries: log.entries,
    ...member,
  });
  const scene = await sceneOf(memory);
  const { alice, bob, key } = scene;
  const found = async (jws: string, account: TestAccount) => ({
    ...(await expectOf(jws, account.devices[0]!)),
    n: 0,
    private_key: JSON.stringify(ROOM_KEY, ['kty', 'crv', 'x', 'd']),
  });
  const vectors = await authorVectors(
    memory,
    'room-key',
    async (one) => one.key,
    (jws, account) => inputOf(jws, account, readBy(account.log.name === ALICE ? account : bob)),
    (jws, one) => found(jws, one.alice),
    { 'key.kty': null, 'key.crv': null },
  );
  const { payload } = key;
  const signed = (changed: object) => signLoose(alice.devices[0]!, 'room-key', { ...payload, ...changed });
  const bad = async (name: string, comment: string, code: ErrorCode, changed: object, member = alice) =>
    vectors.push(invalid(name, comment, code, inputOf(await signed(changed), alice, readBy(member))));
  vectors.push(
    valid(
      'other-member',
      'read by the other member',
      inputOf(key.jws, alice, readBy(bob)),
      await found(key.jws, alice),
    ),
  );
  const { [alice.log.identity]: own, [bob.log.identity]: theirs } = payload.sealed;
  const sealTo = async (
    text: string,
    binding: readonly unknown[] = [payload.room, 0, alice.log.identity],
  ) => {
    const utf8 = new TextEncoder();
    const box = await seeded('room key, otherwise').seal(
      alice.log.epoch.key,
      utf8.encode(text),
      utf8.encode('countersign room-key 1'),
      utf8.encode(JSON.stringify(binding)),
    );
    return { sealed: { ...payload.sealed, [alice.log.identity]: { epoch: 0, box: encodeBase64url(box) } } };
  };
  const text = newEpoch(ROOM_KEY).privateKey;
  await bad('not-sealed-to-us', 'sealed to others alone', 'epoch-unknown', {
    sealed: { [bob.log.identity]: theirs },
  });
  await bad('epoch-later', 'sealed to an epoch that this reader has no key of', 'epoch-unknown', {
    sealed: { ...payload.sealed, [alice.log.identity]: { ...own, epoch: 1 } },
  });
  await bad('box-of-another', 'the box of another member', 'seal-broken', {
    sealed: { ...payload.sealed, [alice.log.identity]: theirs },
  });
  await bad('n-in-seal', 'sealed under another number', 'seal-broken', { n: 1 });
  await bad(
    'room-in-seal',
    'sealed for another room',
    'seal-broken',
    await sealTo(text, [SALT, 0, alice.log.identity]),
  );
  await bad(
    'other-half',
    'the private half of another key',
    'key-invalid',
    await sealTo(newEpoch(sealingJwk('room key 1')).privateKey),
  );
  await bad('half-not-json', 'no private key at all', 'json-invalid', await sealTo('x'));
  await bad(
    'half-public',
    'the public half alone',
    'statement-malformed',
    await sealTo(JSON.stringify(payload.key)),
  );
  await bad('key-missing', 'without its public half', 'statement-malformed', { key: undefined });
  await bad('n-negative', 'keys are counted from 0', 'statement-malformed', { n: -1 });
  await bad('sealed-to-no-hash', 'sealed to something that is no identity', 'statement-malformed', {
    sealed: { alice: own },
  });
  return {
    description:
      'Keys of a room, read by the log of the account that made it, `entries`, and opened by a member: by its identity, and the private keys of its epochs, by number.',
    spec: 'rooms.md#room-key',
    vectors,
  };
}

export async function roomShare(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const keys = [{ room: SALT, n: 0, privateKey: newEpoch(ROOM_KEY).privateKey }];
  const tablet = await testDevice(memory, `${ALICE} tablet`);
  const inputOf = (share: string, { log }: TestAccount, to = tablet) => ({
    share,
    entries: log.entries,
    kid: to.kid,
    private_key: sealingJwk(to.label),
  });
  const share = ({ log }: TestAccount, by: TestDevice, shared: readonly Loose[] = keys) => {
    const to = { kid: tablet.kid, enc: tablet.opener.publicKey };
    return createRoomShare(seeded('room share'), { signer: by.signer, log, now: NOW }, to, shared);
  };
  for (const algorithm of ALGORITHMS) {
    const alice = await withDevice(await newAccount(memory, ALICE, algorithm), 'phone');
    const jws = await share(alice, alice.devices[0]!);
    vectors.push(
      valid(`${algorithm}-good`, 'the keys of one room', inputOf(jws, alice), { keys }),
      invalid(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        inputOf(flipSignature(jws), alice),
      ),
      ...flipMembers(jws).map(({ path, jws: altered }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          path === 'sub_id' || path === 'to' ? 'account-mismatch' : 'signature-invalid',
          inputOf(altered, alice),
        ),
      ),
    );
  }
  const alice = await withDevice(await newAccount(memory, ALICE), 'phone');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const good = await share(alice, laptop);
  const bad = (name: string, comment: string, code: ErrorCode, jws: string, account = alice, to = tablet) =>
    vectors.push(invalid(name, comment, code, inputOf(jws, account, to)));
  bad('stranger', 'by a device that is not in the account', 'device-unknown', await share(alice, tablet));
  const gone = await extended(alice, await revokeEntry(alice, phone.kid));
  bad('revoked', 'by a device that was revoked', 'device-revoked', await share(alice, phone), gone);
  const frozen = await extended(alice, await freezeEntry(alice, laptop, phone.kid));
  bad('frozen', 'by a device that is frozen', 'device-frozen', await share(alice, phone), frozen);
  bad('other-device', 'for another device', 'account-mismatch', good, alice, phone);
  const bob = await newAccount(memory, 'bob@example.com');
  bad('other-account', 'read by the log of another account', 'account-mismatch', good, bob);
  const payload = payloadOf(good);
  const sealed = async (name: string, comment: string, code: ErrorCode, text: string, identity?: string) => {
    const utf8 = new TextEncoder();
    const box = await seeded('room share, otherwise').seal(
      tablet.opener.publicKey,
      utf8.encode(text),
      utf8.encode('countersign room-share 1'),
      utf8.encode(JSON.stringify([identity ?? alice.log.identity, tablet.kid])),
    );
    bad(
      name,
      comment,
      code,
      await signLoose(laptop, 'room-share', { ...payload, box: encodeBase64url(box) }),
    );
  };
  await sealed('sealed-elsewhere', 'sealed for another account', 'seal-broken', '[]', bob.log.identity);
  await sealed('not-json', 'no list of keys', 'json-invalid', 'x');
  const [one] = keys as [(typeof keys)[number]];
  for (const [name, comment, listed] of [
    ['no-list', 'a key without a list around it', one],
    ['key-more', 'a key with a further member', [{ ...one, note: 'x' }]],
    ['key-n-missing', 'a key without its number', [{ room: one.room, privateKey: one.privateKey }]],
    ['key-public', 'the public half alone', [{ ...one, privateKey: JSON.stringify(newEpoch(ROOM_KEY).key) }]],
  ] as const) {
    await sealed(name, comment, 'statement-malformed', JSON.stringify(listed));
  }
  bad(
    'member-more',
    'a further member',
    'statement-malformed',
    await signLoose(laptop, 'room-share', { ...payload, note: 'x' }),
  );
  bad(
    'wrong-typ',
    'the same payload as another kind',
    'statement-type',
    await signLoose(laptop, 'room', payload),
  );
  return {
    description:
      'Room keys for a device that is let in, read by it: by the log of its account, `entries`, its kid, and its private sealing key.',
    spec: 'rooms.md#room-share',
    vectors,
  };
}
