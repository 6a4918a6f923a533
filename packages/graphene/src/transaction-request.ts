/**
 * The Transaction Request Protocol: a link by which somebody asks a wallet to sign a transaction, and to apply it
 * or hand it back (spec/transaction-request.md). Who asks is an account of the chain, and signs what it asks.
 * @module
 */
import {
  BASE64URL_16_BYTES,
  CountersignError,
  decodeBase64url,
  describeIssue,
  lvCat,
} from '@countersign/core';
import { sha256 } from '@noble/hashes/sha2.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import {
  formatArgumentLink,
  formatCallback,
  isPage,
  parseArgumentLink,
  parseCallback,
} from './argument-link.ts';
import { AuthorityCheck, type Snapshot } from './authority.ts';
import type { Chain } from './chain.ts';
import { formatPublicKey } from './keys.ts';
import type { Operation } from './operations.ts';
import { isSignatureText, recoverKey } from './signature.ts';
import {
  encodeOperations,
  encodeTransaction,
  operationToJson,
  parseOperation,
  parseSignedTransaction,
  type SignedTransaction,
  transactionToJson,
} from './transaction.ts';

const LABEL = 'graphene-transaction-request-1';
/** A request may stand for so many seconds. */
export const MAX_REQUEST_LIFETIME = 30 * 86_400;
const MAX_OPERATIONS = 16;
const MAX_SIGNATURES = 10;

/** The chain's names of accounts: labels with dots between. */
export const ChainAccountName = v.pipe(
  v.string(),
  v.maxLength(63),
  v.regex(/^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z](?:[a-z0-9-]*[a-z0-9])?)*$/),
);
export const Signatures = v.pipe(
  v.array(v.custom<string>(isSignatureText, 'a signature')),
  v.minLength(1),
  v.maxLength(MAX_SIGNATURES),
);
export const Callback = v.pipe(v.string(), v.maxLength(512), v.check(isPage, 'an address to call back'));

const Arguments = v.strictObject({
  v: v.literal(1),
  id: v.pipe(v.string(), v.regex(BASE64URL_16_BYTES)),
  chain: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  by: ChainAccountName,
  account: ChainAccountName,
  operations: v.optional(v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(MAX_OPERATIONS))),
  transaction: v.optional(v.unknown()),
  apply: v.boolean(),
  callback: v.optional(Callback),
  expires: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4_102_444_800)),
  signatures: Signatures,
});

/** What is asked: operations that the wallet puts into a transaction of its own, or a whole transaction as it is. */
export type Asked =
  | { readonly kind: 'operations'; readonly operations: readonly Operation[] }
  | { readonly kind: 'transaction'; readonly transaction: SignedTransaction };

export interface TransactionRequest {
  /** 16 random bytes in base64url: the answer names it. */
  readonly id: string;
  /** Name of the account that asks. */
  readonly by: string;
  /** Name of the account that is asked to sign. */
  readonly account: string;
  readonly asked: Asked;
  /** The wallet sends the transaction to the chain; else it hands it back. */
  readonly apply: boolean;
  readonly callback?: string | undefined;
  /** Seconds since 1970. */
  readonly expires: number;
}

/** What whoever asks signs: 32 bytes. */
export function transactionRequestDigest(request: TransactionRequest, chain: Chain): Uint8Array {
  const { id, by, account, asked, apply, callback = '', expires } = request;
  const content =
    asked.kind === 'operations'
      ? encodeOperations(asked.operations, chain)
      : encodeTransaction(asked.transaction, chain);
  const signed = asked.kind === 'transaction' ? asked.transaction.signatures.join('') : '';
  return sha256(
    lvCat(
      LABEL,
      hexToBytes(chain.id),
      decodeBase64url(id),
      by,
      account,
      asked.kind,
      content,
      hexToBytes(signed),
      apply ? 'apply' : 'return',
      callback,
      String(expires),
    ),
  );
}

/**
 * The link that opens a wallet with a request.
 * @param page the wallet's page for requests, say `https://wallet.example/transaction`
 * @param signatures over the digest, by keys that speak for whoever asks
 * @throws `link-invalid` where it does not fit into a link
 */
export function formatTransactionRequest(
  page: string,
  request: TransactionRequest,
  signatures: readonly string[],
  chain: Chain,
): string {
  const { id, by, account, asked, apply, callback, expires } = request;
  return formatArgumentLink(page, {
    v: 1,
    id,
    chain: chain.id,
    by,
    account,
    ...(asked.kind === 'operations'
      ? { operations: asked.operations.map(operationToJson) }
      : { transaction: transactionToJson(asked.transaction) }),
    apply,
    ...(callback === undefined ? {} : { callback }),
    expires,
    signatures,
  });
}

export interface SignedRequest {
  readonly request: TransactionRequest;
  /** Keys, in the chain's text, by which it is signed: whose they are, `isByRequester` tells. */
  readonly signers: readonly string[];
}

/**
 * A request from its link. That it was not altered is known only after `isByRequester`.
 * @param now seconds since 1970
 * @throws `link-invalid`; `transaction-invalid`; `request-expired`; `request-lifetime`
 */
export function parseTransactionRequest(link: string, chain: Chain, now: number): SignedRequest {
  const parsed = v.safeParse(Arguments, parseArgumentLink(link));
  if (!parsed.success) {
    throw new CountersignError(
      'link-invalid',
      `no request for a transaction: ${describeIssue(parsed.issues)}`,
    );
  }
  const { operations, transaction, signatures, id, by, account, apply, callback, expires } = parsed.output;
  if (parsed.output.chain !== chain.id) {
    throw new CountersignError('link-invalid', `a request on another chain: ${parsed.output.chain}`);
  }
  if (expires < now) throw new CountersignError('request-expired', 'the request is out of its time');
  if (expires > now + MAX_REQUEST_LIFETIME) {
    throw new CountersignError('request-lifetime', 'a request may stand for 30 days');
  }
  const asked = askedOf(operations, transaction, chain);
  const request: TransactionRequest = { id, by, account, asked, apply, callback, expires };
  return { request, signers: signersOf(transactionRequestDigest(request, chain), signatures, chain) };
}

