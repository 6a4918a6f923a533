/** What comes from outside is read as what was written, or refused by a code: never anything else. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatAccountLink,
  formatDeviceLink,
  parseAccountLink,
  parseDeviceLink,
} from '../src/account-link.ts';
import { verifyReceipt } from '../src/receipt.ts';
import { drawRecoveryCode, readRecoveryCode, recoveryCodeOf } from '../src/recovery-code.ts';
import { drawCode, drawPin, parseCode, parsePin } from '../src/secret-code.ts';
import { formatTreeLeaf, parseTreeLeaf } from '../src/tree-leaf.ts';
import { formatBundle, parseBundle } from '../src/tree-tiles.ts';
import { webCrypto } from '../src/webcrypto.ts';
import { refused } from './refused.ts';
import { RUNS } from './runs.ts';

const PLAIN = { noNullPrototype: true };
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hash = bytes(32).map((data) => Buffer.from(data).toString('base64url'));
const name = fc
  .tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/), fc.stringMatching(/^[a-z][a-z0-9]{0,10}\.[a-z]{2,5}$/))
  .map((parts) => parts.join('@'));
const link = fc.record(
  {
    name,
    identity: hash,
    broker: fc
      .integer({ min: 1, max: 65_535 })
      .map((port) => new URL(`https://broker.example:${port}`).origin),
  },
  PLAIN,
);
const head = fc.record({ seq: fc.nat(), hash }, PLAIN);

/** Texts that are near to a good one: a piece of it is taken out, and another put there. */
const nearTo = (good: fc.Arbitrary<string>) =>
  fc
    .tuple(good, fc.nat(200), fc.nat(5), fc.string({ unit: 'binary', maxLength: 6 }))
    .map(([text, at, less, more]) => {
      const from = at % (text.length + 1);
      return text.slice(0, from) + more + text.slice(from + less);
    });

/** What is given back is written as it was read, in the one way there is; all else is refused by a code. */
function readOrRefused<T>(read: () => T, again: (value: T) => unknown): void {
  let value: T;
  try {
    value = read();
  } catch (error) {
    refused()(error);
    return;
  }
  assert.deepEqual(again(value), value);
}

describe('links', () => {
  const device = fc
    .tuple(link, fc.constantFrom('admit' as const, 'knock' as const))
    .map(([account, use]) => ({ ...account, use, pin: drawPin(webCrypto) }));

  test('of accounts and of devices are read as they were written', () => {
    fc.assert(
      fc.property(link, (one) => assert.deepEqual(parseAccountLink(formatAccountLink(one)), one)),
      RUNS,
    );
    fc.assert(
      fc.property(device, (one) => assert.deepEqual(parseDeviceLink(formatDeviceLink(one)), one)),
      RUNS,
    );
  });

  test('that are near to one are one, or refused', () => {
    fc.assert(
      fc.property(nearTo(link.map(formatAccountLink)), (text) =>
        readOrRefused(
          () => parseAccountLink(text),
          (one) => parseAccountLink(formatAccountLink(one)),
        ),
      ),
      RUNS,
    );
    fc.assert(
      fc.property(nearTo(device.map(formatDeviceLink)), (text) =>
        readOrRefused(
          () => parseDeviceLink(text),
          (one) => parseDeviceLink(formatDeviceLink(one)),
        ),
      ),
      RUNS,
    );
  });
});

describe('codes that are typed', () => {
  for (const [what, draw, parse] of [
    ['a code', drawCode, parseCode],
    ['a PIN', drawPin, parsePin],
  ] as const) {
    test(`${what} is the same in any case and grouping; what is near to it is one, or refused`, () => {
      const drawn = fc.constant(undefined).map(() => draw(webCrypto));
      fc.assert(
        fc.property(drawn, (code) => {
          assert.equal(parse(code), code);
          assert.equal(parse(` ${code.toLowerCase().replaceAll('-', ' ')} `), code);
        }),
        RUNS,
      );
      fc.assert(
        fc.property(nearTo(drawn), (text) => readOrRefused(() => parse(text), parse)),
        RUNS,
      );
    });
  }

  test('a recovery code is the same in any case and grouping; with any one letter changed it is none', async () => {
    const letter = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567');
    await fc.assert(
      fc.asyncProperty(bytes(16), fc.nat(27), letter, async (secret, at, other) => {
        const code = await recoveryCodeOf(webCrypto, secret);
        assert.deepEqual(await readRecoveryCode(webCrypto, code.toLowerCase().replaceAll('-', '')), secret);
        const letters = code.replaceAll('-', '');
        // The check has 12 bits: another letter of the secret passes once in some 4096.
        const slip = letters.slice(0, at) + other + letters.slice(at + 1);
        if (slip === letters) return;
        const read = await readRecoveryCode(webCrypto, slip).catch(refused('recovery-invalid'));
        if (read !== true) assert.notDeepEqual(read, secret);
      }),
      RUNS,
    );
    const near = nearTo(fc.constant(await drawRecoveryCode(webCrypto)));
    await fc.assert(
      fc.asyncProperty(near, async (text) => {
        const read = await readRecoveryCode(webCrypto, text).catch(refused('recovery-invalid'));
        if (read !== true) assert.equal(read.length, 16);
      }),
      RUNS,
    );
  });
});

describe('leaves of the tree', () => {
  const logged = fc.record({ name, identity: hash, head }, PLAIN);

  test('are read as they were written, and have one text only', () => {
    fc.assert(
      fc.property(logged, (one) => assert.deepEqual(parseTreeLeaf(formatTreeLeaf(one)), one)),
      RUNS,
    );
    fc.assert(
      fc.property(nearTo(logged.map(formatTreeLeaf)), (text) => {
        const leaf = new TextEncoder().encode(text);
        let read: ReturnType<typeof parseTreeLeaf>;
        try {
          read = parseTreeLeaf(leaf);
        } catch (error) {
          refused('tree-invalid')(error);
          return;
        }
        assert.equal(formatTreeLeaf(read), text);
      }),
      RUNS,
    );
  });

  test('a mark of the order of bytes before one makes it none', () => {
    const leaf = formatTreeLeaf({
      name: 'alice@example.com',
      identity: 'A'.repeat(43),
      head: { seq: 0, hash: 'A'.repeat(43) },
    });
    parseTreeLeaf(new TextEncoder().encode(leaf));
    assert.throws(() => parseTreeLeaf(new TextEncoder().encode(`\uFEFF${leaf}`)), refused('tree-invalid'));
  });

  test('bundles of them are read as they were written; any bytes are one, or refused', () => {
    const leaves = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(leaves, (all) => assert.deepEqual(parseBundle(formatBundle(all)), all)),
      RUNS,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (bundle) => {
        try {
          assert.deepEqual(formatBundle(parseBundle(bundle)), bundle);
        } catch (error) {
          refused('tree-invalid')(error);
        }
      }),
      RUNS,
    );
  });
});

test('whatever is given as a receipt is refused by a code', async () => {
  const text = fc.string({ unit: 'binary' });
  const shaped = fc.record({
    countersign: fc.constant('receipt/1'),
    request: text,
    response: text,
    enquirer_log: fc.array(text),
    account_log: fc.array(text),
    checkpoint: fc.record({ statement: text, key: fc.anything() }),
  });
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.anything(), fc.jsonValue(), shaped), (input) =>
      assert.rejects(verifyReceipt(webCrypto, input), refused()),
    ),
    RUNS,
  );
});
