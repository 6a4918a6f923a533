import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeBase64url } from '../src/base64url.ts';
import {
  exportPrivate,
  generateOpener,
  generateSigner,
  importOpener,
  importSigner,
  webCrypto,
} from '../src/webcrypto.ts';
import { ALGORITHMS } from './fixtures.ts';
import { providerSuite } from './provider-suite.ts';
import { refused } from './refused.ts';

providerSuite('webcrypto', webCrypto);

const words = new TextEncoder().encode('words');
const none = new Uint8Array();

describe('signing keys', () => {
  for (const algorithm of ALGORITHMS) {
    test(`${algorithm}: a key made without a word about it never leaves`, async () => {
      const signer = await generateSigner(algorithm);
      assert.equal(signer.keyPair.privateKey.extractable, false);
      await assert.rejects(exportPrivate(signer), refused('key-invalid'));
    });

    test(`${algorithm}: an exported key comes back as the same key, and then does not leave again`, async () => {
      const signer = await generateSigner(algorithm, { extractable: true });
      const again = await importSigner(await exportPrivate(signer));
      assert.deepEqual(again.publicKey, signer.publicKey);
      assert.equal(again.algorithm, algorithm);
      assert.equal(await webCrypto.verify(signer.publicKey, words, await again.sign(words)), true);
      await assert.rejects(exportPrivate(again), refused('key-invalid'));
    });

    test(`${algorithm}: signatures have 64 bytes`, async () => {
      const signer = await generateSigner(algorithm);
      assert.equal((await signer.sign(words)).length, 64);
    });

    test(`${algorithm}: the public key carries nothing private`, async () => {
      const { publicKey } = await generateSigner(algorithm, { extractable: true });
      const members = algorithm === 'EdDSA' ? ['crv', 'kty', 'x'] : ['crv', 'kty', 'x', 'y'];
      assert.deepEqual(Object.keys(publicKey).sort(), members);
    });
  }

  test('what is not a private signing key is refused', async () => {
    const sealing = await exportPrivate(await generateOpener({ extractable: true }));
    const { publicKey } = await generateSigner('EdDSA');
    for (const jwk of [{}, publicKey, sealing, { kty: 'oct', k: 'AAAA' }]) {
      await assert.rejects(importSigner(jwk), refused('key-invalid'));
    }
  });

  test('a private key with another key’s public half is refused', async () => {
    const one = await exportPrivate(await generateSigner('EdDSA', { extractable: true }));
    const two = await generateSigner('EdDSA');
    await assert.rejects(importSigner({ ...one, x: two.publicKey.x }), refused('key-invalid'));
  });
});

describe('sealing keys', () => {
  test('a key made without a word about it never leaves', async () => {
    await assert.rejects(exportPrivate(await generateOpener()), refused('key-invalid'));
  });

  test('an exported key comes back as the same key, and then does not leave again', async () => {
    const opener = await generateOpener({ extractable: true });
    const again = await importOpener(await exportPrivate(opener));
    const box = await webCrypto.seal(opener.publicKey, words, none, none);
    assert.deepEqual(await again.open(box, none, none), words);
    await assert.rejects(exportPrivate(again), refused('key-invalid'));
  });

  test('what is not a private sealing key is refused', async () => {
    const signing = await exportPrivate(await generateSigner('EdDSA', { extractable: true }));
    const { publicKey } = await generateOpener();
    for (const jwk of [{}, publicKey, signing]) {
      await assert.rejects(importOpener(jwk), refused('key-invalid'));
    }
  });

  test('RFC 9180’s own vector opens: X25519, HKDF-SHA256, AES-256-GCM, base mode, first message', async () => {
    // cfrg/draft-irtf-cfrg-hpke, test-vectors.json: mode 0, kem 32, kdf 1, aead 2
    const hex = (text: string) => Uint8Array.fromHex(text);
    const opener = await importOpener({
      kty: 'OKP',
      crv: 'X25519',
      d: encodeBase64url(hex('497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d')),
      x: encodeBase64url(hex('430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c')),
    });
    const enc = '6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256';
    const ct = 'e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a';
    const opened = await opener.open(
      hex(enc + ct),
      new TextEncoder().encode('Ode on a Grecian Urn'),
      new TextEncoder().encode('Count-0'),
    );
    assert.equal(new TextDecoder().decode(opened), 'Beauty is truth, truth beauty');
  });
});
