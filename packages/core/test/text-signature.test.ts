import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRevocation } from '../src/account-entries.ts';
import type { CryptoProvider } from '../src/crypto-provider.ts';
import { extendLog } from '../src/replay.ts';
import {
  createTextSignature,
  formatTextSignatureLink,
  judgeText,
  MAX_SIGNED_TEXT_BYTES,
  normalizeSignedText,
  parseTextSignatureLink,
  TEXT_SIGNATURE_LIFE,
  verifyNewTextSignature,
  verifyTextSignature,
} from '../src/text-signature.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { NOW, newAccount, type TestAccount } from './fixtures.ts';
import { refused } from './refused.ts';

/** Argon2id that takes no time, where its strength is not what is tried. */
const quick: CryptoProvider = {
  ...webCrypto,
  argon2id: (secret, parameters) => webCrypto.argon2id(secret, { ...parameters, memory: 8, passes: 1 }),
};
const TEXT = 'Our new account is DE02 1203 0000 0000 2020 51';

const sign = ({ log, devices: [device] }: TestAccount, lifetime?: number, text = TEXT) =>
  createTextSignature(quick, device!.signer, log, {
    text,
    now: NOW,
    ...(lifetime === undefined ? {} : { lifetime }),
  });

describe('a signature on a text', () => {
  test('is valid for the text, invalid for another, and expired for the text after its time', async () => {
    const bank = await newAccount('bank@example.com');
    const { jws } = await sign(bank, 60);
    const verified = await verifyTextSignature(quick, jws, bank.log);
    assert.equal(await judgeText(quick, verified, TEXT, NOW + 59), 'valid');
    assert.equal(await judgeText(quick, verified, TEXT.replace('51', '52'), NOW), 'invalid');
    assert.equal(await judgeText(quick, verified, TEXT.toLowerCase(), NOW), 'invalid');
    assert.equal(await judgeText(quick, verified, `${TEXT}\u200b`, NOW), 'invalid');
    assert.equal(await judgeText(quick, verified, '', NOW), 'invalid');
    assert.equal(await judgeText(quick, verified, TEXT, NOW + 60), 'expired');
    assert.equal(await judgeText(quick, verified, 'another', NOW + 60), 'invalid');
  });

  test('without an end holds for good', async () => {
    const bank = await newAccount('bank@example.com');
    const { jws } = await sign(bank);
    const verified = await verifyTextSignature(quick, jws, bank.log);
    assert.equal(await judgeText(quick, verified, TEXT, NOW + 100 * 365 * 86_400), 'valid');
  });

  test('holds the text neither as it is nor as a plain hash', async () => {
    const bank = await newAccount('bank@example.com');
    const [one, other] = [await sign(bank), await sign(bank)];
    assert.notEqual(one.payload.digest, other.payload.digest);
    const seen: number[] = [];
    const watching: CryptoProvider = {
      ...webCrypto,
      async argon2id(_secret, { memory, passes, length }) {
        seen.push(memory, passes, length);
        return new Uint8Array(length);
      },
    };
    await createTextSignature(watching, bank.devices[0]!.signer, bank.log, { text: TEXT, now: NOW });
    assert.deepEqual(seen, [65_536, 3, 32]);
  });

  test('stands from 30 seconds to three months', async () => {
    const bank = await newAccount('bank@example.com');
    const { least, most } = TEXT_SIGNATURE_LIFE;
    for (const good of [least, most]) await sign(bank, good);
    for (const bad of [0, least - 1, most + 1])
      await assert.rejects(sign(bank, bad), refused('signature-lifetime'));
  });

  test('is by the organisation that it names, and by a device that may ask', async () => {
    const bank = await newAccount('bank@example.com');
    const bunk = await newAccount('bank@example.com');
    const { jws } = await sign(bank);
    await assert.rejects(verifyTextSignature(quick, jws, bunk.log), refused('account-mismatch'));
    const quiet = await newAccount('bank@example.com', { rights: ['admit', 'recover', 'answer'] });
    const unentitled = await sign(quiet);
    await assert.rejects(
      verifyTextSignature(quick, unentitled.jws, quiet.log),
      refused('device-not-entitled'),
    );
    const forged = await createTextSignature(quick, bunk.devices[0]!.signer, bank.log, {
      text: TEXT,
      now: NOW,
    });
    await assert.rejects(verifyTextSignature(quick, forged.jws, bank.log), refused('device-unknown'));
  });

  test('outlives a device that was retired, and not one that was lost', async () => {
    const bank = await newAccount('bank@example.com', { devices: 2 });
    const { jws } = await sign(bank);
    const [gone, stays] = bank.devices;
    for (const reason of ['retired', 'lost'] as const) {
      const entry = await createRevocation(webCrypto, bank.log, stays!.signer, gone!.kid, reason, NOW);
      const log = await extendLog(webCrypto, bank.log, [entry.jws]);
      if (reason === 'retired') await verifyTextSignature(quick, jws, log);
      else await assert.rejects(verifyTextSignature(quick, jws, log), refused('device-revoked'));
      await assert.rejects(verifyNewTextSignature(quick, jws, log), refused('device-revoked'));
      const late = await createTextSignature(quick, gone!.signer, log, { text: TEXT, now: NOW });
      await assert.rejects(verifyTextSignature(quick, late.jws, log), refused('device-revoked'));
    }
  });
});

describe('a signed text', () => {
  test('may come with other white space, and with nothing else', () => {
    assert.equal(normalizeSignedText(' Pay\r\n to\u00a0 us \n'), 'Pay to us');
    assert.equal(normalizeSignedText('Zoe\u0308'), 'Zo\u00eb');
    assert.notEqual(normalizeSignedText('a\u200bb'), normalizeSignedText('ab'));
    assert.throws(() => normalizeSignedText(' \n'), refused('text-refused'));
    assert.throws(() => normalizeSignedText('\ud800'), refused('text-refused'));
    assert.throws(() => normalizeSignedText('x'.repeat(MAX_SIGNED_TEXT_BYTES + 1)), refused('text-too-long'));
  });
});

describe('the link of a signature', () => {
  const LINK = {
    origin: 'https://broker.example',
    name: 'bank@example.com',
    identity: 'A'.repeat(43),
    hash: `${'B'.repeat(42)}A`,
  };

  test('is read as it was written, whatever the text', () => {
    fc.assert(
      fc.property(fc.option(fc.string({ unit: 'binary' }), { nil: undefined }), (text) => {
        const link = text === undefined ? LINK : { ...LINK, text: text.toWellFormed() };
        assert.deepEqual(parseTextSignatureLink(formatTextSignatureLink(link)), link);
      }),
    );
  });

  test('keeps all but the organisation’s name from the server', () => {
    const url = new URL(formatTextSignatureLink({ ...LINK, text: TEXT }));
    assert.equal(`${url.pathname}${url.search}`, '/v/bank%40example.com');
  });

  test('without identity or hash is none', () => {
    const good = formatTextSignatureLink(LINK);
    for (const bad of [
      'nonsense',
      good.replace(/s=[^&]+&/, ''),
      good.replace(/&o=.*/, ''),
      `${good}&o=${LINK.identity}`,
      good.replace('/v/', '/s/'),
      good.replace('https', 'javascript'),
    ]) {
      assert.throws(() => parseTextSignatureLink(bad), refused('link-invalid'));
    }
  });
});
