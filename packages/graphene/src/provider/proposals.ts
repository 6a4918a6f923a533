/**
 * The other route: a proposal on the chain, for wallets that know nothing of providers. A provider looks for those
 * that need the accounts it signs for, asks the person, and approves on the chain. A proposal that no key or account
 * of the person's own has approved yet is a stranger's, and never reaches the device.
 * @module
 */
import { CountersignError, verifyReceipt } from '@countersign/core';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import type { Chain } from '../chain.ts';
import type { ChainAccount, ChainProposal } from '../chain-client.ts';
import { accountsBelow, type ChainFacts, factsOf } from '../chain-facts.ts';
import { type Explained, explainOperations } from '../explain.ts';
import type { Operation } from '../operations.ts';
import { judgePolicy, type Weighed } from '../policy.ts';
import { requiredBy, standingOf } from '../proposal-standing.ts';
import type { OperationJson } from '../required-authorities.ts';
import { encodeOperations, operationToJson, parseOperation } from '../transaction.ts';
import { prepareApproval, resolveApprovals, sendApproval } from './approving.ts';
import { needsProvider, type User } from './asked-for.ts';
import { follow, type ProviderContext } from './context.ts';
import { enrolled } from './enrolment.ts';
import { policyOf } from './policies.ts';
import { DIGEST_FIELD, type Shown, shown } from './question.ts';
import { keptOutflows, spentBy } from './spent.ts';
import type { ProposalRow } from './store.ts';
import { weighFor } from './weighing.ts';

/** The longest that a question may stand, in seconds. */
const MAX_QUESTION = 600;

const GONE = 'it was executed without the provider, was vetoed, or has expired';

/**
 * Looks once for proposals that wait for the provider, and asks about each; what waits no more is taken back from the
 * device.
 */
export async function lookForProposals(context: ProviderContext): Promise<void> {
  const { store, client, logger } = context;
  for (const user of store.all('users')) {
    if (user.signer === null) continue;
    const account = await client.account(user.account_id);
    const there = await client.proposals(account.id);
    const waiting: ChainProposal[] = [];
    for (const proposal of there) {
      // One that cannot be judged is none of the others' matter; asking about it says why.
      const isWaiting = waits(context, proposal, account, user.signer_id!).catch((error: unknown) => {
        if (error instanceof CountersignError && error.code === 'input-invalid') return true;
        throw error;
      });
      if (await isWaiting) waiting.push(proposal);
    }
    await resolveApprovals(context, user.account, user.signer_id!);
    await takeBack(context, user.account, there, waiting);
    for (const proposal of waiting) {
      if (store.one('proposals', { proposal: proposal.id, account: user.account }) !== undefined) continue;
      try {
        await ask(context, user.account, proposal);
      } catch (err) {
        logger.warn({ err, proposal: proposal.id }, 'a proposal could not be asked about');
      }
    }
  }
}

/** Whether the account has not spoken yet, and a member of its authority beside the provider has approved it. */
async function waits(
  { client }: ProviderContext,
  proposal: ChainProposal,
  { id, active }: ChainAccount,
  signer: string,
): Promise<boolean> {
  const { available_key_approvals: keys, available_active_approvals: accounts } = proposal;
  const members = active.account_auths.map(([member]) => member).filter((member) => member !== signer);
  const isOwn =
    proposal.required_active_approvals.includes(id) &&
    !accounts.includes(signer) &&
    (active.key_auths.some(([key]) => keys.includes(key)) ||
      members.some((member) => accounts.includes(member)));
  if (!isOwn) return false;
  const snapshot = await accountsBelow(client, requiredBy(proposal));
  return standingOf(proposal, snapshot).lacking.some(({ account }) => account === id);
}

/**
 * Questions about proposals that are gone, or need the provider no more. What was approved and is so no more is asked
 * about anew when it is approved anew.
 */
