/**
 * Vectors of the first entry of a device log.
 * @module
 */
import type { ErrorCode } from '@countersign/core';
import { newAccount } from './accounts.ts';
import { ALICE, flippedLast, goodLog, OTHER_HASH, REPLAYED } from './log-vectors.ts';
import type { Memory } from './memory.ts';
import { provisions } from './recovery.ts';
import {
  duplicateMember,
  flipSignature,
  invalid,
  payloadOf,
  type Vector,
  type VectorFile,
} from './vector.ts';
import { ALGORITHMS, publicOf, signLoose, type TestDevice, testDevice } from './world.ts';

export async function genesis(memory: Memory): Promise<VectorFile> {
  const vectors: Vector[] = [];
  for (const algorithm of ALGORITHMS) {
    const account = await newAccount(memory, ALICE, algorithm);
    const [entry] = account.log.entries;
    vectors.push(
      await goodLog(`${algorithm}-good`, 'an account with one device', account),
      invalid(`${algorithm}-signature-flipped`, 'one bit of the signature turned', 'signature-invalid', {
        entries: [flipSignature(entry!)],
      }),
      ...flippedLast(
        algorithm,
        [entry!],
        {},
        {
          seq: null,
          'device.sig.kty': null,
          'device.sig.crv': null,
          'device.enc.kty': null,
          'device.enc.crv': null,
          'epoch.key.kty': null,
          'epoch.key.crv': null,
          'device.rights.0': 'recover',
          'device.rights.1': null,
          'device.rights.2': null,
          'device.rights.3': null,
          'device.rights.4': 'ask',
        },
      ).filter(({ name }) => !/rights\.[04]/.test(name)),
    );
  }
  const account = await newAccount(memory, ALICE);
  const [device] = account.devices as [TestDevice];
  const payload = payloadOf(account.log.entries[0]!);
  const bad = async (name: string, comment: string, code: ErrorCode, changed: object) =>
    vectors.push(
      invalid(name, comment, code, {
        entries: [await signLoose(device, 'genesis', { ...payload, ...changed })],
      }),
    );
  const malformed = (name: string, comment: string, changed: object) =>
    bad(name, comment, 'statement-malformed', changed);
  const other = await testDevice(memory, 'another');
  vectors.push(
    await goodLog(
      'few-rights',
      'the first device needs no right but admit',
      await newAccount(memory, 'bob@example.com', 'EdDSA', ['admit']),
    ),
  );
  await bad('rights-added', 'the rights changed, and signed again: another account', 'log-invalid', {
    device: { ...payload.device, rights: ['answer'] },
  });
  await bad('other-signer', 'signed by another key than its device’s', 'signature-invalid', {
    device: { ...payload.device, sig: publicOf(other) },
  });
  await bad('epoch-1', 'the first epoch is number 0', 'log-invalid', { epoch: { ...payload.epoch, n: 1 } });
  await bad('epoch-sealed-to-nobody', 'the epoch is sealed to the device', 'log-invalid', {
    epoch: { ...payload.epoch, sealed: {} },
  });
  await bad('epoch-sealed-to-another', 'and to no other', 'log-invalid', {
    epoch: { ...payload.epoch, sealed: { ...payload.epoch.sealed, [other.kid]: 'AAAA' } },
  });
  await malformed('seq-1', 'the first entry is number 0', { seq: 1 });
  await malformed('prev', 'and follows none', { prev: OTHER_HASH });
  await malformed('rights-empty', 'a device that may do nothing', {
    device: { ...payload.device, rights: [] },
  });
  await malformed('rights-twice', 'a right named twice', {
    device: { ...payload.device, rights: ['admit', 'admit'] },
  });
  await malformed('rights-unknown', 'a right that there is not', {
    device: { ...payload.device, rights: ['admit', 'fly'] },
  });
  await malformed('sub-not-a-name', 'no account name', { sub: 'alice' });
  await malformed('epoch-kid-lower-case', 'a kid stands as it is printed', {
    epoch: { ...payload.epoch, sealed: { [device.kid.toLowerCase()]: 'AAAA' } },
  });
  await malformed('epoch-sealed-padded', 'sealed bytes are base64url', {
    epoch: { ...payload.epoch, sealed: { [device.kid]: 'AA==' } },
  });
  await malformed('device-name-link', 'a device name that may not be shown', {
    device: { ...payload.device, name: 'see www.evil.example' },
  });
  vectors.push(
    invalid('no-entries', 'a log has a first entry', 'log-invalid', { entries: [] }),
    invalid('wrong-typ', 'the same payload as another kind', 'statement-type', {
      entries: [await signLoose(device, 'epoch', payload)],
    }),
    invalid('duplicate-member', 'a member twice', 'json-invalid', {
      entries: [await signLoose(device, 'genesis', duplicateMember(payload, 'sub'))],
    }),
    invalid('twice', 'a second first entry', 'log-invalid', {
      entries: [...account.log.entries, ...account.log.entries],
    }),
  );
  return {
    description: `The first entry of a device log. ${REPLAYED}`,
    spec: 'device-log.md#genesis',
    vectors: [...vectors, ...(await provisions(memory))],
  };
}
