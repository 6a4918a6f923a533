/**
 * Proposals of the small chain: operations that wait on the chain for their approvals, and are done once.
 * @module
 */
import { type OperationJson, requiredAuthorities } from '../../src/required-authorities.ts';
import { naiveVerdict } from '../naive-authority.ts';
import { ChainError, check } from './chain-error.ts';
import { applyOperation, type Moment } from './operations.ts';
import { copyOf, type ProposalObject, type State, secondsOf, timeText } from './state.ts';

const MAX_LIFETIME = 28 * 86_400;

type Fields = OperationJson[1];

export function createProposal(state: State, fields: Fields, { now }: Moment): string {
  const { fee_paying_account, proposed_ops, expiration_time, review_period_seconds } = fields as unknown as {
    fee_paying_account: string;
    proposed_ops: readonly { op: OperationJson }[];
    expiration_time: string;
    review_period_seconds?: number;
  };
  const expires = secondsOf(expiration_time);
  check(proposed_ops.length > 0, 'a proposal of nothing');
  check(expires > now, 'Proposal has already expired on creation.');
  check(expires <= now + MAX_LIFETIME, 'Proposal expiration time is too far in the future.');
  if (review_period_seconds !== undefined) {
    check(
      review_period_seconds < expires - now,
      'Proposal review period must be less than its overall lifetime.',
    );
  }
  const operations = proposed_ops.map(({ op }) => op);
  const { active, owner } = requiredAuthorities(operations);
  const id = `1.10.${state.nextProposal++}`;
  state.proposals.set(id, {
    id,
    proposer: fee_paying_account,
    expiration_time,
    ...(review_period_seconds === undefined
      ? {}
      : { review_period_time: timeText(expires - review_period_seconds) }),
    proposed_transaction: { expiration: expiration_time, operations },
    required_active_approvals: active,
    required_owner_approvals: owner,
    available_active_approvals: [],
    available_owner_approvals: [],
    available_key_approvals: [],
  });
  return id;
}

export function updateProposal(state: State, fields: Fields, moment: Moment): undefined {
  const proposal = proposalOf(state, fields.proposal);
  const list = (name: string) => (fields[name] ?? []) as readonly string[];
  const reviewed =
    proposal.review_period_time !== undefined && moment.now >= secondsOf(proposal.review_period_time);
  if (reviewed) {
    const added = ['active', 'owner', 'key'].flatMap((kind) => list(`${kind}_approvals_to_add`));
    check(added.length === 0, 'This proposal is in its review period. No new approvals may be added.');
  }
  const changed = (available: readonly string[], kind: string) => {
    for (const one of list(`${kind}_approvals_to_remove`))
      check(available.includes(one), `no such approval: ${one}`);
    const kept = available.filter((one) => !list(`${kind}_approvals_to_remove`).includes(one));
    return [...new Set([...kept, ...list(`${kind}_approvals_to_add`)])];
  };
  state.proposals.set(proposal.id, {
    ...proposal,
    available_active_approvals: changed(proposal.available_active_approvals, 'active'),
    available_owner_approvals: changed(proposal.available_owner_approvals, 'owner'),
    available_key_approvals: changed(proposal.available_key_approvals, 'key'),
  });
  if (proposal.review_period_time === undefined) execute(state, proposal.id, moment);
}

/** A veto, by any one of those whose approval is required. */
export function deleteProposal(state: State, fields: Fields): undefined {
  const proposal = proposalOf(state, fields.proposal);
  const required =
    fields.using_owner_authority === true
      ? proposal.required_owner_approvals
      : proposal.required_active_approvals;
  check(
    required.includes(String(fields.fee_paying_account)),
    'Provided authority is not authoritative for this proposal.',
  );
  state.proposals.delete(proposal.id);
}

/** Proposals whose time has come: done, where they are approved by then, and gone in any case. */
export function expireProposals(state: State, moment: Moment): void {
  for (const { id, expiration_time } of [...state.proposals.values()]) {
    if (secondsOf(expiration_time) > moment.now) continue;
    execute(state, id, moment);
    state.proposals.delete(id);
  }
}

function proposalOf(state: State, id: unknown): ProposalObject {
  const proposal = state.proposals.get(String(id));
  check(proposal, `Unable to find Object ${id}`);
  return proposal;
}

/** Does a proposal, if it is approved. One that fails stays, and is tried once more when its time is over. */
function execute(state: State, id: string, moment: Moment): void {
  const proposal = proposalOf(state, id);
  const { operations } = proposal.proposed_transaction;
  const verdict = naiveVerdict(
    requiredAuthorities(operations),
    proposal.available_key_approvals,
    state.accounts,
    {},
    { active: proposal.available_active_approvals, owner: proposal.available_owner_approvals },
  );
  if (verdict !== 'valid') return;
  const after = copyOf(state);
  after.proposals.delete(id);
  try {
    for (const operation of operations) applyOperation(after, operation, moment);
    Object.assign(state, after);
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    state.proposals.set(id, { ...proposal, fail_reason: error.message });
  }
}
