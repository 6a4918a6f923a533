/**
 * A transaction as the person sees it on the device, before anything is signed: every operation, with names in the
 * place of ids, and the digest that the signature will be over. What does not fit is refused, never cut.
 * @module
 */
import { CountersignError, checkFields, checkParts, type Field, type Part } from '@countersign/core';
import type { Chain } from '../chain.ts';
import { type Explained, explainOperations } from '../explain.ts';
import type { Facts } from '../explain-facts.ts';
import { memoReader } from '../memo.ts';
import type { Transaction } from '../transaction.ts';

export const DIGEST_FIELD = 'Digest';

export interface Shown {
  readonly parts: readonly Part[];
  readonly fields: readonly Field[];
}

/**
 * @param memoSecrets what pairs of memo keys share, in hex, as the wallet hands it over so that memos can be read
 * @throws `memo-mismatch` where one of them opens no memo of the transaction; `transaction-invalid`;
 *   `text-too-long` where it does not fit
 */
export function questionOf(
  transaction: Transaction,
  digest: string,
  {
    account,
    chain,
    facts,
    memoSecrets = [],
  }: { account: string; chain: Chain; facts: Facts; memoSecrets?: readonly string[] },
): Shown {
  const unused = new Set(memoSecrets);
  const readMemo = memoReader(memoSecrets, (secret) => unused.delete(secret));
  const described = explainOperations(transaction.operations, { ...facts, readMemo });
  if (unused.size > 0) {
    throw new CountersignError('memo-mismatch', 'what was handed over opens no memo of this transaction');
  }
  const expires = `${new Date(transaction.expiration * 1000).toISOString().slice(0, 19)}Z`;
  return shown(`Sign for ${account}`, described, [
    { name: 'Expires', value: expires },
    { name: 'Chain', value: `${chain.prefix} ${chain.id}` },
    { name: DIGEST_FIELD, value: digest },
  ]);
}

/** @throws `text-too-long` where it does not fit */
export function shown(title: string, described: readonly Explained[], more: readonly Field[]): Shown {
  const parts = [
    { type: 'h1' as const, text: title },
    ...described.map(({ title: text }) => ({ type: 'p' as const, text })),
  ];
  const fields = described.flatMap(({ lines }, place) =>
    lines.map((line) => (described.length === 1 ? line : { ...line, name: `${place + 1}. ${line.name}` })),
  );
  const all = { parts, fields: [...fields, ...more] };
  try {
    checkParts(all.parts);
    checkFields(all.fields);
  } catch (cause) {
    const why = (cause as Error).message;
    throw new CountersignError(
      'text-too-long',
      `it does not fit what a device shows in one question: ${why}`,
      {
        cause,
        hint: 'make several transactions of it; up to 15 plain transfers fit one',
      },
    );
  }
  return all;
}
