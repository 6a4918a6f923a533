/**
 * How one kind of field stands in JSON, in memory and in bytes. Codecs are put together from smaller ones; the
 * table of operations is made of nothing else. In memory, what has up to 32 bits is a number, what has 64 a
 * bigint, a time the seconds since 1970, an id, a key or a hex string the text of the chain's JSON.
 * @module
 */
import { type ByteReader, type ByteWriter, compareBytes } from './bytes.ts';
import type { Chain } from './chain.ts';
import { Malformed } from './malformed.ts';

/** How deep operations in proposals, and restrictions in each other, may stand. */
export const MAX_NESTING = 8;

/** Most items of a list, set or map in JSON: more would not fit into any transaction that a chain takes. */
const MAX_ITEMS = 4096;

/** What a codec is made of, for whoever goes through the table: documentation, and tests of every field. */
export type Shape =
  | { readonly kind: 'leaf'; readonly name: string }
  | { readonly kind: 'struct' | 'variant' | 'extension'; readonly fields: AnyFields }
  | { readonly kind: 'optional' | 'list' | 'set'; readonly of: AnyCodec }
  | { readonly kind: 'map' | 'pair'; readonly key: AnyCodec; readonly of: AnyCodec }
  | { readonly kind: 'nested'; readonly of: () => AnyCodec };

export interface Codec<T> {
  readonly shape: Shape;
  /** The value of the chain's JSON; collections are put into the chain's order. */
  parse(json: unknown, chain: Chain, depth: number): T;
  toJson(value: T): unknown;
  write(out: ByteWriter, value: T, chain: Chain): void;
  /** The value of packed bytes, refused where the chain would pack it otherwise. */
  read(input: ByteReader, chain: Chain, depth: number): T;
}

export type ValueOf<C> = C extends Codec<infer T> ? T : never;

// biome-ignore lint/suspicious/noExplicitAny: a table of codecs of whatever types
export type AnyCodec = Codec<any>;
export type AnyFields = Readonly<Record<string, AnyCodec>>;
export type StructOf<F extends AnyFields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Fields one after another, by name in JSON. A name that is not in the table is refused. */
export function struct<F extends AnyFields>(fields: F): Codec<StructOf<F>> & { readonly fields: F } {
  const entries = Object.entries(fields);
  return {
    shape: { kind: 'struct', fields },
    fields,
    parse(json, chain, depth) {
      const object = asObject(json);
      for (const name of Object.keys(object)) {
        if (!Object.hasOwn(fields, name)) throw new Malformed('unknown').under(name);
      }
      return build(entries, (codec, name) => codec.parse(object[name], chain, depth)) as StructOf<F>;
    },
    toJson(value) {
      const json: Record<string, unknown> = {};
      for (const [name, codec] of entries) {
        const field = codec.toJson(value[name]);
        if (field !== undefined) json[name] = field;
      }
      return json;
    },
    write(out, value, chain) {
      for (const [name, codec] of entries) codec.write(out, value[name], chain);
    },
    read(input, chain, depth) {
      return build(entries, (codec) => codec.read(input, chain, depth)) as StructOf<F>;
    },
  };
}

function build(entries: [string, AnyCodec][], make: (codec: AnyCodec, name: string) => unknown): unknown {
  const value: Record<string, unknown> = {};
  for (const [name, codec] of entries) {
    try {
      value[name] = make(codec, name);
    } catch (fault) {
      throw fault instanceof Malformed ? fault.under(name) : fault;
    }
  }
  return value;
}

/** One byte that says whether the field is there. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    shape: { kind: 'optional', of: codec },
    parse: (json, chain, depth) =>
      json === undefined || json === null ? undefined : codec.parse(json, chain, depth),
    toJson: (value) => (value === undefined ? undefined : codec.toJson(value)),
    write(out, value, chain) {
      out.uint8(value === undefined ? 0 : 1);
      if (value !== undefined) codec.write(out, value, chain);
    },
    read: (input, chain, depth) => (readFlag(input) ? codec.read(input, chain, depth) : undefined),
  };
}

export function readFlag(input: ByteReader): boolean {
  const byte = input.uint8();
  if (byte > 1) throw new Malformed('neither 0 nor 1');
  return byte === 1;
}

/** Items one after another, in the order of the sender. */
export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    shape: { kind: 'list', of: codec },
    parse(json, chain, depth) {
      const items = asArray(json);
      if (items.length > MAX_ITEMS) throw new Malformed(`more than ${MAX_ITEMS} items`);
      return items.map((item, i) => at(i, () => codec.parse(item, chain, depth)));
    },
    toJson: (value) => value.map((item) => codec.toJson(item)),
    write(out, value, chain) {
      out.varint(value.length);
      for (const item of value) codec.write(out, item, chain);
    },
    read(input, chain, depth) {
      const items: T[] = [];
      for (let left = readCount(input); left > 0; left--) {
        items.push(at(items.length, () => codec.read(input, chain, depth)));
      }
      return items;
    },
  };
}

