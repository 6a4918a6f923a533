/**
 * Fields without parts: numbers, times, texts, ids, keys. JSON is read as the chain writes it, and not as
 * JavaScript would coerce it.
 * @module
 */
import { CountersignError } from '@countersign/core/errors';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { asArray, asText, type Codec, type Ordered, readFlag } from './codec.ts';
import { formatAddress, formatPublicKey, keyAddress, parseAddress, parsePublicKey } from './keys.ts';
import { Malformed } from './malformed.ts';

const itself = <T>(value: T): T => value;

function small(bits: 8 | 16 | 32): Ordered<number> {
  const most = 2 ** bits - 1;
  return {
    shape: { kind: 'leaf', name: `uint${bits}` },
    parse(json) {
      if (
        typeof json !== 'number' ||
        !Number.isInteger(json) ||
        json < 0 ||
        json > most ||
        Object.is(json, -0)
      ) {
        throw new Malformed(json === undefined ? 'missing' : `a whole number up to ${most} is meant`);
      }
      return json;
    },
    toJson: (value) => value,
    write: (out, value) =>
      bits === 8 ? out.uint8(value) : bits === 16 ? out.uint16(value) : out.uint32(value),
    read: (input) => (bits === 8 ? input.uint8() : bits === 16 ? input.uint16() : input.uint32()),
    rank: itself,
  };
}

export const uint8 = small(8);
export const uint16 = small(16);
export const uint32 = small(32);

/** `unsigned_int`: packed by its size; no field of the chain goes beyond 32 bits. */
export const varint: Ordered<number> = {
  ...uint32,
  shape: { kind: 'leaf', name: 'varint' },
  write: (out, value) => out.varint(value),
  read(input) {
    const value = input.varint();
    if (value > 0xffffffff) throw new Malformed('a number beyond 32 bits');
    return value;
  },
};

const WHOLE = /^(?:0|-?[1-9][0-9]{0,19})$/;
/** What the chain writes as a number in JSON; whatever is larger, it writes as a text. */
const MOST_AS_NUMBER = 0xffffffffn;

function large(least: bigint, most: bigint, signed: boolean): Ordered<bigint> {
  return {
    shape: { kind: 'leaf', name: signed ? 'int64' : 'uint64' },
    parse(json) {
      const whole =
        typeof json === 'number'
          ? Number.isSafeInteger(json) && !Object.is(json, -0)
          : WHOLE.test(asText(json));
      if (!whole) throw new Malformed('a whole number is meant, as a text where it is beyond 53 bits');
      const value = BigInt(json as number | string);
      if (value < least || value > most) throw new Malformed(`a number from ${least} to ${most} is meant`);
      return value;
    },
    toJson: (value) => (value > MOST_AS_NUMBER || value < -MOST_AS_NUMBER ? value.toString() : Number(value)),
    write: (out, value) => (signed ? out.int64(value) : out.uint64(value)),
    read: (input) => (signed ? input.int64() : input.uint64()),
    rank: itself,
  };
}

export const int64 = large(-(2n ** 63n), 2n ** 63n - 1n, true);
export const uint64 = large(0n, 2n ** 64n - 1n, false);

export const bool: Ordered<boolean> = {
  shape: { kind: 'leaf', name: 'bool' },
  parse(json) {
    if (typeof json !== 'boolean')
      throw new Malformed(json === undefined ? 'missing' : 'true or false is meant');
    return json;
  },
  toJson: (value) => value,
  write: (out, value) => out.uint8(value ? 1 : 0),
  read: readFlag,
  rank: Number,
};

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;

/** `time_point_sec`: UTC, seconds, `2026-11-21T10:00:00` in JSON. */
export const time: Ordered<number> = {
  shape: { kind: 'leaf', name: 'time' },
  parse(json) {
    const text = asText(json);
    const milliseconds = TIME.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
    const seconds = milliseconds / 1000;
    if (!(seconds >= 0 && seconds <= 0xffffffff) || formatTime(seconds) !== text) {
      throw new Malformed('a time such as 2026-11-21T10:00:00 is meant');
    }
    return seconds;
  },
  toJson: formatTime,
  write: (out, value) => out.uint32(value),
  read: (input) => input.uint32(),
  rank: itself,
};

/** Seconds since 1970 as the chain writes a time. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

export const text: Ordered<string> = {
  shape: { kind: 'leaf', name: 'text' },
  parse(json) {
    const value = asText(json);
    if (!value.isWellFormed()) throw new Malformed('a lone surrogate');
    return value;
  },
  toJson: (value) => value,
  write: (out, value) => out.text(value),
  read: (input) => input.text(),
  rank: (value) => new TextEncoder().encode(value),
};

const HEX = /^(?:[0-9a-f]{2})*$/i;

/** Bytes, as hex in JSON and in memory; of a fixed size, or behind their length. */
export function bytes(size?: number): Ordered<string> {
  return {
    shape: { kind: 'leaf', name: size === undefined ? 'bytes' : `bytes(${size})` },
    parse(json) {
      const hex = asText(json);
      if (!HEX.test(hex) || (size !== undefined && hex.length !== size * 2)) {
        throw new Malformed(size === undefined ? 'hex is meant' : `${size} bytes in hex are meant`);
      }
      return hex.toLowerCase();
    },
    toJson: (value) => value,
    write: (out, value) => (size === undefined ? out.counted(hexToBytes(value)) : out.raw(hexToBytes(value))),
    read: (input) => bytesToHex(size === undefined ? input.counted() : input.raw(size)),
    rank: itself,
  };
}

