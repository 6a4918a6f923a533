/**
 * Pairs as pairing leaves them, made without it.
 * @module
 */
import { encodeBase64url } from '@countersign/core';
import type { InterfaceRecord, ValidatorRecord } from '@countersign/core/m-auth';
import type { NoiseKey } from '@countersign/core/noise';
import { sodiumNoise } from '../../packages/gate/src/sodium-noise.ts';

export const HOST = 'bench.example';

export interface Pair {
  readonly user: string;
  readonly host: InterfaceRecord;
  /** The validator's side. */
  record: ValidatorRecord;
  readonly key: NoiseKey;
}

export async function makePairs(count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) pairs.push(await makePair(`user${i}`));
  return pairs;
}

async function makePair(user: string): Promise<Pair> {
  const text = (length: number) => encodeBase64url(sodiumNoise.randomBytes(length));
  const secret = sodiumNoise.randomBytes(32);
  const [own, other] = [await sodiumNoise.importKey(secret), await sodiumNoise.generateKey()];
  const both = { id: text(16), account: user, host: HOST, services: ['*'], step: 0, ratchet: text(32) };
  const host: InterfaceRecord = {
    countersign: 'm-auth interface/1',
    ...both,
    validator: `${user}’s phone`,
    secret: encodeBase64url(secret),
    peer: encodeBase64url(other.publicKey),
    key: encodeBase64url(own.publicKey),
    shared: encodeBase64url(await own.dh(other.publicKey)),
    // as after the first weeks of use
    retired: Array.from({ length: 14 }, () => text(16)),
    erase: { tag: text(16), check: text(16) },
    failed: 0,
    alarms: 0,
  };
  const record: ValidatorRecord = {
    countersign: 'm-auth validator/1',
    ...both,
    addresses: ['127.0.0.1:1'],
    key: encodeBase64url(other.publicKey),
    peer: encodeBase64url(own.publicKey),
    pending: [],
    erase: text(16),
  };
  return { user, host, record, key: other };
}
