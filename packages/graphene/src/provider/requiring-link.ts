/**
 * Step 4, the automatic way: a link by the Transaction Request Protocol that asks a person's wallet to require the
 * provider, signed by the provider's own account.
 * @module
 */
import { encodeBase64url } from '@countersign/core';
import { withProvider } from '../account-change.ts';
import { signDigest } from '../signature.ts';
import { parseOperation } from '../transaction.ts';
import {
  formatTransactionRequest,
  type TransactionRequest,
  transactionRequestDigest,
} from '../transaction-request.ts';
import type { ProviderContext } from './context.ts';
import { ownKey } from './enrolment.ts';
import type { UserRow } from './store.ts';

/** Long enough to be opened from a mail, in seconds. */
const LIFE = 86_400;

/** @param page the wallet's page for requests */
export async function requiringLink(
  context: ProviderContext,
  user: UserRow & { readonly signer_id: string },
  page: string,
): Promise<string> {
  const { client, crypto, clock, account } = context;
  const chain = await client.chain();
  const operation = parseOperation(
    withProvider(await client.account(user.account_id), user.signer_id),
    chain,
  );
  const request: TransactionRequest = {
    id: encodeBase64url(crypto.randomBytes(16)),
    by: account.name,
    account: user.account,
    asked: { kind: 'operations', operations: [operation] },
    apply: true,
    expires: clock.now() + LIFE,
  };
  const signature = signDigest(transactionRequestDigest(request, chain), await ownKey(context));
  return formatTransactionRequest(page, request, [signature], chain);
}
