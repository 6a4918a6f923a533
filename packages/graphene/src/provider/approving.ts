/**
 * Approving a proposal on the chain, after the person has said yes. What is about to be sent counts as spent, and the
 * chain alone says what became of it: the line or the process may end before it is known.
 * @module
 */
import { buildTransaction, checkFees, NO_FEE, signTransaction } from '../build-transaction.ts';
import type { ChainPrivateKey } from '../keys.ts';
import type { OperationJson } from '../required-authorities.ts';
import { type Transaction, transactionId, transactionToJson } from '../transaction.ts';
import type { User } from './asked-for.ts';
import type { ProviderContext } from './context.ts';
import { ownKey } from './enrolment.ts';
import type { ProposalRow } from './store.ts';

/** How long the transaction that approves may take into a block, in seconds. */
const APPROVAL_LIFE = 120;
/** How much later no block with it can come to light any more, in seconds. */
const SETTLED_AFTER = 60;

export interface Approval {
  readonly transaction: Transaction;
  readonly key: ChainPrivateKey;
}

/** The transaction that approves a proposal, and the key that is to sign it. @throws as `checkFees` does */
export async function prepareApproval(
  context: ProviderContext,
  proposal: string,
  { signer_id }: User,
): Promise<Approval> {
  const { client, account: provider, maxFee } = context;
  const approve: OperationJson = [
    23,
    {
      fee: NO_FEE,
      fee_paying_account: provider.id,
      proposal,
      active_approvals_to_add: [signer_id],
      active_approvals_to_remove: [],
      owner_approvals_to_add: [],
      owner_approvals_to_remove: [],
      key_approvals_to_add: [],
      key_approvals_to_remove: [],
      extensions: [],
    },
  ];
  const transaction = await buildTransaction(client, [approve], APPROVAL_LIFE);
  await checkFees(client, transaction, maxFee);
  // The provider owns the account that approves, so that its own key speaks for both.
  return { transaction, key: await ownKey(context) };
}

/** Signs and sends; up to the new state nothing is waited for. @throws what sending throws, and the chain may have it all the same */
export async function sendApproval(
  { client, store }: ProviderContext,
  where: Pick<ProposalRow, 'proposal' | 'account'>,
  { transaction, key }: Approval,
): Promise<void> {
  const approving = { state: 'approving', approval_expires: transaction.expiration } as const;
  if (store.change('proposals', { ...where, state: 'asked' }, approving) === 0) return;
  const chain = await client.chain();
  const signed = signTransaction(transaction, key, chain);
  await client.broadcast(transactionToJson(signed), transactionId(transaction, chain));
  store.change('proposals', where, { state: 'approved', reason: null });
}

/**
 * What became of approvals that are being sent, or were when the line or the process ended. A proposal that is there no
 * more counts as approved, since it cannot be told from one that was executed by the approval.
 */
export async function resolveApprovals(
  { store, client, clock }: ProviderContext,
  account: string,
  signer: string,
): Promise<void> {
  const rows = store.all('proposals', { account, state: 'approving' });
  if (rows.length === 0) return;
  // Read before the proposals are: what is in a block by this time shows in them.
  const now = Math.min(clock.now(), (await client.head()).time);
  const proposals = await client.proposalsById(rows.map(({ proposal }) => proposal));
  for (const [place, { proposal, reason, approval_expires }] of rows.entries()) {
    const there = proposals[place];
    const where = { proposal, account, state: 'approving' } as const;
    if (there == null || there.available_active_approvals.includes(signer)) {
      store.change('proposals', where, { state: 'approved', reason: null });
    } else if (now > approval_expires! + SETTLED_AFTER) {
      const late = 'the approval did not reach a block in time';
      store.change('proposals', where, { state: 'refused', reason: reason ?? late });
    }
  }
}
