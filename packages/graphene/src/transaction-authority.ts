/**
 * Whether a transaction's signatures suffice, judged as the chain judges, and which signatures to gather so that
 * they do, and none too many.
 * @module
 */
import { AuthorityCheck, type AuthorityRules, type Snapshot } from './authority.ts';
import type { ViableAuthority } from './custom-authority.ts';
import {
  asksCommittee,
  type OperationJson,
  type RequiredAuthorities,
  requiredAuthorities,
} from './required-authorities.ts';

/** The chain's own names. */
export type AuthorityError =
  | 'tx_missing_active_auth'
  | 'tx_missing_owner_auth'
  | 'tx_missing_other_auth'
  | 'tx_irrelevant_sig'
  | 'tx_duplicate_sig'
  | 'invalid_committee_approval';

export type AuthorityVerdict =
  | { readonly valid: true }
  | {
      readonly valid: false;
      readonly error: AuthorityError;
      /** Whose authority is missing. */
      readonly account?: string;
      /** Keys whose signatures are too many. */
      readonly keys?: readonly string[];
    };

/** What speaks beside signatures: approvals that are given already, in a proposal; custom authorities. */
export interface Approvals {
  readonly active?: Iterable<string>;
  readonly owner?: Iterable<string>;
  /** The committee speaks here. */
  readonly committee?: boolean;
  /** Custom authorities that may speak in a transaction's operations, as `viableAuthorities` finds them. */
  readonly custom?: readonly ViableAuthority[];
}

/** How many custom authorities in doubt are tried both ways. */
const MAX_DOUBTS = 6;

/**
 * Judges a transaction by the keys that signed it, one for each signature.
 * @param approvals.custom custom authorities that may speak for it; where one is in doubt, it is valid only if it is so
 *   either way
 * @throws `input-invalid` for an operation that is not known
 */
export function verifyAuthority(
  operations: readonly OperationJson[],
  signers: readonly string[],
  snapshot: Snapshot,
  rules: AuthorityRules = {},
  approvals: Approvals = {},
): AuthorityVerdict {
  const { custom = [] } = approvals;
  const doubts = custom.filter(({ certain }) => !certain);
  if (doubts.length > MAX_DOUBTS) {
    return { valid: false, error: 'tx_missing_active_auth', account: doubts[0]!.account };
  }
  for (let mask = 0; mask < 2 ** doubts.length; mask++) {
    const viable = custom.filter((one) => one.certain || mask & (1 << doubts.indexOf(one)));
    const verdict = judge(operations, signers, snapshot, rules, { ...approvals, custom: viable });
    if (!verdict.valid) return verdict;
  }
  return { valid: true };
}

function judge(
  operations: readonly OperationJson[],
  signers: readonly string[],
  snapshot: Snapshot,
  rules: AuthorityRules,
  approvals: Approvals,
): AuthorityVerdict {
  const signed = new Set(signers);
  if (signed.size !== signers.length) {
    const keys = signers.filter((key, place) => signers.indexOf(key) !== place);
    return { valid: false, error: 'tx_duplicate_sig', keys };
  }
  const check = new AuthorityCheck(snapshot, (key) => signed.has(key), rules);
  const owners = new Set(approvals.owner);
  for (const id of [...(approvals.active ?? []), ...owners]) check.approve(id);
  const required = withoutCustom(operations, approvals.custom ?? [], check);
  if (approvals.committee !== true && asksCommittee(required)) {
    return { valid: false, error: 'invalid_committee_approval' };
  }
  for (const authority of required.other) {
    if (!check.holds(authority)) return { valid: false, error: 'tx_missing_other_auth' };
  }
  for (const account of required.owner) {
    if (!owners.has(account) && !check.owner(account)) {
      return { valid: false, error: 'tx_missing_owner_auth', account };
    }
  }
  for (const account of required.active) {
    if (!check.active(account)) return { valid: false, error: 'tx_missing_active_auth', account };
  }
  const keys = signers.filter((key) => !check.used.has(key));
  return keys.length === 0 ? { valid: true } : { valid: false, error: 'tx_irrelevant_sig', keys };
}

