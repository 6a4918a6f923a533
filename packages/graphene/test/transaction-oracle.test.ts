import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RUNS } from '../../core/test/runs.ts';
import { ByteWriter } from '../src/bytes.ts';
import { BITSHARES } from '../src/chain.ts';
import { historicOperation, OPERATIONS, type OperationName } from '../src/operations.ts';
import {
  decodeTransaction,
  encodeTransaction,
  parseTransaction,
  transactionToJson,
} from '../src/transaction.ts';
import { BEYOND_ORACLE, oracleBytes, oracleReads, oracleRoundTrip, oracleTaste } from './oracle.ts';
import { randomOperationOf, randomTransaction } from './random-json.ts';

const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => !BEYOND_ORACLE.has(name));
const [virtual, real] = [true, false].map((is) =>
  names.filter((name) => 'virtual' in OPERATIONS[name] === is),
);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

const parsedEmpty = {
  ref_block_num: 0,
  ref_block_prefix: 0,
  expiration: '1970-01-01T00:00:00',
  extensions: [],
};
/** Of that, with one operation. */
const HEADER = `${'00'.repeat(10)}01`;

describe('random transactions agree to the byte with bitsharesjs', () => {
  for (const name of real!) {
    test(name, () => {
      const operations = fc.array(randomOperationOf(name, oracleTaste(name)), { minLength: 1, maxLength: 3 });
      fc.assert(
        fc.property(randomTransaction(operations), (json) => {
          const ours = encodeTransaction(parseTransaction(json, BITSHARES), BITSHARES);
          assert.equal(hex(ours), hex(oracleBytes(json)));
          assert.deepEqual(
            parseTransaction(transactionToJson(decodeTransaction(ours, BITSHARES)), BITSHARES),
            parseTransaction(json, BITSHARES),
          );
          assert.deepEqual(decodeTransaction(ours, BITSHARES), parseTransaction(json, BITSHARES));
          if (oracleReads(json)) assert.equal(hex(oracleRoundTrip(ours)), hex(ours));
        }),
        RUNS,
      );
    });
  }
});

describe('random operations of the chain itself agree to the byte with bitsharesjs', () => {
  for (const name of virtual!) {
    test(name, () => {
      fc.assert(
        fc.property(randomOperationOf(name, oracleTaste(name)), (json) => {
          const around = { ...parsedEmpty, operations: [json] };
          const out = new ByteWriter();
          historicOperation.write(out, historicOperation.parse(json, BITSHARES, 0), BITSHARES);
          assert.equal(`${HEADER}${hex(out.take())}00`, hex(oracleBytes(around)));
          assert.throws(() => parseTransaction(around, BITSHARES), /only the chain itself makes/);
        }),
        RUNS,
      );
    });
  }
});
