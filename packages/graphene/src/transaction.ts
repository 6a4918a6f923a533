/**
 * Transactions: from the chain's JSON and from bytes, and back; what is signed, and what names them.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from './bytes.ts';
import type { Chain } from './chain.ts';
import { asObject, list, struct, type ValueOf } from './codec.ts';
import { noExtensions, time, uint16, uint32 } from './field-types.ts';
import { Malformed, refusing } from './malformed.ts';
import { type Operation, operation } from './operations.ts';
import { isSignatureText } from './signature.ts';

/** More than any transaction of a person has; a chain's own limit may be lower. */
export const MAX_TRANSACTION_BYTES = 65_536;
export const MAX_SIGNATURES = 64;

const operationList = list(operation);

const transaction = struct({
  ref_block_num: uint16,
  ref_block_prefix: uint32,
  /** Seconds since 1970. */
  expiration: time,
  operations: operationList,
  extensions: noExtensions,
});

export type Transaction = ValueOf<typeof transaction>;

/** Signatures are 65 bytes in hex, and no part of what they sign. */
export interface SignedTransaction extends Transaction {
  readonly signatures: readonly string[];
}

/**
 * A transaction from the chain's JSON. Every field must be known and in range; sets and maps are put into the
 * chain's order, in which they are signed.
 * @throws `transaction-invalid` naming the place
 */
export function parseTransaction(json: unknown, chain: Chain): Transaction {
  return refusing('transaction-invalid', () => bounded(transaction.parse(json, chain, 0), chain));
}

/**
 * A transaction with its signatures, of which there may be none.
 * @throws `transaction-invalid` naming the place
 */
export function parseSignedTransaction(json: unknown, chain: Chain): SignedTransaction {
  return refusing('transaction-invalid', () => {
    const { signatures = [], ...rest } = asObject(json);
    if (!Array.isArray(signatures)) throw new Malformed('a list is meant').under('signatures');
    if (signatures.length > MAX_SIGNATURES)
      throw new Malformed(`more than ${MAX_SIGNATURES}`).under('signatures');
    const checked = signatures.map((text, i) => {
      if (!isSignatureText(text)) throw new Malformed('65 bytes in hex are meant').under(`signatures[${i}]`);
      return text.toLowerCase();
    });
    return { ...bounded(transaction.parse(rest, chain, 0), chain), signatures: checked };
  });
}

/** The chain's JSON; signatures where there are some. */
export function transactionToJson(value: Transaction | SignedTransaction): Record<string, unknown> {
  const json = transaction.toJson(value) as Record<string, unknown>;
  return 'signatures' in value ? { ...json, signatures: [...value.signatures] } : json;
}

/** One operation from the chain's JSON, `[number, fields]`. @throws `transaction-invalid` */
export function parseOperation(json: unknown, chain: Chain): Operation {
  return refusing('transaction-invalid', () => operation.parse(json, chain, 0));
}

/** `[number, fields]`. */
export function operationToJson(value: Operation): unknown {
  return operation.toJson(value);
}

/** Operations alone, packed as they stand in a transaction: their number, then each. */
export function encodeOperations(operations: readonly Operation[], chain: Chain): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  operationList.write(out, operations, chain);
  return out.take();
}

/** The bytes that the chain packs, without signatures. */
export function encodeTransaction(value: Transaction, chain: Chain): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  transaction.write(out, value, chain);
  return out.take();
}

/**
 * A transaction from its bytes, without signatures; it packs to the same bytes again.
 * @throws `transaction-invalid` naming the place
 */
export function decodeTransaction(bytes: Uint8Array, chain: Chain): Transaction {
  return refusing('transaction-invalid', () => {
    if (bytes.length > MAX_TRANSACTION_BYTES) throw new Malformed(`more than ${MAX_TRANSACTION_BYTES} bytes`);
    const input = new ByteReader(bytes);
    const value = transaction.read(input, chain, 0);
    input.end();
    return value;
  });
}

/** What is signed: SHA-256 of the chain's id and the packed transaction. */
export function transactionDigest(value: Transaction, chain: Chain): Uint8Array {
  return packedDigest(encodeTransaction(value, chain), chain);
}

/** The same of bytes that are packed already. */
export function packedDigest(bytes: Uint8Array, chain: Chain): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(chain.id))
    throw new TypeError('the id of a chain is 64 hex digits in lower case');
  return sha256(concatBytes(hexToBytes(chain.id), bytes));
}

/** The transaction's id: 20 bytes in hex. It says nothing of the chain, nor of signatures. */
export function transactionId(value: Transaction, chain: Chain): string {
  return bytesToHex(sha256(encodeTransaction(value, chain)).subarray(0, 20));
}

function bounded(value: Transaction, chain: Chain): Transaction {
  if (encodeTransaction(value, chain).length > MAX_TRANSACTION_BYTES) {
    throw new Malformed(`more than ${MAX_TRANSACTION_BYTES} bytes`);
  }
  return value;
}