/** What is left to be asked for where custom authorities have spoken, operation by operation, before all else. */
function withoutCustom(
  operations: readonly OperationJson[],
  custom: readonly ViableAuthority[],
  check: AuthorityCheck,
): RequiredAuthorities {
  const required = requiredAuthorities(operations);
  if (custom.length === 0) return required;
  const left = new Set(
    operations.flatMap((operation, place) => {
      const ofOperation = custom.filter((one) => one.place === place);
      return requiredAuthorities([operation]).active.filter(
        (id) => !ofOperation.some(({ account, auth }) => account === id && check.holds(auth)),
      );
    }),
  );
  return { ...required, active: required.active.filter((id) => left.has(id)) };
}

/** Every key that could have a part in a transaction's signatures, as `get_potential_signatures` lists them. */
export function potentialKeys(
  operations: readonly OperationJson[],
  snapshot: Snapshot,
  rules: AuthorityRules = {},
): Set<string> {
  const required = requiredAuthorities(operations);
  const keys = new Set<string>();
  // Nobody signs, so that every path is walked to its end.
  const check = new AuthorityCheck(
    snapshot,
    (key) => {
      keys.add(key);
      return false;
    },
    rules,
  );
  for (const authority of required.other) check.holds(authority);
  for (const account of required.owner) check.owner(account);
  for (const account of required.active) check.active(account);
  return keys;
}

/** Every key that could have a part in speaking for an account by its active authority. */
export function potentialKeysOf(id: string, snapshot: Snapshot): Set<string> {
  const keys = new Set<string>();
  new AuthorityCheck(snapshot, (key) => {
    keys.add(key);
    return false;
  }).active(id);
  return keys;
}

/**
 * Which of the keys at hand the chain would ask for, beside those that have signed, as `get_required_signatures`
 * says it: perhaps more than are needed, and perhaps not enough.
 */
export function requiredKeys(
  operations: readonly OperationJson[],
  available: Iterable<string>,
  signers: Iterable<string>,
  snapshot: Snapshot,
  rules: AuthorityRules = {},
): Set<string> {
  const required = requiredAuthorities(operations);
  const signed = new Set(signers);
  const there = new Set(available);
  const check = new AuthorityCheck(snapshot, (key) => signed.has(key) || there.has(key), rules);
  for (const authority of required.other) check.holds(authority);
  for (const account of required.owner) check.owner(account);
  for (const account of required.active) check.active(account);
  return new Set([...check.used].filter((key) => !signed.has(key)));
}

/** Sets of keys up to this many are searched one by one where leaving keys out did not lead to an answer. */
const SEARCHED_KEYS = 12;

/**
 * Signatures that make a transaction valid, and of which none can be left out.
 * @param available keys that can be had; the sooner they stand, the rather they are kept
 * @param signers keys that have signed it already, which are not among those that come out
 * @returns undefined where no choice of them suffices
 */
export function minimalKeys(
  operations: readonly OperationJson[],
  available: Iterable<string>,
  snapshot: Snapshot,
  rules: AuthorityRules = {},
  signers: readonly string[] = [],
): string[] | undefined {
  const potential = potentialKeys(operations, snapshot, rules);
  const all = [...new Set(available)].filter((key) => potential.has(key) && !signers.includes(key));
  return fewestKeys(all, (keys) => {
    const verdict = verifyAuthority(operations, [...signers, ...keys], snapshot, rules);
    return verdict.valid || verdict.error === 'tx_irrelevant_sig';
  });
}

/**
 * Keys of which none can be left out.
 * @param all in the order in which they are rather kept
 * @returns undefined where no choice of them suffices
 */
export function fewestKeys(
  all: readonly string[],
  suffices: (keys: readonly string[]) => boolean,
): string[] | undefined {
  let kept = [...all];
  if (!suffices(kept)) {
    // An approval found early can spare a path that a later step would need: fewer keys may do what more do not.
    if (kept.length > SEARCHED_KEYS) return undefined;
    const found = subsets(kept).find(suffices);
    if (found === undefined) return undefined;
    kept = found;
  }
  for (;;) {
    const spare = kept.findLast((key) => suffices(kept.filter((one) => one !== key)));
    if (spare === undefined) return kept;
    kept = kept.filter((one) => one !== spare);
  }
}

/** The smallest first. */
function subsets(keys: readonly string[]): string[][] {
  return Array.from({ length: 2 ** keys.length }, (_, mask) =>
    keys.filter((_key, bit) => mask & (1 << bit)),
  ).sort((a, b) => a.length - b.length);
}
