/**
 * Vectors of the word by which a device lets another in.
 * @module
 */
import {
  createEnrolmentAccept,
  type ErrorCode,
  type VerifiedEnrolment,
  verifyEnrolment,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { addEntry, extended, newAccount, revokeEntry, type TestAccount, withDevice } from './accounts.ts';
import { CODE, knock } from './enrolment.ts';
import { REQ } from './kinds.ts';
import { ALICE } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { freezeEntry } from './recoverable.ts';
import {
  flipMembers,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
  valid,
} from './vector.ts';
import {
  ALGORITHMS,
  BROKER,
  NOW,
  publicOf,
  seeded,
  signLoose,
  type TestDevice,
  testDevice,
} from './world.ts';

export async function enrolmentAccept(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const broker = await testDevice(memory, 'broker key');
  const scene = async (algorithm: 'EdDSA' | 'ES256', account?: TestAccount) => {
    const alice =
      account ??
      (await withDevice(await newAccount(memory, ALICE, algorithm), 'phone', { rights: ['answer'] }));
    const device = await testDevice(memory, 'tablet', algorithm);
    const { jws } = await knock(alice, device, broker);
    const by = { broker: BROKER, key: publicOf(broker), now: NOW + 10 };
    const enrolment = await verifyEnrolment(webCrypto, jws, alice.log, by);
    const entry = await addEntry(alice, device, 'tablet', { changed: { device: enrolment.device.jws } });
    return { alice, device, enrolment, inside: await extended(alice, entry) };
  };
  const accept = (by: TestDevice, enrolment: VerifiedEnrolment, code = CODE) =>
    createEnrolmentAccept(seeded('accept'), by.signer, enrolment, code, NOW + 20);
  const inputOf = (
    jws: string,
    { log }: Pick<TestAccount, 'log'>,
    { facts, device }: VerifiedEnrolment,
    code = CODE,
  ) => ({
    accept: jws,
    entries: log.entries,
    own: { kid: facts.kid, enrolment: facts.hash, device_hash: device.hash, code },
  });
  for (const algorithm of ALGORITHMS) {
    const { inside, enrolment } = await scene(algorithm);
    const jws = await accept(inside.devices[0]!, enrolment);
    vectors.push(
      valid(`${algorithm}-good`, 'the new device is in', inputOf(jws, inside, enrolment)),
      invalid(
        `${algorithm}-signature-flipped`,
        'one bit of the signature turned',
        'signature-invalid',
        inputOf(flipSignature(jws), inside, enrolment),
      ),
      ...flipMembers(jws, { 'witness.alg': null }).map(({ path, jws: altered }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          inputOf(altered, inside, enrolment),
        ),
      ),
    );
  }
  const { alice, device, enrolment, inside } = await scene('EdDSA');
  const [laptop, phone] = alice.devices as [TestDevice, TestDevice];
  const good = await accept(laptop, enrolment);
  const bad = (name: string, comment: string, code: ErrorCode, jws: string, log = inside, own = enrolment) =>
    vectors.push(invalid(name, comment, code, inputOf(jws, log, own)));
  bad(
    'other-code',
    'by a device that knows another code',
    'enrolment-mismatch',
    await accept(laptop, enrolment, 'ABCD-EFGG'),
  );
  const { payload } = enrolment.statement;
  const settled = { sub_id: payload.sub_id, enrolment: enrolment.statement.hash, iat: NOW + 20 };
  const signed = (changed: object) =>
    signLoose(laptop, 'enrolment-accept', { ...payloadOf(good), ...changed });
  bad(
    'echo',
    'the new device’s own commitment, sent back',
    'enrolment-mismatch',
    await signed({ witness: payload.witness }),
  );
  bad('other-enrolment', 'about another enrolment', 'enrolment-mismatch', await signed({ enrolment: REQ }));
  bad('other-account', 'about another account', 'enrolment-mismatch', await signed({ sub_id: REQ }));
  const others = await scene(
    'EdDSA',
    await withDevice(await newAccount(memory, ALICE, 'EdDSA', ['answer', 'pay', 'admit']), 'phone', {
      rights: ['answer'],
    }),
  );
  bad(
    'swapped-account',
    'the broker shows another account of this name, whose device it has',
    'enrolment-mismatch',
    await signLoose(others.alice.devices[0]!, 'enrolment-accept', {
      ...payloadOf(await accept(laptop, enrolment)),
      sub_id: others.alice.log.identity,
    }),
    others.inside,
  );
  bad(
    'admit-missing',
    'by a device without the right to admit',
    'device-not-entitled',
    await accept(phone, enrolment),
  );
  bad('by-itself', 'by the new device', 'device-not-entitled', await accept(device, enrolment));
  bad(
    'stranger',
    'by a device that is not in the account',
    'device-unknown',
    await accept(await testDevice(memory, 'broker'), enrolment),
  );
  const helped = await withDevice(inside, 'watch', { rights: ['admit'] });
  const watch = helped.devices.at(-1)!;
  const word = await accept(watch, enrolment);
  vectors.push(valid('by-another', 'by another device that may admit', inputOf(word, helped, enrolment)));
  bad(
    'by-frozen',
    'by one that was frozen since',
    'device-frozen',
    word,
    await extended(helped, await freezeEntry(helped, laptop, watch.kid)),
  );
  bad(
    'by-revoked',
    'by one that was revoked since',
    'device-revoked',
    word,
    await extended(helped, await revokeEntry(helped, watch.kid)),
  );
  bad('not-in', 'the log has not the new device', 'device-unknown', good, alice);
  bad(
    'gone',
    'the new device was revoked',
    'device-revoked',
    good,
    await extended(inside, await revokeEntry(inside, device.kid)),
  );
  for (const [name, comment, changed] of [
    ['witness-missing', 'no commitment', { witness: undefined }],
    ['iat-missing', 'no time', { iat: undefined }],
    ['member-more', 'a further member', { code: CODE }],
  ] as const) {
    bad(name, comment, 'statement-malformed', await signed(changed));
  }
  bad(
    'wrong-typ',
    'a statement of another kind',
    'statement-type',
    await signLoose(laptop, 'enrolment-complete', settled),
  );
  return {
    description:
      'What a new device checks before it is in: `accept`, by the account’s log, `entries`, and by what it keeps of its own enrolment.',
    spec: 'enrolment.md#accept',
    vectors,
  };
}
