/**
 * Signing what was answered, and nothing else. A transaction may need several accounts that are served here: their
 * signatures are made at once, when the last of them has said yes, so that none is there where one says no or is
 * late.
 * @module
 */
import { CountersignError, type Receipt, verifyReceipt } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import { operationsOf, signTransaction } from '../build-transaction.ts';
import type { ChainAccount } from '../chain-client.ts';
import { factsOf } from '../chain-facts.ts';
import type { ChainPrivateKey } from '../keys.ts';
import { judgePolicy } from '../policy.ts';
import { signerFlaw } from '../signer-account.ts';
import { parseSignedTransaction, type SignedTransaction, transactionDigest } from '../transaction.ts';
import type { Requests } from './answers.ts';
import { isBound } from './approvers.ts';
import { isLate, type User } from './asked-for.ts';
import type { ProviderContext } from './context.ts';
import { enrolled } from './enrolment.ts';
import { policyOf } from './policies.ts';
import { DIGEST_FIELD } from './question.ts';
import { spentBy } from './spent.ts';
import type { TransactionRow } from './store.ts';
import { weighFor } from './weighing.ts';

export type Signing =
  /** Somebody has not said yes yet. */
  | { readonly outcome: 'waits' }
  | { readonly outcome: 'signed' }
  | { readonly outcome: 'refused' | 'expired'; readonly account: string; readonly reason: string };

/**
 * Signs for every account that a transaction waits for, if all of them have said yes.
 * @throws `digest-mismatch` where what was answered is not what would be signed
 */
export async function signTogether(context: ProviderContext, digest: string): Promise<Signing> {
  const { store, clock } = context;
  const rows = store.all('transactions', { digest });
  if (!allAccepted(rows)) return { outcome: rows.some(isSigned) ? 'signed' : 'waits' };
  const made: { row: TransactionRow; signatures: string; receipts: string }[] = [];
  for (const row of rows) {
    const done = await signFor(context, row);
    if ('outcome' in done) return done;
    made.push({ row, ...done });
  }
  // One write for all: whoever takes their word back before it takes it back for everybody.
  const written = store.atomically(() => {
    if (!allAccepted(store.all('transactions', { digest }))) return false;
    for (const { row, signatures, receipts } of made) {
      const change = { state: 'signed', signatures, receipts, settled_at: clock.now() } as const;
      store.change('transactions', { digest, account: row.account }, change);
    }
    return true;
  });
  if (!written) return { outcome: store.all('transactions', { digest }).some(isSigned) ? 'signed' : 'waits' };
  context.changes.tell(digest);
  return { outcome: 'signed' };
}

/** Accounts whose yes a transaction still waits for. */
export function missingFrom(rows: readonly TransactionRow[]): string[] {
  const together = new Set(rows.flatMap((row) => [row.account, ...(JSON.parse(row.together) as string[])]));
  const said = rows.filter(({ state }) => state === 'accepted' || state === 'signed');
  return [...together].filter((name) => !said.some(({ account }) => account === name));
}

export function allAccepted(rows: readonly TransactionRow[]): boolean {
  return rows.length > 0 && rows.every(({ state }) => state === 'accepted') && missingFrom(rows).length === 0;
}

function isSigned({ state }: TransactionRow): boolean {
  return state === 'signed';
}

async function signFor(
  context: ProviderContext,
  row: TransactionRow,
): Promise<Exclude<Signing, { outcome: 'waits' | 'signed' }> | { signatures: string; receipts: string }> {
  const { client } = context;
  const user = enrolled(context, row.account);
  const chain = await client.chain();
  const transaction = parseSignedTransaction(JSON.parse(row.transaction_json), chain);
  if (bytesToHex(transactionDigest(transaction, chain)) !== row.digest) throw mismatch();
  const requests = JSON.parse(row.requests) as Requests;
  const receipts = await receiptsOf(context, row.digest, user, requests.accepted ?? []);
  if (await isLate(context, transaction.expiration)) {
    return { outcome: 'expired', account: row.account, reason: 'expired' };
  }
  const facts = await factsOf(client, operationsOf(transaction));
  const refusal = policyRefusal(context, row, transaction, user, facts, requests);
  if (refusal !== undefined) return { outcome: 'refused', account: row.account, reason: refusal };
  const key = await keyOf(context, user, facts.accounts.get(user.signer_id));
  const { signatures } = signTransaction({ ...transaction, signatures: [] }, key, chain);
  return { signatures: JSON.stringify(signatures), receipts: JSON.stringify(receipts) };
}

/**
 * The key by which is signed for somebody.
 * @throws `cosign-not-enrolled` where it is not kept here, `cosign-conflict` where others sign by the account too
 */
export async function keyOf(
  { vault, account }: ProviderContext,
  user: User,
  signer: ChainAccount | undefined,
): Promise<ChainPrivateKey> {
  const flaw = signer && signerFlaw(signer, account.id);
  if (flaw !== undefined) throw new CountersignError('cosign-conflict', `${user.signer} ${flaw}`);
  const held = vault.holds(user.signer, signer?.active.key_auths.map(([one]) => one) ?? []);
  if (held !== undefined) return vault.key(user.signer, held);
  throw new CountersignError('cosign-not-enrolled', `no key of ${user.signer} is kept here`);
}

/** Receipts of the answers, each of which says yes to exactly this digest. */
export async function receiptsOf(
  context: ProviderContext,
  digest: string,
  user: User,
  hashes: readonly string[],
): Promise<Receipt[]> {
  const { enquirer, crypto } = context;
  const receipts: Receipt[] = [];
  for (const [place, hash] of hashes.entries()) {
    const receipt = await enquirer.receipt(hash);
    const { request, response, account } = await verifyReceipt(crypto, receipt);
    const shown = request.question.fields?.filter(({ name }) => name === DIGEST_FIELD) ?? [];
    const theirs = place > 0 ? await isBound(context, account) : account.identity === user.identity;
    if (
      shown.length !== 1 ||
      shown[0]!.value !== digest ||
      !theirs ||
      response.decision.decision !== 'accept'
    ) {
      throw mismatch();
    }
    receipts.push(receipt);
  }
  if (receipts.length === 0) throw mismatch();
  return receipts;
}

/** A policy that has changed since it was asked is held against it once more: what lowers holds at once. */
function policyRefusal(
  context: ProviderContext,
  row: TransactionRow,
  transaction: SignedTransaction,
  user: User,
  facts: Awaited<ReturnType<typeof factsOf>>,
  { accounts, needed }: Requests,
): string | undefined {
  const policy = policyOf(context, row.account);
  if (policy.version === row.policy_version) return undefined;
  const together = JSON.parse(row.together) as string[];
  const weighed = weighFor(context, operationsOf(transaction), facts, user, together);
  const before = spentBy(context.store, row.account, row.digest);
  const verdict = judgePolicy(policy, weighed, before, context.clock.now(), facts);
  if (!verdict.allowed) return `${verdict.rule}: ${verdict.message}`;
  const same = needed >= verdict.needed && accounts.every((one) => verdict.approvers.includes(one));
  if (verdict.needed === 0 || same) return undefined;
  return `approvers: version ${policy.version} of the policy asks others than were asked`;
}

export function mismatch(): CountersignError {
  return new CountersignError('digest-mismatch', 'what was answered is not what would be signed');
}
