/**
 * Custom authorities (BSIP 40): whether the restrictions of one let it speak for an operation. As the chain judges;
 * where the chain's own answer is an accident of its language (a comparison with an optional field that is not there),
 * the answer here is doubt, and whoever asks must be right either way.
 * @module
 */
import type { Authority } from './authority.ts';
import type { AnyCodec, AnyFields, Shape } from './codec.ts';
import { type Restriction, restrictionArguments } from './custom-authority-operations.ts';
import { OPERATIONS, type Operation } from './operations.ts';

/** An object `1.17.x` of the chain. */
export interface CustomAuthority {
  readonly account: string;
  readonly enabled: boolean;
  /** Seconds since 1970; it holds from the first, and no more at the second. */
  readonly valid_from: number;
  readonly valid_to: number;
  readonly operation_type: number;
  readonly auth: Authority;
  readonly restrictions: readonly Restriction[];
}

/** One that may speak for an account in one operation of a transaction. */
export interface ViableAuthority {
  readonly account: string;
  /** The operation's place. */
  readonly place: number;
  readonly auth: Authority;
  /** False where it is not known whether the chain lets it. */
  readonly certain: boolean;
}

/** Undefined is doubt. */
type Answer = boolean | undefined;

/** Those of some custom authorities that the chain would look at for a transaction. @param now of the chain's head */
export function viableAuthorities(
  customs: readonly CustomAuthority[],
  operations: readonly Operation[],
  now: number,
): ViableAuthority[] {
  return operations.flatMap((operation, place) => {
    const { number, codec } = OPERATIONS[operation.name];
    return customs
      .filter(({ enabled, operation_type }) => enabled && operation_type === number)
      .filter(({ valid_from, valid_to }) => now >= valid_from && now < valid_to)
      .flatMap(({ account, auth, restrictions }): ViableAuthority[] => {
        const answer = allHold(restrictions, codec.fields, operation.value);
        return answer === false ? [] : [{ account, place, auth, certain: answer === true }];
      });
  });
}

function allHold(restrictions: readonly Restriction[], fields: AnyFields, object: unknown): Answer {
  return every(restrictions, (one) => holds(one, fields, object));
}

const OR = 11;

function holds(
  { member_index, restriction_type, argument }: Restriction,
  fields: AnyFields,
  object: unknown,
): Answer {
  if (restriction_type === OR) {
    if (argument.name !== 'alternatives') return undefined;
    const branches = argument.value as readonly (readonly Restriction[])[];
    return some(branches, (branch) => allHold(branch, fields, object));
  }
  const member = Object.entries(fields)[member_index];
  if (member === undefined) return undefined;
  const [name, codec] = member;
  return fieldHolds(restriction_type, codec.shape, (object as Record<string, unknown>)[name], argument);
}

type Argument = Restriction['argument'];

function fieldHolds(type: number, shape: Shape, value: unknown, argument: Argument): Answer {
  if (shape.kind === 'optional') {
    if (argument.name === 'void') return type > 1 ? undefined : (value === undefined) === (type === 0);
    return value === undefined ? undefined : fieldHolds(type, shape.of.shape, value, argument);
  }
  switch (type) {
    case 0:
      return equal(shape, value, argument);
    case 1:
      return not(equal(shape, value, argument));
    case 2:
    case 3:
    case 4:
    case 5:
      return ordered(type, shape, value, argument);
    case 6:
    case 7:
      return listed(type === 6, shape, value, argument);
    case 8:
    case 9:
      return contains(type === 8, shape, value, argument);
    case 10:
      return attributes(shape, value, argument);
    case 12:
      return ofKind(shape, value, argument);
    default:
      return undefined;
  }
}

function equal(shape: Shape, value: unknown, argument: Argument): Answer {
  if (argument.name === 'int64' && items(shape, value) !== undefined) {
    return BigInt(items(shape, value)!.length) === argument.value;
  }
  const set = elementOf(argument);
  if (set !== undefined && shape.kind === 'set' && sameKind(shape.of.shape, set)) {
    const [mine, theirs] = [value as unknown[], argument.value as unknown[]];
    return mine.length === theirs.length && theirs.every((one) => mine.includes(one));
  }
  return comparable(shape, argument) ? same(value, argument.value) : undefined;
}

