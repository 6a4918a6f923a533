import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { PasscodeCommitment } from '../src/passcode.ts';
import {
  checkCode,
  commitCode,
  drawCode,
  drawPin,
  parseCode,
  parsePin,
  pinTicket,
} from '../src/secret-code.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';

describe('a code', () => {
  test('has 40 bits, and a PIN 120, in letters that people tell apart', () => {
    assert.match(drawCode(webCrypto), /^[A-Z2-7]{4}-[A-Z2-7]{4}$/);
    assert.match(drawPin(webCrypto), /^(?:[A-Z2-7]{4}-){5}[A-Z2-7]{4}$/);
    assert.equal(new Set(Array.from({ length: 100 }, () => drawCode(webCrypto))).size, 100);
  });

  test('is taken in any case and any groups', () => {
    for (const typed of ['abcd-efgh', 'ABCDEFGH', ' ab cd ef gh\n', 'A-B-C-D-E-F-G-H']) {
      assert.equal(parseCode(typed), 'ABCD-EFGH');
    }
    const pin = drawPin(webCrypto);
    assert.equal(parsePin(pin.toLowerCase().replaceAll('-', ' ')), pin);
  });

  test('of another length, or with other letters, is none', () => {
    for (const typed of [
      '',
      'ABCD-EFG',
      'ABCD-EFGHI',
      'ABCD-EFG1',
      'ABCD-EFG0',
      'ÄBCD-EFGH',
      drawPin(webCrypto),
    ]) {
      assert.throws(() => parseCode(typed), refused('code-wrong'));
    }
    for (const typed of ['', drawCode(webCrypto), `${drawPin(webCrypto)}A`, drawPin(webCrypto).slice(1)]) {
      assert.throws(() => parsePin(typed), refused('pin-wrong'));
    }
  });
});

describe('a commitment to a code', () => {
  const binding = ['enrol', 'alice@example.com', 'identity', 'device'];
  let commitment: PasscodeCommitment;
  before(async () => {
    commitment = await commitCode(webCrypto, 'ABCD-EFGH', binding);
  });

  test('opens by the code, as people type it', async () => {
    assert.ok(await checkCode(webCrypto, commitment, 'abcd efgh', binding));
  });

  test('opens by no other code', async () => {
    for (const code of ['ABCD-EFGG', 'ABCD-EFGHA', 'BCD-EFGH', '']) {
      assert.equal(await checkCode(webCrypto, commitment, code, binding), false, code);
    }
  });

  test('opens for nothing else than it was made for', async () => {
    for (let i = 0; i < binding.length; i++) {
      const other = binding.with(i, `${binding[i]}x`);
      assert.equal(await checkCode(webCrypto, commitment, 'ABCD-EFGH', other), false, other.join());
    }
    for (const other of [
      ['enrol', 'alice@example.com', 'identity'],
      ['enrol', 'alice@example.com', 'identitydevice', ''],
      ['enrol-alice@example.com', 'identity', 'device'],
      [...binding, ''],
      ['ENROL', 'alice@example.com', 'identity', 'device'],
      ['enrol', 'alice@example.com', 'iden tity', 'device'],
    ]) {
      assert.equal(await checkCode(webCrypto, commitment, 'ABCD-EFGH', other), false, other.join());
    }
  });
});

describe('the ticket of a PIN', () => {
  test('is the same however the PIN is typed, and another for another PIN', async () => {
    const pin = drawPin(webCrypto);
    const ticket = await pinTicket(webCrypto, pin);
    assert.equal(await pinTicket(webCrypto, pin.toLowerCase().replaceAll('-', '')), ticket);
    assert.notEqual(await pinTicket(webCrypto, drawPin(webCrypto)), ticket);
    assert.match(ticket, /^[A-Za-z0-9_-]{43}$/);
    assert.ok(!ticket.includes(pin.slice(0, 4)));
  });
});
