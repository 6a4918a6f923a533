/**
 * Random operations in the chain's JSON, made from the table's own shapes.
 * @module
 */
import fc, { type Arbitrary } from 'fast-check';
import { BITSHARES } from '../src/chain.ts';
import type { AnyCodec, AnyFields } from '../src/codec.ts';
import { formatTime } from '../src/field-types.ts';
import { formatAddress, formatPublicKey, keyAddress, privateKeyFromBytes } from '../src/keys.ts';
import { OPERATIONS, type OperationName, operation } from '../src/operations.ts';

/** A few dozen keys: making one costs more than all the rest of an operation. */
const KEYS = Array.from(
  { length: 40 },
  (_, i) => privateKeyFromBytes(new Uint8Array(32).fill(i + 1)).publicKey,
);
const PREFIX = BITSHARES.prefix;

const bigInteger = (min: bigint, max: bigint) =>
  fc.oneof(
    fc.bigInt({ min, max }).map(String),
    fc.integer({ min: min < 0n ? -1_000_000 : 0, max: 2 ** 31 - 1 }),
    fc.constantFrom(String(min), String(max)),
  );
const hex = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString('hex'));
const whole = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });

const LEAVES: Readonly<Record<string, Arbitrary<unknown>>> = {
  uint8: whole(8),
  uint16: whole(16),
  uint32: whole(32),
  varint: whole(32),
  int64: bigInteger(-(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigInteger(0n, 2n ** 64n - 1n),
  bool: fc.boolean(),
  time: whole(32).map(formatTime),
  text: fc.string({ unit: 'binary', maxLength: 20 }),
  bytes: hex(0, 40),
  'object id': fc
    .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 30 }), whole(32))
    .map((parts) => parts.join('.')),
  'vote id': fc.tuple(whole(8), whole(24)).map((parts) => parts.join(':')),
  'public key': fc.constantFrom(...KEYS).map((key) => formatPublicKey(key, PREFIX)),
  address: fc.constantFrom(...KEYS).map((key) => formatAddress(keyAddress(key), PREFIX)),
  'no extensions': fc.constant([]),
  nothing: fc.constant({}),
};

function leaf(name: string, taste: Taste): Arbitrary<unknown> {
  const known = taste.leaves?.[name] ?? LEAVES[name];
  if (known !== undefined) return known;
  const size = /^bytes\((\d+)\)$/.exec(name);
  if (size !== null) return hex(Number(size[1]), Number(size[1]));
  const type = /^id\((\d+\.\d+)\)$/.exec(name);
  if (type !== null) return fc.oneof(whole(16), whole(taste.idBits)).map((number) => `${type[1]}.${number}`);
  throw new TypeError(`no random ${name}`);
}

/** How two items of a set, or keys of a map, are the same. */
const selector = (item: unknown) => (typeof item === 'number' ? String(item) : JSON.stringify(item));

export interface Taste {
  /** Most items of a list, set or map. */
  most: number;
  /** The size of ids. */
  idBits: number;
  /** How deep operations may still be put into each other. */
  depth: number;
  /** For the items of one list: an order or a choice that a peer insists on. */
  arrange?: (items: unknown[]) => unknown[];
  /** The most items in a set of one kind, or keys in a map, where a peer orders or reads them otherwise. */
  setOf?: (leaf: string) => number | undefined;
  /** By what two items of a set of one kind are the same to a peer. */
  sameBy?: Readonly<Record<string, (item: unknown) => string>>;
  /** Other values of single fields, where a peer cannot write all. */
  leaves?: Readonly<Record<string, Arbitrary<unknown>>>;
  /** Extensions, and kinds of variants, that a peer does not know: they stay out. */
  unknown?: ReadonlySet<string>;
}

export function randomJson(codec: AnyCodec, taste: Taste): Arbitrary<unknown> {
  const { shape } = codec;
  const inner = (of: AnyCodec) => randomJson(of, taste);
  switch (shape.kind) {
    case 'leaf':
      return leaf(shape.name, taste);
    case 'struct':
      return fc.record(eachField(shape.fields, inner), { noNullPrototype: true });
    case 'extension': {
      const known = Object.entries(shape.fields).filter(([name]) => !taste.unknown?.has(name));
      const fields = eachField(Object.fromEntries(known), inner);
      return fc.record(fields, { requiredKeys: [], noNullPrototype: true });
    }
    case 'optional':
      return fc.option(inner(shape.of), { nil: undefined });
    case 'list':
      if (taste.depth <= 0) return fc.constant([]);
      return fc
        .array(inner(shape.of), { maxLength: taste.most })
        .map((items) => taste.arrange?.(items) ?? items);
    case 'set': {
      const ofKinds = shape.of.shape.kind === 'variant';
      const items = fc.uniqueArray(inner(shape.of), {
        maxLength: mostOf(shape.of, taste),
        selector: ofKinds ? (item) => String((item as [number, unknown])[0]) : sameBy(shape.of, taste),
      });
      return ofKinds && taste.arrange ? items.map(byNumber) : items;
    }
    case 'map':
      return fc.uniqueArray(fc.tuple(inner(shape.key), inner(shape.of)), {
        maxLength: mostOf(shape.key, taste),
        selector: (item) => selector(item[0]),
      });
    case 'pair':
      return fc.tuple(inner(shape.key), inner(shape.of));
    case 'variant': {
      const kinds = Object.entries(shape.fields).map(([name, of], number) => ({ name, of, number }));
      const known = kinds.filter(({ name }) => !taste.unknown?.has(name));
      return fc.oneof(...known.map(({ of, number }) => inner(of).map((value) => [number, value])));
    }
    case 'nested':
      return randomOperation(shape.of(), { ...taste, depth: taste.depth - 1 });
  }
}

function byNumber(items: unknown[]): unknown[] {
  return items.toSorted((a, b) => (a as [number])[0] - (b as [number])[0]);
}

function sameBy({ shape }: AnyCodec, taste: Taste): (item: unknown) => string {
  return (shape.kind === 'leaf' ? taste.sameBy?.[shape.name] : undefined) ?? selector;
}

function mostOf({ shape }: AnyCodec, taste: Taste): number {
  return (shape.kind === 'leaf' ? taste.setOf?.(shape.name) : undefined) ?? taste.most;
}

function eachField(
  fields: AnyFields,
  make: (codec: AnyCodec) => Arbitrary<unknown>,
): Record<string, Arbitrary<unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, codec]) => [name, make(codec)]));
}

const INNER: readonly OperationName[] = ['transfer', 'account_update', 'proposal_create'];

/** An operation inside of others; kinds that hold further ones come only while there is depth left. */
function randomOperation(codec: AnyCodec, taste: Taste): Arbitrary<unknown> {
  if (codec !== (operation as AnyCodec)) return randomJson(codec, taste);
  return fc.constantFrom(...INNER).chain((name) => randomOperationOf(name, taste));
}

/** An operation of one kind, `[number, fields]`. */
export function randomOperationOf(name: OperationName, taste: Taste): Arbitrary<[number, unknown]> {
  const { number, codec } = OPERATIONS[name];
  return randomJson(codec, taste).map((fields) => [number, fields]);
}

/** A transaction around operations. */
export function randomTransaction(operations: Arbitrary<unknown[]>): Arbitrary<Record<string, unknown>> {
  return fc.record(
    {
      ref_block_num: whole(16),
      ref_block_prefix: whole(32),
      expiration: LEAVES.time!,
      operations,
      extensions: fc.constant([]),
    },
    { noNullPrototype: true },
  );
}