/** What the chain orders values in a set, or keys of a map, by. */
export type Rank = number | bigint | string | Uint8Array;

export interface Ordered<T> extends Codec<T> {
  rank(value: T, chain: Chain): Rank;
}

/** `flat_set`: in the chain's order, none twice. */
export function set<T>(codec: Ordered<T>): Codec<readonly T[]> {
  const items = list(codec);
  const rank = (item: T, chain: Chain) => codec.rank(item, chain);
  return {
    ...items,
    shape: { kind: 'set', of: codec },
    parse: (json, chain, depth) => sorted(items.parse(json, chain, depth), rank, chain),
    read: (input, chain, depth) => checkOrder(items.read(input, chain, depth), rank, chain),
  };
}

/** `flat_map`: pairs, in the chain's order of their keys, no key twice. */
export function map<K, V>(key: Ordered<K>, value: Codec<V>): Codec<readonly (readonly [K, V])[]> {
  const pairs = list(pair(key, value));
  const rank = ([own]: readonly [K, V], chain: Chain) => key.rank(own, chain);
  return {
    ...pairs,
    shape: { kind: 'map', key, of: value },
    parse: (json, chain, depth) => sorted(pairs.parse(json, chain, depth), rank, chain),
    read: (input, chain, depth) => checkOrder(pairs.read(input, chain, depth), rank, chain),
  };
}

/** Each rank is made once: that of a key costs two hashes. */
function sorted<T>(items: readonly T[], rank: (item: T, chain: Chain) => Rank, chain: Chain): readonly T[] {
  const ranked = items.map((item) => ({ item, rank: rank(item, chain) }));
  ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  checkRanks(ranked.map((one) => one.rank));
  return ranked.map(({ item }) => item);
}

function checkOrder<T>(
  items: readonly T[],
  rank: (item: T, chain: Chain) => Rank,
  chain: Chain,
): readonly T[] {
  checkRanks(items.map((item) => rank(item, chain)));
  return items;
}

function checkRanks(ranks: readonly Rank[]): void {
  for (let i = 1; i < ranks.length; i++) {
    const step = compareRanks(ranks[i - 1]!, ranks[i]!);
    if (step === 0) throw new Malformed('the same twice').under(`[${i}]`);
    if (step > 0) throw new Malformed("not in the chain's order").under(`[${i}]`);
  }
}

/** Ranks of one kind: numbers by size, bytes as `memcmp`. */
function compareRanks(a: Rank, b: Rank): number {
  if (a instanceof Uint8Array) return compareBytes(a, b as Uint8Array);
  return a < b ? -1 : a > b ? 1 : 0;
}

export function pair<A, B>(first: Codec<A>, second: Codec<B>): Codec<readonly [A, B]> {
  return {
    shape: { kind: 'pair', key: first, of: second },
    parse(json, chain, depth) {
      const both = asArray(json);
      if (both.length !== 2) throw new Malformed('two elements are meant');
      return [
        at(0, () => first.parse(both[0], chain, depth)),
        at(1, () => second.parse(both[1], chain, depth)),
      ];
    },
    toJson: (value) => [first.toJson(value[0]), second.toJson(value[1])],
    write(out, value, chain) {
      first.write(out, value[0], chain);
      second.write(out, value[1], chain);
    },
    read: (input, chain, depth) => [first.read(input, chain, depth), second.read(input, chain, depth)],
  };
}

/** One of several kinds: `[number, value]` in JSON, its name and value in memory. */
export type VariantOf<F extends AnyFields> = {
  [K in keyof F]: { readonly name: K; readonly value: ValueOf<F[K]> };
}[keyof F];

/** `static_variant`: the kinds in the order of their numbers. */
export function variant<F extends AnyFields>(kinds: F): Codec<VariantOf<F>> {
  return numbered(Object.entries(kinds).map(([name, codec], number) => ({ number, name, codec })));
}

interface Kind {
  number: number;
  name: string;
  codec: AnyCodec;
}

