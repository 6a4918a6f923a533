/**
 * Vectors of rooms, and what those of all their items share.
 * @module
 */
import { createRoom, createRoomKey, type ErrorCode, encodeBase64url, MAX_MEMBERS } from '@countersign/core';
import { extended, newAccount, newEpoch, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { expectOf } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry } from './recoverable.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  strayBits,
  TOO_LARGE,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, NOW, sealingJwk, seeded, signLoose, type TestDevice, testDevice } from './world.ts';

export const ROOM_KEY = sealingJwk('room key 0');
const AUTHOR_CODES: Readonly<Record<string, ErrorCode>> = {
  iss: 'account-mismatch',
  iss_id: 'account-mismatch',
  'head.seq': 'log-rollback',
  'head.hash': 'log-fork',
};

export async function sceneOf(memory: Memory, algorithm: 'EdDSA' | 'ES256' = 'EdDSA') {
  const alice = await withDevice(await newAccount(memory, ALICE, algorithm), 'phone', {
    rights: ['answer', 'admit', 'recover'],
  });
  const bob = await newAccount(memory, 'bob@example.com', algorithm);
  const by = { signer: alice.devices[0]!.signer, log: alice.log, now: NOW };
  const members = [alice, bob].map(({ log: { name, identity } }) => ({ name, identity }));
  const room = await createRoom(seeded('room'), by, 'Lunch', members);
  const logs = [alice.log, bob.log];
  const key = await createRoomKey(seeded('room key'), by, room.payload.room, 0, logs, newEpoch(ROOM_KEY));
  return { alice, bob, by, room, key };
}

/** What every item of a room is refused for: its author's account, its device, its signature. */
export async function authorVectors(
  memory: Memory,
  kind: string,
  makeOf: (scene: Awaited<ReturnType<typeof sceneOf>>) => Promise<{ jws: string }>,
  inputOf: (jws: string, account: TestAccount) => object,
  expected: (jws: string, scene: Awaited<ReturnType<typeof sceneOf>>) => Promise<object>,
  special: Readonly<Record<string, unknown>> = {},
): Promise<Vector[]> {
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    const scene = await sceneOf(memory, algorithm);
    const { jws } = await makeOf(scene);
    const input = (text: string) => inputOf(text, scene.alice);
    vectors.push(
      valid(`${algorithm}-good`, `a good ${kind}`, input(jws), await expected(jws, scene)),
      invalid(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        input(flipSignature(jws)),
      ),
      ...flipMembers(jws, special).map(({ path, jws: altered }) =>
        invalid(
          `${algorithm}-${path.replace(/^sealed\.[\w-]{43}/, 'sealed')}-${path.includes(scene.bob.log.identity) ? 'of-bob-' : ''}flipped`,
          `${path} changed under the old signature`,
          AUTHOR_CODES[path] ?? 'signature-invalid',
          input(altered),
        ),
      ),
    );
  }
  const scene = await sceneOf(memory);
  const { alice, bob } = scene;
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const { jws } = await makeOf(scene);
  const payload = payloadOf(jws);
  const bad = async (
    name: string,
    comment: string,
    code: ErrorCode,
    {
      changed = {},
      by = laptop,
      account = alice,
    }: { changed?: object; by?: TestDevice; account?: TestAccount },
  ) =>
    vectors.push(
      invalid(name, comment, code, inputOf(await signLoose(by, kind, { ...payload, ...changed }), account)),
    );
  const gone = await extended(alice, await revokeEntry(alice, laptop.kid, phone));
  vectors.push(
    valid(
      'device-revoked-later',
      'an item stays good when its device is revoked later',
      inputOf(jws, gone),
      await expected(jws, scene),
    ),
  );
  const frozen = await extended(alice, await freezeEntry(alice, laptop, phone.kid));
  await bad('stranger', 'by a device that is not in the account', 'device-unknown', {
    by: await testDevice(memory, 'broker'),
  });
  await bad('before-let-in', 'by a device that was not yet in the account at that head', 'device-unknown', {
    by: phone,
    changed: { head: { seq: 0, hash: alice.log.hashes[0] } },
  });
  await bad('revoked', 'by a device that had been revoked at that head', 'device-revoked', {
    changed: { head: gone.log.head },
    account: gone,
  });
  await bad('frozen', 'by a device that was frozen at that head', 'device-frozen', {
    by: phone,
    changed: { head: frozen.log.head },
    account: frozen,
  });
  await bad('other-account', 'read by the log of another account', 'account-mismatch', { account: bob });
  await bad('head-longer', 'its device knew a longer log than the one at hand', 'log-rollback', {
    changed: { head: gone.log.head },
  });
  const room = strayBits(payload.room);
  const forms: Readonly<Record<string, object>> = {
    'room-missing': { room: undefined },
    'room-short': { room: 'AAAA' },
    'room-stray-bits': { room },
    'iat-fraction': { iat: NOW + 0.5 },
    'head-missing': { head: undefined },
    'head-seq-too-large': { head: { ...payload.head, seq: TOO_LARGE } },
    'iss-not-a-name': { iss: 'alice' },
    'member-more': { note: 'x' },
  };
  for (const [name, changed] of Object.entries(forms)) {
    await bad(name, `${name.replaceAll('-', ' ')}: not of the form`, 'statement-malformed', { changed });
  }
  vectors.push(
    invalid(
      'wrong-typ',
      'the same payload as another kind',
      'statement-type',
      inputOf(await signLoose(laptop, 'contact', payload), alice),
    ),
  );
  return vectors;
}

export async function room(memory: Memory): Promise<VectorFile> {
  const inputOf = (statement: string, { log }: TestAccount) => ({ statement, entries: log.entries });
  const vectors = await authorVectors(
    memory,
    'room',
    async (scene) => scene.room,
    inputOf,
    async (jws, { alice }) => ({
      ...(await expectOf(jws, alice.devices[0]!)),
      room: payloadOf(jws).room,
      name: 'Lunch',
      members: payloadOf(jws).members,
    }),
  );
  const { alice, room } = await sceneOf(memory);
  const { payload } = room;
  const [first] = payload.members;
  const many = Array.from({ length: MAX_MEMBERS + 1 }, (_, i) => ({
    name: `member${i}@example.com`,
    identity: encodeBase64url(new Uint8Array(32).fill(i)),
  }));
  for (const [name, comment, changed] of [
    ['members-none', 'nobody is in it', { members: [] }],
    ['members-too-many', 'more than 50 members', { members: many }],
    ['member-twice', 'an account that is named twice', { members: [first, first] }],
    ['member-no-identity', 'a member by name alone', { members: [{ name: first!.name }] }],
    ['name-empty', 'a name of nothing', { name: '' }],
    ['name-too-long', 'a name of more than 64 bytes', { name: 'x'.repeat(65) }],
    ['name-turned', 'a name that turns the direction of reading', { name: 'a\u202eb' }],
  ] as const) {
    const jws = await signLoose(alice.devices[0]!, 'room', { ...payload, ...changed });
    vectors.push(invalid(name, comment, 'statement-malformed', inputOf(jws, alice)));
  }
  return {
    description: 'Statements of a room, read by the log of the account that makes it, `entries`.',
    spec: 'rooms.md#room',
    vectors,
  };
}
