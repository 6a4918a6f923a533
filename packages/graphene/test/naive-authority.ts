/**
 * The rules of authority once more, as a reader of the chain's documents would first write them down: nothing is
 * changed in place, each step hands on what is approved and what was looked at. The package's own rules are held
 * against these, and the small chain of the tests judges by these alone.
 * @module
 */
import type { Authority, Snapshot } from '../src/authority.ts';

interface Seen {
  readonly approved: readonly string[];
  readonly asked: readonly string[];
}
type Spoken = readonly [yes: boolean, seen: Seen];

export interface Asked {
  readonly active: readonly string[];
  readonly owner: readonly string[];
  readonly other: readonly Authority[];
}

export function naiveVerdict(
  asked: Asked,
  signers: readonly string[],
  accounts: Snapshot,
  { maxDepth = 2, ownerBelow = true } = {},
  given: {
    active?: readonly string[];
    owner?: readonly string[];
    /** For each operation, whose active authority it asks, and the custom authorities that may answer for them. */
    operations?: readonly {
      readonly active: readonly string[];
      readonly custom: readonly { readonly account: string; readonly auth: Authority }[];
    }[];
  } = {},
): string {
  if (signers.some((key, place) => signers.indexOf(key) < place)) return 'tx_duplicate_sig';

  const weigh = (authority: Authority, before: Seen, depth: number): Spoken => {
    const members = [
      ...authority.key_auths.map(([key, weight]) => ({ weight, ask: (seen: Seen) => ofKey(key, seen) })),
      ...authority.account_auths.map(([id, weight]) => ({
        weight,
        ask: (seen: Seen) => ofMember(id, seen, depth),
      })),
    ];
    const end = members.reduce(
      ({ weight, seen, done }, member) => {
        if (done) return { weight, seen, done };
        const [yes, after] = member.ask(seen);
        const sum = yes ? weight + member.weight : weight;
        return { weight: sum, seen: after, done: yes && sum >= authority.weight_threshold };
      },
      { weight: 0, seen: before, done: false },
    );
    return [end.weight >= authority.weight_threshold, end.seen];
  };
  const ofKey = (key: string, seen: Seen): Spoken =>
    signers.includes(key) ? [true, { ...seen, asked: [...seen.asked, key] }] : [false, seen];
  const ofMember = (id: string, seen: Seen, depth: number): Spoken => {
    if (seen.approved.includes(id)) return [true, seen];
    const account = accounts.get(id);
    if (depth === maxDepth || account === undefined) return [false, seen];
    const paths = ownerBelow ? [account.active, account.owner] : [account.active];
    const [yes, after] = firstOf(paths, seen, depth + 1);
    return [yes, yes ? { ...after, approved: [...after.approved, id] } : after];
  };
  const firstOf = (paths: readonly Authority[], seen: Seen, depth: number): Spoken =>
    paths.reduce<Spoken>(([yes, now], path) => (yes ? [yes, now] : weigh(path, now, depth)), [false, seen]);

  let seen: Seen = { approved: ['1.2.4', ...(given.active ?? []), ...(given.owner ?? [])], asked: [] };
  const holds = (paths: readonly Authority[]) => {
    const [yes, after] = firstOf(paths, seen, 0);
    seen = after;
    return yes;
  };
  const left = given.operations?.flatMap(({ active, custom }) =>
    active.filter((id) => !custom.some(({ account, auth }) => account === id && holds([auth]))),
  );
  for (const authority of asked.other) if (!holds([authority])) return 'tx_missing_other_auth';
  for (const id of asked.owner) {
    const account = accounts.get(id);
    if (given.owner?.includes(id)) continue;
    if (account === undefined || !holds([account.owner])) return 'tx_missing_owner_auth';
  }
  for (const id of asked.active) {
    if (left !== undefined && !left.includes(id)) continue;
    const account = accounts.get(id);
    if (seen.approved.includes(id)) continue;
    // The chain's own code looks at the owner twice, and what the first look approved can count in the second.
    const paths = account && [account.active, account.owner, ...(ownerBelow ? [account.owner] : [])];
    if (paths === undefined || !holds(paths)) return 'tx_missing_active_auth';
  }
  return signers.every((key) => seen.asked.includes(key)) ? 'valid' : 'tx_irrelevant_sig';
}