async function takeBack(
  context: ProviderContext,
  account: string,
  there: readonly ChainProposal[],
  waiting: readonly ChainProposal[],
): Promise<void> {
  const { store, enquirer, logger } = context;
  for (const { proposal, state, request } of store.all('proposals', { account })) {
    if (state === 'approving' || state === 'approved' || waiting.some(({ id }) => id === proposal)) continue;
    const isThere = there.some(({ id }) => id === proposal);
    if (state === 'asked') {
      // Between the row and its question.
      if (request === null) continue;
      try {
        await enquirer.cancel(request);
      } catch (err) {
        // It was answered meanwhile, and is decided by that; or it is tried again the next time.
        logger.info({ err, proposal }, 'a question was not taken back');
        continue;
      }
    }
    const where = { proposal, account, state };
    if (isThere) store.remove('proposals', where);
    else if (state === 'asked') store.change('proposals', where, { state: 'gone', reason: GONE });
  }
}

async function ask(context: ProviderContext, name: string, proposal: ChainProposal): Promise<void> {
  const { client, clock, store, enquirer } = context;
  const user = enrolled(context, name);
  const chain = await client.chain();
  const operations = operationsIn(proposal, chain);
  const json = operations.map((one) => operationToJson(one) as OperationJson);
  const facts = await factsOf(client, json);
  const described = explainOperations(operations, facts);
  const weighed = weighFor(context, json, facts, user, []);
  const question = await questionOf(context, user.account, proposal, { described, operations, chain });
  // From here to the new row nothing is waited for, as with a transaction.
  const reason = refusalOf(context, user, { proposal: proposal.id, json, facts, weighed }) ?? question.reason;
  const where = { proposal: proposal.id, account: name };
  const row: ProposalRow = {
    ...where,
    state: reason === undefined ? 'asked' : 'refused',
    reason: reason ?? null,
    request: null,
    outflows: keptOutflows(weighed.outflows),
    asked_at: clock.now(),
    approval_expires: null,
  };
  if (!store.add('proposals', row) || reason !== undefined) return;
  const lifetime = Math.min(MAX_QUESTION, secondsOf(proposal) - clock.now() - 10);
  try {
    const asked = await enquirer.ask({
      account: user.countersign,
      kind: 'payment',
      lifetime,
      text: question.parts,
      fields: question.fields,
    });
    if (asked.account.identity !== user.identity) {
      await enquirer.cancel(asked.hash).catch(() => {});
      throw new CountersignError(
        'account-changed',
        `${user.countersign} is not the account that was registered`,
      );
    }
    store.change('proposals', where, { request: asked.hash });
    followProposal(context, { ...row, request: asked.hash });
  } catch (error) {
    // Never asked is never decided: it is looked at again.
    store.remove('proposals', where);
    throw error;
  }
}

interface Judged {
  readonly proposal: string;
  /** What is in it. */
  readonly json: readonly OperationJson[];
  readonly facts: ChainFacts;
  readonly weighed: Weighed;
}

/** What the person is shown; where it does not fit, why. */
async function questionOf(
  { client }: ProviderContext,
  name: string,
  { id, proposer, expiration_time }: ChainProposal,
  { described, operations, chain }: { described: Explained[]; operations: Operation[]; chain: Chain },
): Promise<Shown & { readonly reason?: string }> {
  const by = proposer === undefined ? undefined : await client.account(proposer);
  try {
    return shown(`Approve a proposal for ${name}`, described, [
      { name: 'Proposal', value: `${id}, which ends ${expiration_time}Z` },
      { name: 'Proposed by', value: by === undefined ? 'not known' : `${by.name} (${by.id})` },
      { name: 'Chain', value: `${chain.prefix} ${chain.id}` },
      { name: DIGEST_FIELD, value: digestOf(operations, chain) },
    ]);
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { parts: [], fields: [], reason: `${error.code}: ${error.message}` };
  }
}

