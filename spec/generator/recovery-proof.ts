/**
 * Vectors of proofs of the printed code.
 * @module
 */
import { RecoveryProof, signStatement } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import { expectOf } from './kinds.ts';
import type { Memory } from './memory.ts';
import { newRecoverable, testKit } from './recoverable.ts';
import { flipMembers, invalid, type Vector, type VectorFile, valid } from './vector.ts';
import { ALGORITHMS, publicOf, signLoose } from './world.ts';

/** Proofs of the printed code, by themselves. */
export async function recoveryProof(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  const { typ } = RecoveryProof;
  const { log, devices } = await newRecoverable(memory, await testKit(memory));
  const payload = { sub_id: log.identity, seq: 1, prev: log.head.hash, kid: devices[0]!.kid };
  for (const algorithm of ALGORITHMS) {
    const { code } = await testKit(memory, algorithm);
    const key = publicOf(code);
    const { jws } = await signStatement(webCrypto, RecoveryProof, code.signer, payload);
    vectors.push(
      valid(`${algorithm}-good`, 'a proof', { typ, key, statement: jws }, await expectOf(jws, code)),
      ...flipMembers(jws).map(({ path, jws: statement }) =>
        invalid(
          `${algorithm}-${path}-flipped`,
          `${path} changed under the old signature`,
          'signature-invalid',
          {
            typ,
            key,
            statement,
          },
        ),
      ),
    );
  }
  const { code } = await testKit(memory);
  const key = publicOf(code);
  for (const [name, comment, changed] of [
    ['seq-0', 'there is none for the first entry', { seq: 0 }],
    ['kid-missing', 'for no device', { kid: undefined }],
    ['prev-missing', 'for no place', { prev: undefined }],
    ['member-more', 'a further member', { more: 1 }],
  ] as const) {
    const statement = await signLoose(code, 'recovery-proof', { ...payload, ...changed });
    vectors.push(invalid(name, comment, 'statement-malformed', { typ, key, statement }));
  }
  return {
    description:
      'Proofs of the printed code, by themselves: `statement` is read as a statement of `typ`, and verified by `key`. As parts of entries they are in device-thaw, device-rights and device-revoke.',
    spec: 'device-log.md#recovery-proof',
    vectors,
  };
}
