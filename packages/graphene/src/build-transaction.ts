/**
 * Making a transaction of operations: fees asked of the chain, a recent block named, a time to expire.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { formatAmount, parseAmount } from './amounts.ts';
import type { Chain } from './chain.ts';
import type { ChainClient } from './chain-client.ts';
import { type ChainPrivateKey, formatPublicKey } from './keys.ts';
import type { OperationJson } from './required-authorities.ts';
import { recoverKey, signDigest } from './signature.ts';
import {
  parseTransaction,
  type SignedTransaction,
  type Transaction,
  transactionDigest,
  transactionToJson,
} from './transaction.ts';

/** Long enough for a person to answer, in seconds; the chain allows a day. */
export const TRANSACTION_LIFE = 600;

/**
 * A transaction of operations whose fees are not filled in, nor those of what they propose. Its time counts from the chain's newest block.
 * @throws `transaction-invalid`, and what the chain client throws
 */
export async function buildTransaction(
  client: ChainClient,
  operations: readonly OperationJson[],
  life = TRANSACTION_LIFE,
): Promise<Transaction> {
  const [chain, head, paid] = [await client.chain(), await client.head(), await client.withFees(operations)];
  return parseTransaction(
    {
      ref_block_num: head.number & 0xffff,
      ref_block_prefix: prefixOf(head.id),
      expiration: new Date((head.time + life) * 1000).toISOString().slice(0, 19),
      operations: paid,
      extensions: [],
    },
    chain,
  );
}

/** A fee to be filled in: the chain asks for it to be there. */
export const NO_FEE = { amount: 0, asset_id: '1.3.0' } as const;

const CORE = '1.3.0';

/** What a transaction may cost where nobody is asked, of the core asset. */
export const MAX_FEE = '100';

/**
 * What the operations of a transaction cost, in the core asset’s smallest unit.
 * @throws `chain-answer-invalid` where it is more than may be paid unasked
 */
export async function checkFees(
  client: ChainClient,
  transaction: Transaction,
  maxFee = MAX_FEE,
): Promise<bigint> {
  const [core] = await client.assets([CORE]);
  const fees = operationsOf(transaction).map(
    ([, { fee }]) => fee as { amount: number | string; asset_id: string },
  );
  const total = fees.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  if (total <= parseAmount(maxFee, core!) && fees.every(({ asset_id }) => asset_id === CORE)) return total;
  throw new CountersignError(
    'chain-answer-invalid',
    `the chain asks a fee of ${formatAmount(total, core!)}, and ${maxFee} may be paid without asking`,
    { hint: 'if that is what this chain takes: --max-fee' },
  );
}

/** With one more signature. */
export function signTransaction<T extends Transaction>(
  transaction: T,
  key: ChainPrivateKey,
  chain: Chain,
): T & SignedTransaction {
  const { signatures = [] } = transaction as Partial<SignedTransaction>;
  return {
    ...transaction,
    signatures: [...signatures, signDigest(transactionDigest(transaction, chain), key)],
  };
}

/** The keys that signed, in the chain's text, one for each signature. @throws `signature-invalid` */
export function signersOf(transaction: SignedTransaction, chain: Chain): string[] {
  const digest = transactionDigest(transaction, chain);
  return transaction.signatures.map((one) => formatPublicKey(recoverKey(digest, one), chain.prefix));
}

/** A transaction's operations in the chain's JSON. */
export function operationsOf(transaction: Transaction): readonly OperationJson[] {
  return transactionToJson(transaction).operations as readonly OperationJson[];
}

/** Bytes 4 to 8 of a block's id, the lowest first. */
function prefixOf(blockId: string): number {
  return [14, 12, 10, 8].reduce((sum, at) => sum * 256 + Number.parseInt(blockId.slice(at, at + 2), 16), 0);
}
