/**
 * Proof that a device holds its key, for what only a device may read: DPoP (RFC 9449 section 4), checked with
 * `jose`. What changes something needs no such proof: it is itself a statement signed by the device.
 * @module
 */
import {
  activeDevice,
  CountersignError,
  type CryptoProvider,
  type Device,
  keyFingerprint,
  PublicSigningKey,
} from '@countersign/core';
import { decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import type { AccountRow } from './store/store.ts';

/** How old a proof may be, in seconds. */
const MAX_AGE = 60;
const REMEMBERED = 200_000;

const Claims = v.object({
  jti: v.pipe(v.string(), v.minLength(8), v.maxLength(128)),
  htm: v.string(),
  htu: v.string(),
});

export class ProofChecker {
  readonly #crypto: CryptoProvider;
  readonly #now: () => number;
  /** Proofs that were used, for as long as they would be good (RFC 9449 section 11.1). */
  readonly #used: LRUCache<string, true>;

  constructor(crypto: CryptoProvider, now: () => number) {
    this.#crypto = crypto;
    this.#now = now;
    this.#used = new LRUCache({ max: REMEMBERED, ttl: 3 * MAX_AGE * 1000 });
  }

  /**
   * The device of an account that a proof is by.
   * @param url the address asked for, without query
   * @throws `proof-invalid`, `proof-replayed`, and what `activeDevice` throws
   */
  async check(
    proof: string | undefined,
    method: string,
    urls: readonly string[],
    account: AccountRow,
  ): Promise<Device> {
    const { kid, jti } = await this.#verify(proof, method, urls);
    const device = activeDevice(account, kid);
    this.#useOnce(jti);
    return device;
  }

  /** The key that a proof is by, whoever's it is. @throws `proof-invalid`, `proof-replayed` */
  async checkAny(proof: string | undefined, method: string, urls: readonly string[]): Promise<string> {
    const { kid, jti } = await this.#verify(proof, method, urls);
    this.#useOnce(jti);
    return kid;
  }

  /**
   * Checks that a proof is by a key that is no device's yet: the one of a fingerprint.
   * @throws `proof-invalid`, `proof-replayed`, `device-unknown`
   */
  async checkKey(
    proof: string | undefined,
    method: string,
    urls: readonly string[],
    kid: string,
  ): Promise<void> {
    const proven = await this.#verify(proof, method, urls);
    if (proven.kid !== kid) {
      throw new CountersignError('device-unknown', 'the proof is by another key than the device that waits');
    }
    this.#useOnce(proven.jti);
  }

  #useOnce(jti: string): void {
    if (this.#used.has(jti)) throw new CountersignError('proof-replayed', 'this proof was used before');
    this.#used.set(jti, true);
  }

  async #verify(
    proof: string | undefined,
    method: string,
    urls: readonly string[],
  ): Promise<{ kid: string; jti: string }> {
    if (proof === undefined) {
      throw new CountersignError('proof-invalid', 'this is for a device: a DPoP proof is missing');
    }
    try {
      const { payload } = await jwtVerify(proof, EmbeddedJWK, {
        typ: 'dpop+jwt',
        algorithms: ['Ed25519', 'EdDSA', 'ES256'],
        currentDate: new Date(this.#now() * 1000),
        maxTokenAge: MAX_AGE,
        clockTolerance: MAX_AGE,
      });
      const { jti, htm, htu } = v.parse(Claims, payload);
      if (htm !== method || !urls.includes(htu)) throw new Error('made for another address');
      const { kty, crv, x, y } = decodeProtectedHeader(proof).jwk ?? {};
      const key = v.parse(PublicSigningKey, kty === 'EC' ? { kty, crv, x, y } : { kty, crv, x });
      return { kid: await keyFingerprint(this.#crypto, key), jti };
    } catch (cause) {
      throw new CountersignError('proof-invalid', 'the DPoP proof is not good for this address and time', {
        cause,
        hint: 'it must be made for exactly this address, at most a minute ago, and used once; check the clock',
      });
    }
  }
}
