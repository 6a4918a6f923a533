/**
 * Who can speak for an account of a Graphene chain: keys and other accounts, weighed against a threshold. Pure, over
 * a snapshot of accounts, and step by step as the chain does it, since the order of its steps shows: an account that
 * was approved once counts at every depth after, and a signature that no step asked for makes a transaction invalid.
 * @module
 */

/** Members with their weights, as the chain's JSON has them, in its order. */
export interface Authority {
  readonly weight_threshold: number;
  readonly account_auths: readonly (readonly [account: string, weight: number])[];
  readonly key_auths: readonly (readonly [key: string, weight: number])[];
  readonly address_auths?: readonly (readonly [address: string, weight: number])[];
}

/** An account as far as authority goes. */
export interface AccountAuthorities {
  readonly id: string;
  readonly owner: Authority;
  readonly active: Authority;
}

/** Accounts by their ids, `1.2.17`. What is not in it can sign nothing. */
export type Snapshot = ReadonlyMap<string, AccountAuthorities>;

/** `GRAPHENE_MAX_SIG_CHECK_DEPTH`. */
export const MAX_DEPTH = 2;
/** `maximum_authority_membership`, as chains are born with it. */
export const MAX_MEMBERS = 10;
/** Speaks through proposals only. */
export const COMMITTEE_ACCOUNT = '1.2.0';
/** Stands for whoever has nothing to prove: approved before anybody signs. */
const TEMP_ACCOUNT = '1.2.4';

export interface AuthorityRules {
  readonly maxDepth?: number;
  /**
   * Whether an account further down may speak by its owner authority too (since hard fork 584 of BitShares).
   * The owner of an account that is itself required always may.
   */
  readonly ownerBelow?: boolean;
}

/** One look at a transaction's signatures: which of them count, and what they approve. */
export class AuthorityCheck {
  readonly #snapshot: Snapshot;
  readonly #signed: (key: string) => boolean;
  readonly #maxDepth: number;
  readonly #ownerBelow: boolean;
  readonly #approved = new Set([TEMP_ACCOUNT]);
  readonly #used = new Set<string>();

  /** @param signed whether there is a signature by a key */
  constructor(snapshot: Snapshot, signed: (key: string) => boolean, rules: AuthorityRules = {}) {
    this.#snapshot = snapshot;
    this.#signed = signed;
    this.#maxDepth = rules.maxDepth ?? MAX_DEPTH;
    this.#ownerBelow = rules.ownerBelow ?? true;
  }

  /** Keys whose signature some step asked for, whether or not that step succeeded. */
  get used(): ReadonlySet<string> {
    return this.#used;
  }

  /** Takes an account's approval as given, as one in a proposal is. */
  approve(account: string): void {
    this.#approved.add(account);
  }

  /** Whether an account's active authority has spoken, or its owner's. */
  active(id: string): boolean {
    if (this.#approved.has(id)) return true;
    const account = this.#snapshot.get(id);
    if (account === undefined) return false;
    return this.holds(account.active) || (this.#ownerBelow && this.holds(account.owner)) || this.owner(id);
  }

  owner(id: string): boolean {
    const account = this.#snapshot.get(id);
    return account !== undefined && this.holds(account.owner);
  }

  holds(authority: Authority, depth = 0): boolean {
    const { weight_threshold: threshold } = authority;
    let weight = 0;
    for (const [key, own] of authority.key_auths) {
      if (!this.#signed(key)) continue;
      this.#used.add(key);
      weight += own;
      if (weight >= threshold) return true;
    }
    for (const [id, own] of authority.account_auths) {
      if (!this.#approved.has(id)) {
        // Too deep is passed over, and no failure: other members may suffice.
        if (depth === this.#maxDepth) continue;
        const account = this.#snapshot.get(id);
        if (account === undefined) continue;
        const spoke =
          this.holds(account.active, depth + 1) || (this.#ownerBelow && this.holds(account.owner, depth + 1));
        if (!spoke) continue;
        this.#approved.add(id);
      }
      weight += own;
      if (weight >= threshold) return true;
    }
    return weight >= threshold;
  }
}

/**
 * `open`: anybody could speak by it. `impossible`: its weights never reach the threshold. `unsatisfiable`: it leads in
 * a circle, or deeper than the chain looks.
 */
export type AuthorityFlaw =
  | 'empty'
  | 'open'
  | 'impossible'
  | 'too-many-members'
  | 'unknown-account'
  | 'address'
  | 'unsatisfiable';

/**
 * Why nobody should set a new authority of an account, whoever signs for it; all but `open` the chain refuses itself.
 * @param snapshot with all the accounts that the authority leads to
 */
export function authorityFlaw(
  authority: Authority,
  snapshot: Snapshot,
  maxMembers = MAX_MEMBERS,
): AuthorityFlaw | undefined {
  const { key_auths, account_auths, address_auths = [], weight_threshold } = authority;
  if (address_auths.length > 0) return 'address';
  const members = key_auths.length + account_auths.length;
  if (members === 0) return 'empty';
  if (members > maxMembers) return 'too-many-members';
  if (weight_threshold === 0) return 'open';
  const total = [...key_auths, ...account_auths].reduce((sum, [, weight]) => sum + weight, 0);
  if (total < weight_threshold) return 'impossible';
  if (account_auths.some(([id]) => !snapshot.has(id))) return 'unknown-account';
  return new AuthorityCheck(snapshot, () => true).holds(authority) ? undefined : 'unsatisfiable';
}

/** Accounts that an authority names, and that those name, as deep as the chain looks. */
export function membersWithin(authority: Authority, snapshot: Snapshot, depth = MAX_DEPTH): Set<string> {
  const found = new Set<string>();
  const visit = (one: Authority, left: number) => {
    for (const [id] of one.account_auths) {
      found.add(id);
      const account = snapshot.get(id);
      if (left === 0 || account === undefined) continue;
      visit(account.active, left - 1);
      visit(account.owner, left - 1);
    }
  };
  visit(authority, depth);
  return found;
}
