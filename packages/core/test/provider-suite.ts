/**
 * What every crypto provider promises. Run over each of them; sealed boxes are opened by WebCrypto's opener,
 * which `webcrypto.test.ts` holds against RFC 9180's own vector.
 * @module
 */
import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts';
import type { CryptoProvider, Opener, PublicSigningJwk } from '../src/crypto-provider.ts';
import { generateOpener, generateSigner } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const text = (value: string) => new TextEncoder().encode(value);
const hex = (value: string) => Uint8Array.fromHex(value);
const ed25519 = (x: string): PublicSigningJwk => ({ kty: 'OKP', crv: 'Ed25519', x: encodeBase64url(hex(x)) });

/** RFC 8032 section 7.1. */
const ED25519_VECTORS = [
  {
    name: 'TEST 1',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    data: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    data: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    data: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'TEST SHA(abc)',
    key: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    data: 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
] as const;

/** RFC 7515 appendix A.3. */
const ES256_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const;
const ES256_DATA = text(
  'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
);
const ES256_SIGNATURE = decodeBase64url(
  'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
);

/** All texts of the points whose order divides 8, those that RFC 8032 section 5.1.3 does not decode too. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
] as const;

/** Order of the Ed25519 base point (RFC 8032 section 5.1). */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

export function providerSuite(name: string, provider: CryptoProvider): void {
  describe(`crypto provider ${name}`, () => {
    describe('signatures', () => signatures(provider));
    describe('digests and randomness', () => digests(provider));
    describe('sealing', () => sealing(provider));
    describe('Argon2id', () => argon2id(provider));
  });
}

function signatures(provider: CryptoProvider): void {
  for (const { name, key, data, signature } of ED25519_VECTORS) {
    test(`RFC 8032 ${name} verifies`, async () => {
      assert.equal(await provider.verify(ed25519(key), hex(data), hex(signature)), true);
    });
  }

  test('RFC 7515 appendix A.3 verifies', async () => {
    assert.equal(await provider.verify(ES256_KEY, ES256_DATA, ES256_SIGNATURE), true);
  });

  for (const algorithm of ['EdDSA', 'ES256'] as const) {
    test(`${algorithm}: any one bit flipped in the data or the signature is noticed`, async () => {
      const signer = await generateSigner(algorithm);
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 99 }), fc.nat(), async (data, place) => {
          const signature = await signer.sign(data);
          assert.equal(await provider.verify(signer.publicKey, data, signature), true);
          assert.equal(await provider.verify(signer.publicKey, flipped(data, place), signature), false);
          assert.equal(await provider.verify(signer.publicKey, data, flipped(signature, place)), false);
        }),
        RUNS,
      );
    });

    test(`${algorithm}: another key verifies nothing`, async () => {
      const signature = await (await generateSigner(algorithm)).sign(text('words'));
      const other = await generateSigner(algorithm);
      assert.equal(await provider.verify(other.publicKey, text('words'), signature), false);
    });

    test(`${algorithm}: a signature of another length is false, and no error`, async () => {
      const signer = await generateSigner(algorithm);
      const signature = await signer.sign(text('words'));
      for (const wrong of [new Uint8Array(), signature.subarray(1), Uint8Array.of(...signature, 0)]) {
        assert.equal(await provider.verify(signer.publicKey, text('words'), wrong), false);
      }
    });

    test(`${algorithm}: a signature of zeros is false`, async () => {
      const { publicKey } = await generateSigner(algorithm);
      assert.equal(await provider.verify(publicKey, text('words'), new Uint8Array(64)), false);
    });
  }

  test('Ed25519: the other forms of a signature (S + nL) are false (RFC 8032 section 5.1.7)', async () => {
    const { key, data, signature } = ED25519_VECTORS[1];
    const bytes = hex(signature);
    const least = bytes.slice(32).reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
    for (let s = least + L; s < 2n ** 256n; s += L) {
      for (let i = 32, rest = s; i < 64; i++, rest >>= 8n) bytes[i] = Number(rest & 255n);
      assert.equal(await provider.verify(ed25519(key), hex(data), bytes), false);
    }
  });

  test('Ed25519: a key of small order, for which one signature fits many words, is false', async () => {
    for (const key of SMALL_ORDER.map(ed25519)) {
      for (const r of SMALL_ORDER) {
        const signature = hex(r + '00'.repeat(32));
        // each word would do for one signature in eight at least
        for (let word = 0; word < 40; word++) {
          assert.equal(await provider.verify(key, Uint8Array.of(word), signature), false);
        }
      }
    }
  });

  test('Ed25519: a signature whose R is of small order is false, though its equation holds', async () => {
    const { key, data } = ED25519_VECTORS[1];
    const s = '675d054595fa17cb6a44e3ada6ca385e55667e41a63fdab0ac22d10000354002';
    const signature = hex(`01${'00'.repeat(31)}${s}`);
    assert.equal(await provider.verify(ed25519(key), hex(data), signature), false);
  });

  const signature = new Uint8Array(64).fill(1);
  for (const [what, key] of [
    ['an Ed25519 key that is not a point', ed25519(`02${'00'.repeat(31)}`)],
    ['an Ed25519 key of another length', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
    ['an Ed25519 key that is not base64url', { kty: 'OKP', crv: 'Ed25519', x: '!!!' }],
    ['a P-256 key that is not on the curve', { ...ES256_KEY, y: ES256_KEY.x }],
    ['a P-256 key of another length', { ...ES256_KEY, y: 'AAAA' }],
    ['a P-256 key that is not base64url', { ...ES256_KEY, x: '!!!' }],
    ['the point at infinity', { ...ES256_KEY, x: 'A'.repeat(43), y: 'A'.repeat(43) }],
  ] satisfies [string, PublicSigningJwk][]) {
    test(`${what} is false, and no error, each time`, async () => {
      for (let i = 0; i < 2; i++) assert.equal(await provider.verify(key, text('words'), signature), false);
    });
  }
}