function ordered(type: number, shape: Shape, value: unknown, argument: Argument): Answer {
  if (!comparable(shape, argument)) return undefined;
  const order = compare(value, argument.value);
  if (order === undefined) return undefined;
  return [order < 0, order <= 0, order > 0, order >= 0][type - 2];
}

/** In a set; of a list, all of it, or none of it. */
function listed(inside: boolean, shape: Shape, value: unknown, argument: Argument): Answer {
  const element = elementOf(argument);
  if (element === undefined) return undefined;
  const isIn = (one: unknown) => (argument.value as unknown[]).some((other) => same(one, other));
  const all = items(shape, value);
  if (all === undefined) return sameKind(shape, element) ? isIn(value) === inside : undefined;
  if (!sameKind((shape as { of: AnyCodec }).of.shape, element)) return undefined;
  return inside ? all.every(isIn) : !all.some(isIn);
}

/** A list that has all of a set, or none of it. */
function contains(wanted: boolean, shape: Shape, value: unknown, argument: Argument): Answer {
  const element = elementOf(argument);
  const all = items(shape, value);
  if (element === undefined || all === undefined) return undefined;
  if (!sameKind((shape as { of: AnyCodec }).of.shape, element)) return undefined;
  const has = (one: unknown) => all.some((other) => same(one, other));
  const set = argument.value as unknown[];
  return wanted ? set.every(has) : !set.some(has);
}

function attributes(shape: Shape, value: unknown, { name, value: inner }: Argument): Answer {
  if (name !== 'restrictions' || shape.kind !== 'struct') return undefined;
  return allHold(inner as readonly Restriction[], shape.fields, value);
}

function ofKind(shape: Shape, value: unknown, { name, value: asserted }: Argument): Answer {
  if (name !== 'variant_assert' || shape.kind !== 'variant') return undefined;
  const [index, inner] = asserted as readonly [bigint, readonly Restriction[]];
  const { name: kind, value: held } = value as { name: string; value: unknown };
  if (Object.keys(shape.fields)[Number(index)] !== kind) return false;
  const of = shape.fields[kind]!.shape;
  return of.kind === 'struct' ? allHold(inner, of.fields, held) : undefined;
}

/** A list's or a set's; undefined of anything else. */
function items(shape: Shape, value: unknown): readonly unknown[] | undefined {
  return shape.kind === 'list' || shape.kind === 'set' ? (value as readonly unknown[]) : undefined;
}

function argumentShape({ name }: Argument): Shape | undefined {
  return (restrictionArguments as AnyFields)[name]?.shape;
}

/** What an argument is a set of. */
function elementOf(argument: Argument): Shape | undefined {
  const shape = argumentShape(argument);
  return shape?.kind === 'set' ? shape.of.shape : undefined;
}

function comparable(shape: Shape, argument: Argument): boolean {
  const other = argumentShape(argument);
  return other !== undefined && sameKind(shape, other);
}

/** Of one type, or both whole numbers. */
function sameKind(one: Shape, other: Shape): boolean {
  if (one.kind !== 'leaf' || other.kind !== 'leaf') return false;
  return one.name === other.name || (isWhole(one.name) && isWhole(other.name));
}

function isWhole(name: string): boolean {
  return /^(?:u?int\d+|varint)$/.test(name);
}

function same(one: unknown, other: unknown): boolean {
  return typeof one === typeof other ? one === other : BigInt(one as number) === BigInt(other as number);
}

/** Numbers by size, ids by their numbers; texts are left to doubt, whose order is of bytes in another encoding. */
function compare(one: unknown, other: unknown): number | undefined {
  const [a, b] = [sizeOf(one), sizeOf(other)];
  if (a === undefined || b === undefined) return undefined;
  return a < b ? -1 : a > b ? 1 : 0;
}

function sizeOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return BigInt(value);
  if (typeof value !== 'string') return undefined;
  const id = /^\d+\.\d+\.(\d+)$/.exec(value)?.[1];
  return id === undefined ? undefined : BigInt(id);
}

function not(answer: Answer): Answer {
  return answer === undefined ? undefined : !answer;
}

function every<T>(all: readonly T[], judge: (one: T) => Answer): Answer {
  const answers = all.map(judge);
  return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
}

function some<T>(all: readonly T[], judge: (one: T) => Answer): Answer {
  return not(every(all, (one) => not(judge(one))));
}
