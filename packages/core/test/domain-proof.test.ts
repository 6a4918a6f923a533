import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as v from 'valibot';
import { formatAccountLink } from '../src/account-link.ts';
import {
  createDomainCheck,
  DOMAIN_PROOF_LIFE,
  Domain,
  type DomainProof,
  namesAccount,
  verifyDomainCheck,
} from '../src/domain-proof.ts';
import { signStatement } from '../src/statement.ts';
import { generateSigner, webCrypto } from '../src/webcrypto.ts';
import { BROKER, NOW } from './fixtures.ts';
import { refused } from './refused.ts';

const ACCOUNT = { name: 'help@bank.example', identity: 'A'.repeat(43) };
const OTHER = { ...ACCOUNT, identity: `${'B'.repeat(42)}A` };
const LINK = formatAccountLink({ ...ACCOUNT, broker: BROKER });
const PROOF: DomainProof = { domain: 'bank.example', by: 'dns', at: NOW };

describe('a domain', () => {
  test('is a host’s name of two labels at least, in small ASCII, and never an address', () => {
    for (const good of ['bank.example', 'a.b.c-d.example', '1bank.example', 'xn--bnk-qla.example'])
      assert.ok(v.is(Domain, good), good);
    for (const bad of [
      'localhost',
      '127.0.0.1',
      '10.1',
      '[::1]',
      'bank.example.',
      'Bank.example',
      'bänk.example',
      '-bank.example',
      'bank-.example',
      'bank..example',
      '_dmarc.bank.example',
      'bank.example:443',
      'bank.example/x',
      'user@bank.example',
      'bank.0x7f',
      `${'a'.repeat(64)}.example`,
      `${'a.'.repeat(120)}example`,
      '',
    ])
      assert.ok(!v.is(Domain, bad), bad);
  });

  test('names an account by its identity, beside other accounts and texts that are no link', () => {
    assert.ok(namesAccount(['v=spf1 -all', formatAccountLink({ ...OTHER, broker: BROKER }), LINK], ACCOUNT));
    assert.ok(namesAccount([formatAccountLink({ ...ACCOUNT, broker: 'https://other.example' })], ACCOUNT));
  });

  test('does not name another account of that name, nor one by its name alone', () => {
    assert.ok(!namesAccount([LINK], OTHER));
    assert.ok(!namesAccount([LINK], { ...ACCOUNT, name: 'help@bunk.example' }));
    for (const text of [
      ACCOUNT.name,
      `countersign:${ACCOUNT.name}`,
      `x ${LINK}`,
      `${LINK}&id=${OTHER.identity}`,
      '',
    ])
      assert.ok(!namesAccount([text], ACCOUNT), text);
    assert.ok(!namesAccount([], ACCOUNT));
  });
});

describe('the broker’s word for domains', async () => {
  const signer = await generateSigner('EdDSA');
  const broker = { origin: BROKER, key: signer.publicKey };
  const check = (proofs: readonly DomainProof[]) =>
    createDomainCheck(webCrypto, signer, BROKER, ACCOUNT, proofs, NOW);
  const verify = (jws: string, claimed: readonly string[], now = NOW, by = broker, account = ACCOUNT) =>
    verifyDomainCheck(webCrypto, jws, by, account, claimed, now);

  test('gives an account no domain that its card does not claim', async () => {
    const { jws } = await check([PROOF, { ...PROOF, domain: 'scam.example' }]);
    assert.deepEqual(await verify(jws, ['bank.example']), [PROOF]);
    assert.deepEqual(await verify(jws, []), []);
  });

  test('counts for a day from when it was found, and not from the future', async () => {
    const { jws } = await check([PROOF]);
    const at = (now: number) => verify(jws, ['bank.example'], now);
    assert.equal((await at(NOW + DOMAIN_PROOF_LIFE - 1)).length, 1);
    assert.equal((await at(NOW + DOMAIN_PROOF_LIFE)).length, 0);
    assert.equal((await at(NOW - 60)).length, 1);
    assert.equal((await at(NOW - 61)).length, 0);
  });

  test('is refused of another broker, of another key, and for another account', async () => {
    const { jws } = await check([PROOF]);
    const another = await generateSigner('EdDSA');
    const claimed = ['bank.example'];
    await assert.rejects(
      verify(jws, claimed, NOW, { ...broker, origin: 'https://other.example' }),
      refused('domain-check-invalid'),
    );
    await assert.rejects(
      verify(jws, claimed, NOW, { ...broker, key: another.publicKey }),
      refused('key-invalid', 'signature-invalid'),
    );
    await assert.rejects(verify(jws, claimed, NOW, broker, OTHER), refused('domain-check-invalid'));
  });

  test('is no other statement of the broker’s key', async () => {
    const { CheckpointStatement } = await import('../src/checkpoint.ts');
    const { jws } = await signStatement(webCrypto, CheckpointStatement, signer, {
      iss: BROKER,
      sub: ACCOUNT.name,
      sub_id: ACCOUNT.identity,
      iat: NOW,
      head: { seq: 0, hash: ACCOUNT.identity },
    });
    await assert.rejects(verify(jws, ['bank.example']), refused('statement-type'));
  });
});
