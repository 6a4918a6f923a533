/**
 * Whose authority each operation needs: the active one of whoever pays its fee, and for some operations more.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { type Authority, COMMITTEE_ACCOUNT } from './authority.ts';

/** An operation in the chain's JSON. */
export type OperationJson = readonly [kind: number, fields: Readonly<Record<string, unknown>>];

export interface RequiredAuthorities {
  /** Ids of accounts, in the order in which the chain asks them. */
  readonly active: readonly string[];
  readonly owner: readonly string[];
  readonly other: readonly Authority[];
}

/** Where each operation says who pays, by its number; `-` where nobody may send it, `@` where an id is fixed. */
const PAYERS: readonly string[] = (
  'from seller fee_paying_account funding_account - registrar account authorizing_account account_to_upgrade ' +
  'account_id issuer issuer issuer issuer issuer payer from_account account issuer publisher ' +
  'witness_account witness_account fee_paying_account fee_paying_account fee_paying_account ' +
  'withdraw_from_account withdraw_from_account withdraw_to_account withdraw_from_account ' +
  'committee_member_account committee_member_account @1.2.0 creator owner owner payer fee_paying_account ' +
  'deposit_to_account issuer from @1.2.4 @1.2.4 - issuer - bidder - issuer issuer ' +
  'from redeemer - update_issuer - account account account account account ' +
  'account account account account account ' +
  'owner_account owner_account owner_account borrower account ' +
  'owner_account owner_account owner_account borrower account - account account seller'
).split(' ');

const KIND = {
  accountUpdate: 6,
  proposalUpdate: 23,
  proposalDelete: 24,
  custom: 35,
  assert: 36,
  balanceClaim: 37,
  blindTransfer: 40,
  transferFromBlind: 41,
  assetUpdateIssuer: 48,
} as const;

/**
 * The account that pays an operation's fee.
 * @throws `input-invalid` where nobody may send such an operation, or it is not known here
 */
export function feePayer([kind, fields]: OperationJson): string {
  const field = PAYERS[kind];
  if (field === undefined || field === '-') {
    throw new CountersignError('input-invalid', `an operation of kind ${kind} cannot be sent by anybody`);
  }
  if (field.startsWith('@')) return field.slice(1);
  return account(fields[field]);
}

/** Whether an account_update changes who owns the account, by a plain or by a special authority. */
export function changesOwner([kind, fields]: OperationJson): boolean {
  if (kind !== KIND.accountUpdate) return false;
  const { owner, extensions } = fields as {
    owner?: unknown;
    extensions?: { owner_special_authority?: unknown };
  };
  return owner !== undefined || extensions?.owner_special_authority !== undefined;
}

/** @throws `input-invalid` for an operation that is not known */
export function requiredAuthorities(operations: readonly OperationJson[]): RequiredAuthorities {
  const active = new Set<string>();
  const owner = new Set<string>();
  const other: Authority[] = [];
  for (const operation of operations) {
    const [kind, fields] = operation;
    active.add(feePayer(operation));
    switch (kind) {
      case KIND.accountUpdate:
        if (changesOwner(operation)) owner.add(account(fields.account));
        break;
      case KIND.assetUpdateIssuer:
        owner.add(account(fields.issuer));
        break;
      case KIND.proposalUpdate: {
        for (const id of accounts(fields.active_approvals_to_add)) active.add(id);
        for (const id of accounts(fields.active_approvals_to_remove)) active.add(id);
        for (const id of accounts(fields.owner_approvals_to_add)) owner.add(id);
        for (const id of accounts(fields.owner_approvals_to_remove)) owner.add(id);
        other.push(
          allOf([...accounts(fields.key_approvals_to_add), ...accounts(fields.key_approvals_to_remove)]),
        );
        break;
      }
      case KIND.proposalDelete:
        if (fields.using_owner_authority === true) owner.add(account(fields.fee_paying_account));
        break;
      case KIND.custom:
      case KIND.assert:
        for (const id of accounts(fields.required_auths)) active.add(id);
        break;
      case KIND.balanceClaim:
        other.push(allOf([account(fields.balance_owner_key)]));
        break;
      case KIND.blindTransfer:
      case KIND.transferFromBlind:
        for (const input of (fields.inputs ?? []) as { owner: Authority }[]) other.push(input.owner);
        break;
    }
  }
  // The owner's word is the active's too, and is asked for once.
  for (const id of owner) active.delete(id);
  return { active: byNumber(active), owner: byNumber(owner), other };
}

/** Whether the committee is asked for, which speaks through proposals only. */
export function asksCommittee({ active }: RequiredAuthorities): boolean {
  return active.includes(COMMITTEE_ACCOUNT);
}

function allOf(keys: readonly string[]): Authority {
  return {
    weight_threshold: keys.length,
    account_auths: [],
    key_auths: keys.map((key) => [key, 1] as const),
  };
}

function account(value: unknown): string {
  if (typeof value !== 'string') throw new CountersignError('input-invalid', 'an operation lacks an account');
  return value;
}

function accounts(value: unknown): readonly string[] {
  return (value ?? []) as readonly string[];
}

/** The chain keeps sets of ids in order of their numbers. */
function byNumber(ids: ReadonlySet<string>): string[] {
  const number = (id: string) => Number(id.slice(id.lastIndexOf('.') + 1));
  return [...ids].sort((a, b) => number(a) - number(b));
}
