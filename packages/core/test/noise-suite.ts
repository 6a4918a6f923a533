/**
 * What every provider of Noise's primitives promises: the published vectors come out of it, and nothing else.
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CountersignError } from '../src/errors.ts';
import type { CipherState, NoiseCrypto } from '../src/noise.ts';
import { KK_PSK0, NoiseHandshake, type NoisePattern, XX_PSK3 } from '../src/noise-handshake.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const hex = (text: string) => Uint8Array.fromHex(text);
const text = (value: string) => new TextEncoder().encode(value);

/** Those that M-AUTH uses, and others that have published vectors. */
const PATTERNS: readonly NoisePattern[] = [
  KK_PSK0,
  XX_PSK3,
  {
    ...KK_PSK0,
    name: 'KK',
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  {
    ...KK_PSK0,
    name: 'KKpsk2',
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se', 'psk'],
    ],
  },
  { ...XX_PSK3, name: 'XX', messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
];

interface NoiseVector {
  readonly name: string;
  readonly result: 'valid' | 'invalid';
  readonly expect: { readonly handshake_hash: string };
  readonly refused_at: number;
  readonly protocol_name: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
  readonly [member: string]: unknown;
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../spec/vectors/noise.json', import.meta.url), 'utf8'),
) as { vectors: NoiseVector[] };

async function side(crypto: NoiseCrypto, vector: NoiseVector, role: 'initiator' | 'responder') {
  const [own, name] = [role === 'initiator' ? 'init' : 'resp', vector.protocol_name.split('_')[1]];
  const pattern = PATTERNS.find((one) => one.name === name)!;
  const given = (member: string) => vector[`${own}_${member}`] as string;
  const psks = vector[`${own}_psks`] as string[] | undefined;
  return new NoiseHandshake(crypto, {
    pattern,
    role,
    prologue: hex(given('prologue')),
    ...(psks === undefined ? {} : { psk: hex(psks[0]!) }),
    key: await crypto.importKey(hex(given('static'))),
    ...(pattern.known ? { peer: hex(given('remote_static')) } : {}),
    ephemeral: await crypto.importKey(hex(given('ephemeral'))),
  });
}

/** Every message through both sides; the number of the one that is refused, or undefined. */
async function play(crypto: NoiseCrypto, vector: NoiseVector): Promise<number | undefined> {
  const initiator = await side(crypto, vector, 'initiator');
  const responder = await side(crypto, vector, 'responder');
  const shaken = PATTERNS.find((one) => vector.protocol_name.includes(`_${one.name}_`))!.messages.length;
  let channels: { send: CipherState; receive: CipherState }[] = [];
  for (const [index, { payload, ciphertext }] of vector.messages.entries()) {
    const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    try {
      if (index < shaken) {
        const sent = await from.write(hex(payload));
        if (vector.result === 'valid') assert.equal(sent.toHex(), ciphertext);
        assert.equal((await to.read(hex(ciphertext))).toHex(), payload);
      } else {
        const [sender, receiver] = index % 2 === 0 ? channels : channels.toReversed();
        const sent = sender!.send.encrypt(hex(payload));
        if (vector.result === 'valid') assert.equal(sent.toHex(), ciphertext);
        assert.equal(receiver!.receive.decrypt(hex(ciphertext)).toHex(), payload);
      }
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      assert.equal(error.code, 'handshake-invalid');
      return index + 1;
    }
    if (index + 1 !== shaken) continue;
    const ends = [initiator.finish(), responder.finish()];
    assert.equal(ends[0]!.hash.toHex(), ends[1]!.hash.toHex());
    assert.equal(ends[0]!.exported.toHex(), ends[1]!.exported.toHex());
    if (vector.result === 'valid') assert.equal(ends[0]!.hash.toHex(), vector.expect.handshake_hash);
    channels = ends;
  }
  return undefined;
}

export function noiseSuite(crypto: NoiseCrypto): void {
  describe(`Noise by ${crypto.name}: published vectors`, () => {
    for (const vector of vectors) {
      test(vector.name, async () => {
        assert.equal(await play(crypto, vector), vector.refused_at);
      });
    }
  });

  describe(`Noise by ${crypto.name}`, () => {
    const prologue = text('a prologue');
    const pair = async (change: Partial<Record<'psk' | 'prologue', Uint8Array>> = {}) => {
      const [one, two] = [await crypto.generateKey(), await crypto.generateKey()];
      const shared = { pattern: KK_PSK0, prologue, psk: new Uint8Array(32).fill(1) };
      return [
        new NoiseHandshake(crypto, { ...shared, role: 'initiator', key: one, peer: two.publicKey }),
        new NoiseHandshake(crypto, {
          ...shared,
          ...change,
          role: 'responder',
          key: two,
          peer: one.publicKey,
        }),
      ] as const;
    };

    test('carries payloads of any length, each way, in order only', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 4, maxLength: 4 }),
          async (payloads) => {
            const [a, b] = await pair();
            assert.deepEqual(Uint8Array.from(await b.read(await a.write(payloads[0]!))), payloads[0]);
            assert.deepEqual(Uint8Array.from(await a.read(await b.write(payloads[1]!))), payloads[1]);
            const [one, two] = [a.finish(), b.finish()];
            const [first, second] = [one.send.encrypt(payloads[2]!), one.send.encrypt(payloads[3]!)];
            assert.deepEqual(Uint8Array.from(two.receive.decrypt(first)), payloads[2]);
            assert.throws(() => two.receive.decrypt(first), refused('handshake-invalid'));
            assert.throws(() => two.receive.decrypt(second), refused('handshake-invalid'));
          },
        ),
        { numRuns: Math.min(RUNS.numRuns, 500) },
      );
    });

    test('another preshared key, or another prologue, is refused, and the run is over', async () => {
      for (const change of [{ psk: new Uint8Array(32) }, { prologue: text('another') }]) {
        const [a, b] = await pair(change);
        const message = await a.write(text(''));
        await assert.rejects(b.read(message), refused('handshake-invalid'));
        await assert.rejects(b.read(message), TypeError);
      }
    });

    test('a key of small order is refused', async () => {
      for (const point of ['00'.repeat(32), `01${'00'.repeat(31)}`]) {
        const [, b] = await pair();
        const message = new Uint8Array(48);
        message.set(hex(point));
        await assert.rejects(b.read(message), refused('handshake-invalid'));
      }
    });

    test('a message that ends early is refused', async () => {
      for (const length of [0, 1, 31, 32, 47]) {
        const [a, b] = await pair();
        const message = await a.write(new Uint8Array());
        await assert.rejects(b.read(message.subarray(0, length)), refused('handshake-invalid'));
      }
    });

    test('HMAC and HKDF are those of RFC 4231 and RFC 5869', () => {
      const mac = crypto.hmac(hex('0b'.repeat(20)), text('Hi There'));
      assert.equal(
        Buffer.from(mac).toString('hex'),
        'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      );
      const long = crypto.hmac(
        hex('aa'.repeat(131)),
        text('Test Using Larger Than Block-Size Key - Hash Key First'),
      );
      assert.equal(
        Buffer.from(long).toString('hex'),
        '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
      );
      const okm = crypto.hkdf(
        hex('000102030405060708090a0b0c'),
        hex('0b'.repeat(22)),
        hex('f0f1f2f3f4f5f6f7f8f9'),
        42,
      );
      assert.equal(
        Buffer.from(okm).toString('hex'),
        '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
      );
    });

    test('an imported key is the same key again', async () => {
      const secret = crypto.randomBytes(32);
      const [one, again, other] = [
        await crypto.importKey(secret),
        await crypto.importKey(secret),
        await crypto.generateKey(),
      ];
      assert.deepEqual(Uint8Array.from(one.publicKey), Uint8Array.from(again.publicKey));
      assert.deepEqual(
        Uint8Array.from(await one.dh(other.publicKey)),
        Uint8Array.from(await other.dh(again.publicKey)),
      );
    });

    test('a key imported with its public half does what it does without', async () => {
      const secret = crypto.randomBytes(32);
      const [one, other] = [await crypto.importKey(secret), await crypto.generateKey()];
      const kept = await crypto.importKey(secret, one.publicKey);
      assert.deepEqual(Uint8Array.from(kept.publicKey), Uint8Array.from(one.publicKey));
      assert.deepEqual(
        Uint8Array.from(await kept.dh(other.publicKey)),
        Uint8Array.from(await one.dh(other.publicKey)),
      );
    });
  });
}