function askedOf(operations: unknown[] | undefined, transaction: unknown, chain: Chain): Asked {
  if ((operations === undefined) === (transaction === undefined)) {
    throw new CountersignError('link-invalid', 'operations or a transaction are meant, and not both');
  }
  return operations === undefined
    ? { kind: 'transaction', transaction: parseSignedTransaction(transaction, chain) }
    : { kind: 'operations', operations: operations.map((one) => parseOperation(one, chain)) };
}

/** @throws `link-invalid` where a signature is none, or two are by one key */
export function signersOf(digest: Uint8Array, signatures: readonly string[], chain: Chain): string[] {
  const keys = signatures.map((signature) => {
    try {
      return formatPublicKey(recoverKey(digest, signature), chain.prefix);
    } catch (cause) {
      throw new CountersignError('link-invalid', 'a signature in the link is none', { cause });
    }
  });
  if (new Set(keys).size !== keys.length) {
    throw new CountersignError('link-invalid', 'two signatures in the link are by one key');
  }
  return keys;
}

/**
 * Whether the keys that signed speak for an account by its active authority. In a link that was altered other keys
 * come out, which speak for nobody.
 * @param id of the account, `1.2.17`
 */
export function isByRequester(signers: readonly string[], id: string, snapshot: Snapshot): boolean {
  return new AuthorityCheck(snapshot, (key) => signers.includes(key)).active(id);
}

const Answer = v.variant('status', [
  v.strictObject({ v: v.literal(1), id: Arguments.entries.id, status: v.literal('refused') }),
  v.strictObject({
    v: v.literal(1),
    id: Arguments.entries.id,
    status: v.literal('applied'),
    transaction_id: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/)),
    block: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffffffff)),
    trx: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff)),
  }),
  v.strictObject({
    v: v.literal(1),
    id: Arguments.entries.id,
    status: v.literal('signed'),
    transaction: v.unknown(),
  }),
]);

/** What became of a request: where the chain has it, or the signed transaction, or that it was refused. */
export type TransactionAnswer =
  | { readonly id: string; readonly status: 'refused' }
  | {
      readonly id: string;
      readonly status: 'applied';
      readonly transactionId: string;
      readonly block: number;
      readonly trx: number;
    }
  | { readonly id: string; readonly status: 'signed'; readonly transaction: SignedTransaction };

/**
 * The address by which the wallet brings the answer back; `block` and `trx` also stand in clear, as in the
 * Wallet Merchant Protocol.
 * @throws `link-invalid` where it does not fit into a link
 */
export function formatTransactionAnswer(callback: string, answer: TransactionAnswer): string {
  const { id, status } = answer;
  switch (status) {
    case 'refused':
      return formatCallback(callback, { v: 1, id, status });
    case 'signed':
      return formatCallback(callback, {
        v: 1,
        id,
        status,
        transaction: transactionToJson(answer.transaction),
      });
    case 'applied': {
      const { block, trx, transactionId } = answer;
      const said = { v: 1, id, status, transaction_id: transactionId, block, trx };
      return formatCallback(callback, said, { block, trx });
    }
  }
}

/**
 * An answer from the address that the callback was called by. It is nobody's word: that a transaction is on the
 * chain, the chain tells; that signatures are good, they themselves.
 * @throws `link-invalid`; `transaction-invalid`; `request-mismatch` where it answers another request, or another
 * transaction than was asked for
 */
export function parseTransactionAnswer(
  address: string,
  { id, asked }: Pick<TransactionRequest, 'id' | 'asked'>,
  chain: Chain,
): TransactionAnswer {
  const parsed = v.safeParse(Answer, parseCallback(address));
  if (!parsed.success) {
    throw new CountersignError('link-invalid', `no answer to a request: ${describeIssue(parsed.issues)}`);
  }
  const answer = parsed.output;
  if (answer.id !== id) throw new CountersignError('request-mismatch', 'an answer to another request');
  switch (answer.status) {
    case 'refused':
      return { id, status: answer.status };
    case 'applied': {
      const { status, transaction_id, block, trx } = answer;
      return { id, status, transactionId: transaction_id, block, trx };
    }
    case 'signed': {
      const transaction = parseSignedTransaction(answer.transaction, chain);
      if (!isAsked(transaction, asked, chain)) {
        throw new CountersignError('request-mismatch', 'another transaction than was asked for');
      }
      return { id, status: answer.status, transaction };
    }
  }
}

/** Whether a transaction is the one that was asked for: where operations were, all of them but for their fees. */
export function isAsked(transaction: SignedTransaction, asked: Asked, chain: Chain): boolean {
  const same = (a: Uint8Array, b: Uint8Array) =>
    a.length === b.length && a.every((byte, place) => byte === b[place]);
  if (asked.kind === 'transaction') {
    return same(encodeTransaction(transaction, chain), encodeTransaction(asked.transaction, chain));
  }
  const [there, meant] = [transaction.operations, asked.operations].map((operations) =>
    encodeOperations(operations.map(withoutFee), chain),
  );
  return same(there!, meant!);
}

function withoutFee(operation: Operation): Operation {
  const value = { ...operation.value, fee: { amount: 0n, asset_id: '1.3.0' } };
  return { name: operation.name, value } as Operation;
}
