/**
 * Restrictions of custom authorities once more, on the chain's JSON, with the members of three operations written down
 * by hand. What the chain leaves to accident, or refuses when such an authority is made, is `unsure`.
 * @module
 */
import type { OperationJson } from '../src/required-authorities.ts';

export type Sure = 'yes' | 'no' | 'unsure';

type Kind =
  | 'int'
  | 'account'
  | 'asset'
  | 'bool'
  | 'time'
  | 'bytes'
  | 'none'
  | { readonly some: Kind }
  | { readonly setOf: Kind }
  | { readonly members: Members };
type Members = readonly (readonly [name: string, kind: Kind])[];

const AMOUNT: Kind = {
  members: [
    ['amount', 'int'],
    ['asset_id', 'asset'],
  ],
};
const MEMO: Kind = {
  members: [
    ['from', 'none'],
    ['to', 'none'],
    ['nonce', 'int'],
    ['message', 'bytes'],
  ],
};

const MEMBERS: Readonly<Record<number, Members>> = {
  0: [
    ['fee', AMOUNT],
    ['from', 'account'],
    ['to', 'account'],
    ['amount', AMOUNT],
    ['memo', { some: MEMO }],
    ['extensions', 'none'],
  ],
  1: [
    ['fee', AMOUNT],
    ['seller', 'account'],
    ['amount_to_sell', AMOUNT],
    ['min_to_receive', AMOUNT],
    ['expiration', 'time'],
    ['fill_or_kill', 'bool'],
    ['extensions', 'none'],
  ],
  35: [
    ['fee', AMOUNT],
    ['payer', 'account'],
    ['required_auths', { setOf: 'account' }],
    ['id', 'int'],
    ['data', 'bytes'],
  ],
};

export interface RestrictionJson {
  readonly member_index: number;
  readonly restriction_type: number;
  readonly argument: readonly [kind: number, value: unknown];
  readonly extensions: readonly [];
}

/** Numbers of the argument's kinds: alone, and in sets. */
const ALONE: Readonly<Record<number, Kind>> = { 1: 'bool', 2: 'int', 4: 'time', 7: 'account', 8: 'asset' };
const SETS: Readonly<Record<number, Kind>> = {
  20: 'bool',
  21: 'int',
  23: 'time',
  26: 'account',
  27: 'asset',
};

const rank = (kind: Kind, value: unknown): bigint => {
  if (kind === 'bool') return value === true ? 1n : 0n;
  if (kind === 'time') return BigInt(Date.parse(`${value}Z`));
  if (kind === 'int') return BigInt(value as string);
  return BigInt((value as string).split('.')[2]!);
};

export function naivelyHold(restrictions: readonly RestrictionJson[], [kind, fields]: OperationJson): Sure {
  return all(restrictions, MEMBERS[kind]!, fields);
}

function all(restrictions: readonly RestrictionJson[], members: Members, object: object): Sure {
  const sure = restrictions.map((one) => holds(one, members, object));
  if (sure.some((one) => one === 'no')) return 'no';
  return sure.some((one) => one === 'unsure') ? 'unsure' : 'yes';
}

function holds(
  { member_index, restriction_type: type, argument }: RestrictionJson,
  members: Members,
  object: object,
): Sure {
  const [which, given] = argument;
  if (type === 11) {
    if (which !== 40) return 'unsure';
    const branches = (given as RestrictionJson[][]).map((branch) => all(branch, members, object));
    if (branches.some((one) => one === 'yes')) return 'yes';
    return branches.some((one) => one === 'unsure') ? 'unsure' : 'no';
  }
  const member = members[member_index];
  if (member === undefined) return 'unsure';
  let [name, kind] = member;
  const value = (object as Record<string, unknown>)[name];
  if (typeof kind === 'object' && 'some' in kind) {
    const there = value !== undefined && value !== null;
    if (which === 0) return type === 0 ? sureOf(!there) : type === 1 ? sureOf(there) : 'unsure';
    if (!there) return 'unsure';
    kind = kind.some;
  }
  if (type === 10) {
    if (which !== 39 || typeof kind !== 'object' || !('members' in kind)) return 'unsure';
    return all(given as RestrictionJson[], kind.members, value as object);
  }
  if (typeof kind === 'object' && 'setOf' in kind)
    return ofSet(type, kind.setOf, value as unknown[], argument);
  const alone = ALONE[which];
  if (type <= 5) {
    // The chain compares no truth values by size.
    if (alone === undefined || alone !== kind || (type > 1 && kind === 'bool')) return 'unsure';
    const [mine, theirs] = [rank(kind, value), rank(kind, given)];
    return sureOf(
      [mine === theirs, mine !== theirs, mine < theirs, mine <= theirs, mine > theirs, mine >= theirs][type]!,
    );
  }
  if (type > 7 || SETS[which] === undefined || SETS[which] !== kind) return 'unsure';
  const found = (given as unknown[]).some((one) => rank(kind as Kind, one) === rank(kind as Kind, value));
  return sureOf(found === (type === 6));
}

function ofSet(
  type: number,
  kind: Kind,
  mine: readonly unknown[],
  [which, given]: RestrictionJson['argument'],
): Sure {
  if (which === 2 && type <= 1)
    return sureOf((BigInt(given as string) === BigInt(mine.length)) === (type === 0));
  if (SETS[which] !== kind) return 'unsure';
  const theirs = given as unknown[];
  const [a, b] = [mine, theirs].map((one) => new Set(one.map((item) => rank(kind, item)))) as [
    Set<bigint>,
    Set<bigint>,
  ];
  const answers: Partial<Record<number, boolean>> = {
    0: a.isSubsetOf(b) && b.isSubsetOf(a),
    1: !(a.isSubsetOf(b) && b.isSubsetOf(a)),
    6: a.isSubsetOf(b),
    7: a.isDisjointFrom(b),
    8: b.isSubsetOf(a),
    9: a.isDisjointFrom(b),
  };
  const answer = answers[type];
  return answer === undefined ? 'unsure' : sureOf(answer);
}

function sureOf(yes: boolean): Sure {
  return yes ? 'yes' : 'no';
}