/** Why a proposal is not approved, whatever the person says. */
function refusalOf(
  context: ProviderContext,
  user: User,
  { proposal, json, facts, weighed }: Judged,
): string | undefined {
  const { store, clock } = context;
  const before = spentBy(store, user.account, proposal);
  const verdict = judgePolicy(policyOf(context, user.account), weighed, before, clock.now(), facts);
  if (!verdict.allowed) return `${verdict.rule}: ${verdict.message}`;
  // Approvers answer over a transaction's digest; a proposal has none that they could.
  if (verdict.needed > 0) {
    return 'approvers: the policy asks further people, who can answer to a transaction and to no proposal';
  }
  return needsProvider(context, json, facts)
    ? 'transaction-invalid: it acts for an account by which the provider signs'
    : undefined;
}

/** When it ends, in seconds since 1970. */
function secondsOf({ expiration_time }: ChainProposal): number {
  return Math.floor(Date.parse(`${expiration_time}Z`) / 1000);
}

/** Waits for the answer; also after a restart. */
export function followProposal(context: ProviderContext, row: ProposalRow): void {
  const { proposal, account } = row;
  if (row.request === null) {
    // Asked of nobody before the end.
    context.store.remove('proposals', { proposal, account });
    return;
  }
  follow(
    context,
    `proposal ${proposal} for ${account}`,
    () => decide(context, row),
    (error) => {
      const why = error instanceof CountersignError ? `${error.code}: ${error.message}` : 'internal';
      const { store } = context;
      store.change('proposals', { proposal, account, state: 'asked' }, { state: 'refused', reason: why });
      // Perhaps the chain has it all the same.
      store.change('proposals', { proposal, account, state: 'approving' }, { reason: why });
    },
  );
}

async function decide(
  context: ProviderContext,
  { proposal: id, account: name, request }: ProposalRow,
): Promise<void> {
  const { client, store, enquirer, crypto, stopping } = context;
  const where = { proposal: id, account: name };
  const user = enrolled(context, name);
  const { outcome } = await enquirer.wait(request!, stopping);
  if (outcome === 'cancelled-by-enquirer') {
    store.change('proposals', { ...where, state: 'asked' }, { state: 'gone', reason: GONE });
    return;
  }
  if (outcome !== 'accepted') {
    const reason = outcome === 'expired' ? 'nobody answered in time' : null;
    store.change('proposals', where, { state: 'rejected', reason });
    return;
  }
  const [proposal] = await client.proposalsById([id]);
  if (proposal === null) {
    store.change('proposals', where, { state: 'gone', reason: GONE });
    return;
  }
  const verified = await verifyReceipt(crypto, await enquirer.receipt(request!));
  const shown = verified.request.question.fields?.find((field) => field.name === DIGEST_FIELD)?.value;
  const chain = await client.chain();
  const same = proposal !== undefined && shown === digestOf(operationsIn(proposal, chain), chain);
  if (
    !same ||
    verified.account.identity !== user.identity ||
    verified.response.decision.decision !== 'accept'
  ) {
    throw new CountersignError('digest-mismatch', 'what was answered is not what would be approved');
  }
  const json = operationsIn(proposal, chain).map((one) => operationToJson(one) as OperationJson);
  const facts = await factsOf(client, json);
  const weighed = weighFor(context, json, facts, user, []);
  const approval = await prepareApproval(context, id, user);
  // From here to the new state nothing is waited for. A policy that was lowered since holds at once.
  const reason = refusalOf(context, user, { proposal: id, json, facts, weighed });
  if (reason !== undefined) {
    store.change('proposals', where, { state: 'refused', reason });
    return;
  }
  await sendApproval(context, where, approval);
}

function operationsIn({ proposed_transaction: { operations } }: ChainProposal, chain: Chain): Operation[] {
  return operations.map((one) => parseOperation(one, chain));
}

/** What a proposal does cannot change under its id; the answer is bound to it all the same. */
function digestOf(operations: readonly Operation[], chain: Chain): string {
  return bytesToHex(sha256(concatBytes(hexToBytes(chain.id), encodeOperations(operations, chain))));
}
