import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatAccountLink, isAccountLink, parseAccountLink } from '../src/account-link.ts';
import { encodeBase64url } from '../src/base64url.ts';
import { refused } from './refused.ts';

const LINK = {
  name: 'alice@example.com',
  identity: encodeBase64url(new Uint8Array(32).fill(7)),
  broker: 'https://broker.example',
};
const text = formatAccountLink(LINK);
const id = LINK.identity;
const broker = 'broker=https%3A%2F%2Fbroker.example';

describe('an account link', () => {
  test('says what it was made from', () => {
    assert.equal(text, `countersign:alice@example.com?id=${id}&${broker}`);
    assert.deepEqual(parseAccountLink(text), LINK);
    assert.deepEqual(parseAccountLink(` ${text}\n`), LINK);
  });

  test('may name a broker by its port', () => {
    const local = { ...LINK, broker: 'http://localhost:8443' };
    assert.deepEqual(parseAccountLink(formatAccountLink(local)), local);
  });

  test('is told from a name', () => {
    assert.equal(isAccountLink(text), true);
    assert.equal(isAccountLink(LINK.name), false);
  });

  for (const [what, link] of [
    ['of another scheme', text.replace('countersign:', 'https://')],
    ['without a fingerprint', `countersign:alice@example.com?${broker}`],
    ['with an empty fingerprint', `countersign:alice@example.com?id=&${broker}`],
    ['with a fingerprint cut short', text.replace(id, id.slice(1))],
    ['with stray bits in its fingerprint', text.replace(id, `${id.slice(0, -1)}d`)],
    ['with two fingerprints', `${text}&id=${encodeBase64url(new Uint8Array(32))}`],
    ['with two brokers', `${text}&broker=https%3A%2F%2Fevil.example`],
    ['with a parameter that nobody knows', `${text}&x=1`],
    ['without a broker', `countersign:alice@example.com?id=${id}`],
    ['with a second question mark', `${text}?id=${id}`],
    ['with a fragment', `${text}#x`],
    ['whose broker has a path', `${text}%2Fpath`],
    ['whose broker has a user', text.replace(broker, 'broker=https%3A%2F%2Fa%40b')],
    ['whose broker is a script', text.replace(broker, 'broker=javascript%3Aalert(1)')],
    ['whose broker is a file', text.replace(broker, 'broker=file%3A%2F%2F%2Fetc')],
    ['whose broker is no URL', text.replace(broker, 'broker=x')],
  ] as const) {
    test(`${what} is refused`, () => assert.throws(() => parseAccountLink(link), refused('link-invalid')));
  }

  test('with a name that is none is refused', () => {
    assert.throws(() => parseAccountLink(text.replace('alice@', '')), refused('name-invalid'));
    assert.throws(() => parseAccountLink(text.replace('alice', 'аlice')), refused('name-invalid'));
  });
});
