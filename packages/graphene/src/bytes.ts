/**
 * Bytes as the chain packs them (`fc::raw`): little-endian numbers, varints in LEB128. Whatever could be packed
 * in two ways is read in one only, so that what was read packs to the same bytes again.
 * @module
 */
import { Malformed } from './malformed.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const toUtf8 = new TextEncoder();

export class ByteWriter {
  #buffer = new Uint8Array(512);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  uint8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  uint16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value, true);
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  int64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value, true);
  }

  uint64(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, true);
  }

  /** A whole number below 2^53. */
  varint(value: number): void {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) this.uint8((rest & 127) | 128);
    this.uint8(rest);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** Behind their length. */
  counted(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.counted(toUtf8.encode(text));
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #step(size: number): number {
    if (size > this.left) throw new Malformed('the bytes end too early');
    const at = this.#at;
    this.#at += size;
    return at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#step(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#step(8), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.uint8();
      value += (byte & 127) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new Malformed('a number beyond 53 bits');
      if (byte < 128) {
        if (byte === 0 && scale > 1) throw new Malformed('a number packed longer than it need be');
        return value;
      }
    }
  }

  raw(size: number): Uint8Array {
    const at = this.#step(size);
    return this.#bytes.subarray(at, at + size);
  }

  counted(): Uint8Array {
    return this.raw(this.varint());
  }

  text(): string {
    const bytes = this.counted();
    try {
      return utf8.decode(bytes);
    } catch {
      throw new Malformed('a text that is not UTF-8');
    }
  }

  end(): void {
    if (this.left > 0) throw new Malformed(`${this.left} bytes too many`);
  }
}

/** As `memcmp`: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
