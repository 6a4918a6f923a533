import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { sha256 } from '@noble/hashes/sha2.js';
import { base58 } from '@scure/base';
import fc from 'fast-check';
import { refused } from '../../core/test/refused.ts';
import { RUNS } from '../../core/test/runs.ts';
import {
  decodeArguments,
  encodeArguments,
  formatArgumentLink,
  formatCallback,
  isPage,
  MAX_ARGUMENTS,
  MAX_LINK,
  parseArgumentLink,
  parseCallback,
} from '../src/argument-link.ts';

const invalid = refused('link-invalid');

describe('arguments of a link', () => {
  test('come back as they went in', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        assert.deepEqual(decodeArguments(encodeArguments(value)), JSON.parse(JSON.stringify(value)));
      }),
      RUNS,
    );
  });

  test('are the LZMA that other readers and writers have', (t) => {
    const program = [
      'import sys, lzma',
      'read = lzma.decompress(bytes.fromhex(sys.argv[1]), format=lzma.FORMAT_ALONE)',
      'print(read.hex())',
    ].join('\n');
    const value = { to: 'bob', memo: 'für die Miete', items: [1, 2, 3] };
    const packed = Buffer.from(base58.decode(encodeArguments(value))).toString('hex');
    const python = spawnSync('python3', ['-c', program, packed], { encoding: 'utf8' });
    if (python.error !== undefined) return t.skip('no Python here');
    assert.equal(python.status, 0, python.stderr);
    assert.deepEqual(JSON.parse(Buffer.from(python.stdout.trim(), 'hex').toString()), value);
  });

  test('of the invoice in the chain’s documents take about as much room as it says there', () => {
    const invoice = {
      to: 'merchant_account_name',
      to_label: 'Merchant Name',
      currency: 'CORE',
      memo: 'Invoice #1234',
      line_items: [
        { label: 'Something to Buy', quantity: 1, price: '1000.00 SYMBOL' },
        { label: '10 things to Buy', quantity: 10, price: '1000.00 SYMBOL' },
        { label: 'User Specified Price', quantity: 1, price: 'CUSTOM SYMBOL' },
        { label: 'User Asset and Price', quantity: 1, price: 'CUSTOM' },
      ],
      note: 'Something the merchant wants to say to the user',
      callback: 'https://merchant.org/complete',
    };
    assert.ok(encodeArguments(invoice).length < 450);
  });

  test('that are damaged, too large, or say that they are, are refused', () => {
    const good = encodeArguments({ a: 1 });
    const bytes = base58.decode(good);
    const sized = (size: bigint) => {
      const changed = Uint8Array.from(bytes);
      new DataView(changed.buffer).setBigUint64(5, size, true);
      return base58.encode(changed);
    };
    const rest = bytes.subarray(1);
    const properties = [0, 0x5e, 0xe0, 0xff].map((byte) => base58.encode(Uint8Array.of(byte, ...rest)));
    const bad = [
      '',
      '1',
      good.slice(0, 10),
      `0${good}`,
      ...properties,
      sized(0n),
      sized(8n),
      sized(2n ** 64n - 1n),
    ];
    for (const text of [...bad, sized(BigInt(MAX_ARGUMENTS) + 1n), 'z'.repeat(MAX_LINK + 1)]) {
      assert.throws(() => decodeArguments(text), invalid, text.slice(0, 40));
    }
    assert.throws(() => encodeArguments('x'.repeat(MAX_ARGUMENTS)), invalid);
  });

  test('whatever bytes they are, are read or refused, and never hold more than they may', () => {
    const size = new Uint8Array(8);
    new DataView(size.buffer).setBigUint64(0, BigInt(MAX_ARGUMENTS), true);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.uint8Array({ maxLength: 200 }),
        (start, rest) => {
          try {
            decodeArguments(base58.encode(Uint8Array.of(0x5d, ...start, ...size, ...rest)));
          } catch (error) {
            invalid(error);
          }
        },
      ),
      { numRuns: RUNS.numRuns },
    );
  });
});

describe('a link', () => {
  test('has its arguments behind the mark, where no server sees them', () => {
    const link = formatArgumentLink('https://wallet.example/login', { a: 1 });
    assert.match(link, /^https:\/\/wallet\.example\/login#[1-9A-HJ-NP-Za-km-z]+$/);
    assert.deepEqual(parseArgumentLink(link), { a: 1 });
    assert.deepEqual(parseArgumentLink(link.slice(link.indexOf('#') + 1)), { a: 1 });
  });

  test('longer than 2048 bytes is not made', () => {
    const noise = Array.from({ length: 60 }, (_, i) => base58.encode(sha256(Uint8Array.of(i)))).join('');
    assert.throws(() => formatArgumentLink('https://wallet.example/login', { noise }), invalid);
  });

  test('goes to pages of https, or of this machine', () => {
    for (const page of [
      'https://w.example/',
      'https://w.example/a?b=c',
      'http://127.0.0.1:8080/x',
      'http://localhost/',
    ]) {
      assert.ok(isPage(page), page);
    }
    const bad = [
      'http://w.example/',
      'javascript:alert(1)',
      'https://u:p@w.example/',
      'https://w.example/#x',
      'https://W.example/',
    ];
    for (const page of [
      ...bad,
      'https://w.example',
      '//w.example/',
      'data:text/html,x',
      '',
      'https://w.example/#',
    ]) {
      assert.ok(!isPage(page), page);
    }
  });

  test('back to who asked keeps the parameters that it had', () => {
    const back = formatCallback('https://shop.example/done?order=7', { ok: true }, { block: 5, trx: 1 });
    const { searchParams } = new URL(back);
    assert.deepEqual(
      [searchParams.get('order'), searchParams.get('block'), searchParams.get('trx')],
      ['7', '5', '1'],
    );
    assert.deepEqual(parseCallback(back), { ok: true });
    assert.throws(() => parseCallback(`${back}&a=x`), invalid);
    assert.throws(() => parseCallback('https://shop.example/done'), invalid);
  });
});
