/**
 * Vectors of checkpoints.
 * @module
 */
import type { ErrorCode } from '@countersign/core';
import { checkpointFor, newAccount, withDevice } from './accounts.ts';
import { ALICE, OTHER_HASH } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  TOO_LARGE,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import { ALGORITHMS, BROKER, NOW, OTHER_BROKER, signLoose, testSigner } from './world.ts';

export async function checkpoint(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const alice = await withDevice(await newAccount(memory, ALICE), 'phone');
  const { log } = alice;
  const entries = log.entries;
  for (const algorithm of ALGORITHMS) {
    const broker = await testSigner(memory, 'broker key', algorithm);
    const input = { broker: BROKER, key: broker.publicKey, entries, now: NOW, max_age: 3600 };
    const statement = await checkpointFor(broker, log, NOW - 10);
    vectors.push(
      valid(`${algorithm}-good`, 'a fresh one', { ...input, statement }, { iss: BROKER, iat: NOW - 10 }),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        ...input,
        statement: flipSignature(statement),
      }),
      ...flipMembers(statement, { iss: OTHER_BROKER }).map(({ path, jws }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          { ...input, statement: jws },
        ),
      ),
    );
  }
  const broker = await testSigner(memory, 'broker key');
  const input = { broker: BROKER, key: broker.publicKey, entries, now: NOW, max_age: 3600 };
  const good = async (name: string, comment: string, at: number) =>
    vectors.push(
      valid(
        name,
        comment,
        { ...input, statement: await checkpointFor(broker, log, at) },
        { iss: BROKER, iat: at },
      ),
    );
  const bad = async (name: string, comment: string, code: ErrorCode, statement: string) =>
    vectors.push(invalid(name, comment, code, { ...input, statement }));
  await good('oldest', 'as old as may be, and a minute for the clocks', NOW - 3660);
  await bad('stale', 'a second older', 'checkpoint-stale', await checkpointFor(broker, log, NOW - 3661));
  await good('newest', 'a minute ahead', NOW + 60);
  await bad(
    'future',
    'a second more: it would stay fresh too long',
    'checkpoint-invalid',
    await checkpointFor(broker, log, NOW + 61),
  );
  await bad(
    'other-broker',
    'by another key',
    'signature-invalid',
    await checkpointFor(await testSigner(memory, 'another broker'), log, NOW),
  );
  const shorter = { ...log, head: { seq: 0, hash: log.hashes[0]! } };
  await bad(
    'shorter',
    'for an older head than the log has',
    'checkpoint-invalid',
    await checkpointFor(broker, shorter, NOW),
  );
  await bad(
    'longer',
    'for a newer head than the log has: entries are hidden',
    'checkpoint-invalid',
    await checkpointFor(broker, (await withDevice(alice, 'tablet')).log, NOW),
  );
  await bad(
    'other-hash',
    'for another head of the same number',
    'checkpoint-invalid',
    await checkpointFor(broker, { ...log, head: { seq: 1, hash: OTHER_HASH } }, NOW),
  );
  await bad(
    'other-seq',
    'for the same head under another number',
    'checkpoint-invalid',
    await checkpointFor(broker, { ...log, head: { ...log.head, seq: 2 } }, NOW),
  );
  await bad(
    'other-identity',
    'for another account',
    'checkpoint-invalid',
    await checkpointFor(broker, { ...log, identity: OTHER_HASH }, NOW),
  );
  await bad(
    'other-name',
    'for this head under the name of another account',
    'checkpoint-invalid',
    await checkpointFor(broker, { ...log, name: 'mallory@example.com' }, NOW),
  );
  await bad(
    'other-origin',
    'by this key in the name of another broker',
    'checkpoint-invalid',
    await checkpointFor(broker, log, NOW, OTHER_BROKER),
  );
  const { jws } = { jws: await checkpointFor(broker, log, NOW) };
  const device = { label: '', kid: '', opener: alice.devices[0]!.opener, signer: broker };
  await bad(
    'wrong-typ',
    'the same payload as another kind',
    'statement-type',
    await signLoose(device, 'contact', payloadOf(jws), { kid: 'x' }),
  );
  await bad(
    'head-missing',
    'no head',
    'statement-malformed',
    await signLoose(device, 'checkpoint', { ...payloadOf(jws), head: undefined }),
  );
  await bad(
    'head-seq-too-large',
    'a number that readers round',
    'statement-malformed',
    await signLoose(device, 'checkpoint', {
      ...payloadOf(jws),
      head: { ...log.head, seq: TOO_LARGE },
    }),
  );
  return {
    description:
      'A broker’s word that a head was an account’s newest at a time: `statement` is verified by the `key` of `broker`, for the log of `entries`, at the time `now`, where one of `max_age` seconds is accepted.',
    spec: 'device-log.md#checkpoint',
    vectors,
  };
}
