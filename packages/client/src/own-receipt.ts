/**
 * Receipts of answers that were given here: a page loads this when one is wanted.
 * @module
 */
import { CountersignError, type Receipt, verifyReceipt } from '@countersign/core';
import type { Session } from './session.ts';

/**
 * A receipt from the broker's parts and our plaintexts; verified before it is handed out.
 * @throws `receipt-invalid`, and what verifying it throws
 */
export async function completeReceipt(
  { api, crypto }: Session,
  hash: string,
  request: string | undefined,
  response: string | undefined,
): Promise<Receipt> {
  const parts = await api.readReceipt(hash);
  const receipt: Receipt = {
    countersign: 'receipt/1',
    ...parts,
    ...(request === undefined || response === undefined ? {} : { disclosed: { request, response } }),
  };
  const verified = await verifyReceipt(crypto, receipt);
  if (verified.request.statement.hash !== hash) {
    throw new CountersignError('receipt-invalid', 'the broker gave the receipt of another request');
  }
  return receipt;
}