/** @param refused numbers that are known and not taken, with the reason */
export function numbered<V extends { readonly name: PropertyKey; readonly value: unknown }>(
  kinds: readonly Kind[],
  refused: ReadonlyMap<number, string> = new Map(),
): Codec<V> {
  const byNumber = new Map(kinds.map((kind) => [kind.number, kind]));
  const byName = new Map(kinds.map((kind) => [kind.name as PropertyKey, kind]));
  const known = (number: unknown): Kind => {
    const kind = byNumber.get(number as number);
    if (kind !== undefined) return kind;
    throw new Malformed(refused.get(number as number) ?? `no kind ${JSON.stringify(number)} is known`);
  };
  const inside = <T>(kind: Kind, act: () => T): V => {
    try {
      return { name: kind.name, value: act() } as unknown as V;
    } catch (fault) {
      throw fault instanceof Malformed ? fault.under(kind.name) : fault;
    }
  };
  return {
    shape: { kind: 'variant', fields: Object.fromEntries(kinds.map(({ name, codec }) => [name, codec])) },
    parse(json, chain, depth) {
      const both = asArray(json);
      if (both.length !== 2) throw new Malformed('a number and a value are meant');
      const kind = known(both[0]);
      return inside(kind, () => kind.codec.parse(both[1], chain, depth));
    },
    toJson(value) {
      const kind = byName.get(value.name)!;
      return [kind.number, kind.codec.toJson(value.value)];
    },
    write(out, value, chain) {
      const kind = byName.get(value.name)!;
      out.varint(kind.number);
      kind.codec.write(out, value.value, chain);
    },
    read(input, chain, depth) {
      const kind = known(input.varint());
      return inside(kind, () => kind.codec.read(input, chain, depth));
    },
  };
}

/** A set of variants, ordered by their kinds' numbers, one of each at most. */
export function numberedSet<V extends { readonly name: PropertyKey; readonly value: unknown }>(
  kinds: readonly Kind[],
): Codec<readonly V[]> {
  const numbers = new Map(kinds.map((kind) => [kind.name as PropertyKey, kind.number]));
  return set({ ...numbered<V>(kinds), rank: (value) => numbers.get(value.name)! });
}

export type ExtensionOf<F extends AnyFields> = { readonly [K in keyof F]?: ValueOf<F[K]> | undefined };

/** `extension<T>`: a count, then each field that is there behind its number. */
export function extension<F extends AnyFields>(fields: F): Codec<ExtensionOf<F>> {
  const entries = Object.entries(fields);
  return {
    shape: { kind: 'extension', fields },
    parse(json, chain, depth) {
      if (json === undefined || json === null || (Array.isArray(json) && json.length === 0)) return {};
      const object = asObject(json);
      for (const name of Object.keys(object)) {
        if (!Object.hasOwn(fields, name)) throw new Malformed('unknown').under(name);
      }
      const there = entries.filter(([name]) => object[name] !== undefined && object[name] !== null);
      return build(there, (codec, name) => codec.parse(object[name], chain, depth)) as ExtensionOf<F>;
    },
    toJson(value) {
      const json: Record<string, unknown> = {};
      for (const [name, codec] of entries) {
        if (value[name] !== undefined) json[name] = codec.toJson(value[name]);
      }
      return json;
    },
    write(out, value, chain) {
      out.varint(entries.filter(([name]) => value[name] !== undefined).length);
      entries.forEach(([name, codec], number) => {
        if (value[name] === undefined) return;
        out.varint(number);
        codec.write(out, value[name], chain);
      });
    },
    read(input, chain, depth) {
      const value: Record<string, unknown> = {};
      let last = -1;
      for (let left = readCount(input); left > 0; left--) {
        const number = input.varint();
        const entry = entries[number];
        if (entry === undefined) throw new Malformed(`no extension ${number} is known`);
        if (number <= last) throw new Malformed("extensions are not in the chain's order");
        last = number;
        Object.assign(
          value,
          build([entry], (codec) => codec.read(input, chain, depth)),
        );
      }
      return value as ExtensionOf<F>;
    },
  };
}

/** A codec that is made later, for kinds that hold their own like; each step in counts against the depth. */
export function nested<T>(make: () => Codec<T>): Codec<T> {
  let made: Codec<T> | undefined;
  const codec = () => {
    made ??= make();
    return made;
  };
  const deeper = (depth: number) => {
    if (depth >= MAX_NESTING) throw new Malformed(`nested deeper than ${MAX_NESTING}`);
    return depth + 1;
  };
  return {
    shape: { kind: 'nested', of: codec },
    parse: (json, chain, depth) => codec().parse(json, chain, deeper(depth)),
    toJson: (value) => codec().toJson(value),
    write: (out, value, chain) => codec().write(out, value, chain),
    read: (input, chain, depth) => codec().read(input, chain, deeper(depth)),
  };
}

export function asObject(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new Malformed(json === undefined ? 'missing' : 'an object is meant');
  }
  return json as Record<string, unknown>;
}

export function asArray(json: unknown): unknown[] {
  if (!Array.isArray(json)) throw new Malformed(json === undefined ? 'missing' : 'a list is meant');
  return json;
}

export function asText(json: unknown): string {
  if (typeof json !== 'string') throw new Malformed(json === undefined ? 'missing' : 'a text is meant');
  return json;
}

/** Every item takes at least one byte but those of no fields, which no list has. */
function readCount(input: ByteReader): number {
  const count = input.varint();
  if (count > input.left) throw new Malformed('more items than bytes');
  return count;
}

function at<T>(index: number, act: () => T): T {
  try {
    return act();
  } catch (fault) {
    throw fault instanceof Malformed ? fault.under(`[${index}]`) : fault;
  }
}