/** The chain keeps 48 bits for the last part of an id. */
const MOST_INSTANCE = 2 ** 48 - 1;
const INSTANCE = /^(?:0|[1-9][0-9]{0,14})$/;

function instance(text: string): number {
  const number = INSTANCE.test(text) ? Number(text) : Number.NaN;
  if (!(number <= MOST_INSTANCE)) throw new Malformed('an id ends with a number of up to 48 bits');
  return number;
}

/** The id of one kind of object: `1.2.17` in JSON and memory, its last part packed by size. */
export function id(type: number, space = 1): Ordered<string> {
  const start = `${space}.${type}.`;
  const last = (value: string) => Number(value.slice(start.length));
  return {
    shape: { kind: 'leaf', name: `id(${space}.${type})` },
    parse(json) {
      const value = asText(json);
      if (!value.startsWith(start)) throw new Malformed(`an id that begins with ${start} is meant`);
      instance(value.slice(start.length));
      return value;
    },
    toJson: (value) => value,
    write: (out, value) => out.varint(last(value)),
    read(input) {
      const number = input.varint();
      if (number > MOST_INSTANCE) throw new Malformed('an id beyond 48 bits');
      return start + number;
    },
    rank: last,
  };
}

/** The id of any object: space, type and number in 64 bits. */
export const objectId: Codec<string> = {
  shape: { kind: 'leaf', name: 'object id' },
  parse(json) {
    const value = asText(json);
    const parts = value.split('.');
    if (parts.length !== 3 || instance(parts[0]!) > 255 || instance(parts[1]!) > 255) {
      throw new Malformed('an id such as 1.2.17 is meant');
    }
    instance(parts[2]!);
    return value;
  },
  toJson: (value) => value,
  write(out, value) {
    const [space, type, number] = value.split('.').map(BigInt);
    out.uint64((space! << 56n) | (type! << 48n) | number!);
  },
  read(input) {
    const packed = input.uint64();
    return `${packed >> 56n}.${(packed >> 48n) & 0xffn}.${packed & 0xffffffffffffn}`;
  },
};

const VOTE = /^(0|[1-9][0-9]{0,2}):(0|[1-9][0-9]{0,7})$/;

function packVote(value: string): number {
  const [type, number] = value.split(':').map(Number);
  return number! * 256 + type!;
}

/** `vote_id`: `1:23`, the kind in 8 bits and the number in 24. */
export const voteId: Ordered<string> = {
  shape: { kind: 'leaf', name: 'vote id' },
  parse(json) {
    const value = asText(json);
    const match = VOTE.exec(value);
    if (match === null || Number(match[1]) > 0xff || Number(match[2]) > 0xffffff) {
      throw new Malformed('a vote such as 1:23 is meant');
    }
    return value;
  },
  toJson: (value) => value,
  write: (out, value) => out.uint32(packVote(value)),
  read(input) {
    const packed = input.uint32();
    return `${packed & 0xff}:${packed >>> 8}`;
  },
  rank: packVote,
};

/** A fault of a key's text is one of the field that it stands in. */
function keyed<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof CountersignError ? new Malformed(cause.message, { cause }) : cause;
  }
}

/** A public key: its text with the chain's prefix. */
export const publicKey: Ordered<string> = {
  shape: { kind: 'leaf', name: 'public key' },
  parse(json, chain) {
    const value = asText(json);
    keyed(() => parsePublicKey(value, chain.prefix));
    return value;
  },
  toJson: (value) => value,
  write: (out, value, chain) => out.raw(parsePublicKey(value, chain.prefix)),
  read: (input, chain) => formatPublicKey(input.raw(33), chain.prefix),
  rank: (value, chain) => keyAddress(parsePublicKey(value, chain.prefix)),
};

/** An address, from before keys stood in authorities. */
export const address: Ordered<string> = {
  shape: { kind: 'leaf', name: 'address' },
  parse(json, chain) {
    const value = asText(json);
    keyed(() => parseAddress(value, chain.prefix));
    return value;
  },
  toJson: (value) => value,
  write: (out, value, chain) => out.raw(parseAddress(value, chain.prefix)),
  read: (input, chain) => formatAddress(input.raw(20), chain.prefix),
  rank: (value, chain) => parseAddress(value, chain.prefix),
};

/** Room for what the chain may add one day: it must be empty, since what stood in it could not be told. */
export const noExtensions: Codec<readonly []> = {
  shape: { kind: 'leaf', name: 'no extensions' },
  parse(json) {
    if (json !== undefined && asArray(json).length > 0) throw new Malformed('extensions that are not known');
    return [];
  },
  toJson: () => [],
  write: (out) => out.varint(0),
  read(input) {
    if (input.varint() !== 0) throw new Malformed('extensions that are not known');
    return [];
  },
};

/** Nothing at all: `{}` in JSON, no byte. */
export const nothing: Codec<Readonly<Record<string, never>>> = {
  shape: { kind: 'leaf', name: 'nothing' },
  parse(json) {
    if (typeof json !== 'object' || json === null || Object.keys(json).length > 0) {
      throw new Malformed('an empty object is meant');
    }
    return {};
  },
  toJson: () => ({}),
  write() {},
  read: () => ({}),
};
