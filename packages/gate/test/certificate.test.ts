import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeCertificate } from '../src/phone/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-certificate-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const read = (path: string) => new X509Certificate(readFileSync(path));

describe('a host’s own certificate', () => {
  test('is by an authority that is no other’s, for the names that were given', () => {
    const made = makeCertificate(join(folder, 'one'), ['web1.example', '192.0.2.7']);
    const [authority, cert] = [read(made.authority), read(made.cert)];
    assert.ok(authority.ca && !cert.ca);
    assert.ok(cert.verify(authority.publicKey));
    assert.equal(cert.subjectAltName, 'DNS:web1.example, IP Address:192.0.2.7');
    assert.equal(made.fingerprint, authority.fingerprint256);
    const days = (Date.parse(cert.validTo) - Date.parse(cert.validFrom)) / 86_400_000;
    assert.ok(days <= 825, `${days} days`);
    for (const key of [made.key, join(folder, 'one/authority.key')]) {
      assert.equal(statSync(key).mode & 0o077, 0);
    }
  });

  test('is renewed by the same authority, with another key', () => {
    const at = join(folder, 'two');
    const [first, firstKey] = [
      makeCertificate(at, ['web2.example']),
      readFileSync(join(at, 'phone.key'), 'utf8'),
    ];
    const again = makeCertificate(at, ['web2.example']);
    assert.equal(again.fingerprint, first.fingerprint);
    assert.notEqual(readFileSync(again.key, 'utf8'), firstKey);
  });

  test('is not made for a name that the authority may not vouch for', () => {
    const at = join(folder, 'three');
    makeCertificate(at, ['web3.example']);
    const before = readFileSync(join(at, 'phone.crt'), 'utf8');
    assert.throws(() => makeCertificate(at, ['bank.example']), /permitted subtree violation/);
    assert.throws(() => makeCertificate(at, ['web3.example', '192.0.2.9']), /subtree violation/);
    // What was there still is.
    assert.equal(readFileSync(join(at, 'phone.crt'), 'utf8'), before);
    assert.deepEqual(
      readdirSync(at).filter((name) => name.endsWith('.new')),
      [],
    );
  });

  test('has a name, and names alone', () => {
    const at = join(folder, 'four');
    assert.throws(() => makeCertificate(at, ['192.0.2.7']), /needs a host’s name/);
    for (const strange of ['a,DNS:bank.example', 'a b', '', 'a\nb', '*.example', '-a']) {
      assert.throws(() => makeCertificate(at, [strange]), /no host’s name/, strange);
    }
  });
});