function digests(provider: CryptoProvider): void {
  test('SHA-256 and SHA-512 of “abc” and of nothing are those of FIPS 180-4', async () => {
    for (const [data, sha256, sha512] of [
      [
        'abc',
        'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
      ],
      [
        '',
        'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
      ],
    ] as const) {
      assert.equal((await provider.sha256(text(data))).toHex(), sha256);
      assert.equal((await provider.sha512(text(data))).toHex(), sha512);
    }
  });

  test('a part of a larger buffer is hashed as that part', async () => {
    const part = text('xxabcxx').subarray(2, 5);
    assert.deepEqual(await provider.sha256(part), await provider.sha256(text('abc')));
  });

  test('random bytes have the length that was asked for, and do not repeat', () => {
    for (const length of [0, 1, 4, 16, 32, 1000]) assert.equal(provider.randomBytes(length).length, length);
    const drawn = new Set(Array.from({ length: 200 }, () => provider.randomBytes(16).toHex()));
    assert.equal(drawn.size, 200);
  });
}

function sealing(provider: CryptoProvider): void {
  const [words, info, aad] = [text('the words'), text('info'), text('aad')];
  let opener: Opener;
  before(async () => {
    opener = await generateOpener();
  });

  test('what is sealed is opened with the same info and aad', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array(),
        fc.uint8Array(),
        async (...parts) => {
          const box = await provider.seal(opener.publicKey, ...parts);
          assert.equal(box.length, 32 + parts[0].length + 16);
          assert.deepEqual(await opener.open(box, parts[1], parts[2]), new Uint8Array(parts[0]));
        },
      ),
      RUNS,
    );
  });

  test('the same words are sealed otherwise each time', async () => {
    const boxes = [1, 2].map(() => provider.seal(opener.publicKey, words, info, aad));
    const [one, two] = await Promise.all(boxes);
    assert.notDeepEqual(one, two);
  });

  test('another info, another aad or another key opens nothing', async () => {
    const box = await provider.seal(opener.publicKey, words, info, aad);
    const other = await generateOpener();
    await assert.rejects(opener.open(box, text('other'), aad), refused('seal-broken'));
    await assert.rejects(opener.open(box, info, text('other')), refused('seal-broken'));
    await assert.rejects(opener.open(box, aad, info), refused('seal-broken'));
    await assert.rejects(other.open(box, info, aad), refused('seal-broken'));
  });

  test('any byte flipped opens nothing', async () => {
    const box = await provider.seal(opener.publicKey, words, info, aad);
    for (let place = 0; place < box.length; place++) {
      const changed = box.slice();
      changed[place]! ^= 1;
      await assert.rejects(opener.open(changed, info, aad), refused('seal-broken'));
    }
  });

  test('a box cut short opens nothing', async () => {
    const box = await provider.seal(opener.publicKey, words, info, aad);
    for (const length of [0, 1, 31, 32, 33, 48, box.length - 1]) {
      await assert.rejects(opener.open(box.subarray(0, length), info, aad), refused('seal-broken'));
    }
  });

  for (const [what, x] of [
    ['of small order', 'A'.repeat(43)],
    ['of small order (1)', `AQ${'A'.repeat(41)}`],
    ['of another length', 'AAAA'],
  ] as const) {
    test(`nothing is sealed to a key ${what} (RFC 9180 section 7.1.4)`, async () => {
      const key = { kty: 'OKP', crv: 'X25519', x } as const;
      await assert.rejects(provider.seal(key, words, info, aad), refused('key-invalid'));
    });
  }
}

function argon2id(provider: CryptoProvider): void {
  for (const [memory, passes, lanes] of [
    [64, 1, 1],
    [64, 3, 4],
    [19_456, 2, 1],
  ] as const) {
    test(`${memory} KiB, ${passes} passes, ${lanes} lanes: as OpenSSL computes it (RFC 9106)`, async () => {
      const [secret, salt] = [text('123456'), text('sixteen bytes ..')];
      const expected = argon2Sync('argon2id', {
        message: secret,
        nonce: salt,
        parallelism: lanes,
        tagLength: 32,
        memory,
        passes,
      });
      const derived = await provider.argon2id(secret, { memory, passes, lanes, salt, length: 32 });
      assert.equal(derived.toHex(), expected.toString('hex'));
    });
  }
}

function flipped(data: Uint8Array, place: number): Uint8Array {
  const changed = data.slice();
  changed[place % data.length]! ^= 1 << (place % 8);
  return changed;
}
