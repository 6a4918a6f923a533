/**
 * What a vector file looks like, and how a good statement is made into bad ones.
 * @module
 */
import { decodeBase64url, type ErrorCode, encodeBase64url } from '@countersign/core';

export interface Vector {
  readonly name: string;
  readonly comment: string;
  readonly result: 'valid' | 'invalid';
  readonly code?: ErrorCode;
  /** What a reader of a valid vector finds in it. */
  readonly expect?: unknown;
  readonly [input: string]: unknown;
}

export interface VectorFile {
  readonly description: string;
  /** The page that says it. */
  readonly spec: string;
  /** Private keys that the inputs were made with, where a reader needs them. */
  readonly test_private_keys?: Readonly<Record<string, unknown>>;
  /** Device logs that the vectors name, by name. */
  readonly logs?: Readonly<Record<string, readonly string[]>>;
  readonly vectors: readonly Vector[];
}

export function valid(name: string, comment: string, input: object, expect?: unknown): Vector {
  return { name, comment, ...input, result: 'valid', ...(expect === undefined ? {} : { expect }) };
}

export function invalid(name: string, comment: string, code: ErrorCode, input: object): Vector {
  return { name, comment, ...input, result: 'invalid', code };
}

/** The first whole number that is too large (RFC 7493 section 2.2). */
export const TOO_LARGE = 2 ** 53;

// biome-ignore lint/suspicious/noExplicitAny: an attacker keeps to no type
export type Loose = any;

const text = new TextEncoder();

export function partOf(jws: string, index: 0 | 1): Loose {
  return JSON.parse(new TextDecoder().decode(decodeBase64url(jws.split('.')[index]!)));
}

export function payloadOf(jws: string): Loose {
  return partOf(jws, 1);
}

/** The statement with another header or payload under its old signature. */
export function tamper(jws: string, change: (payload: Loose, header: Loose) => void): string {
  const header = partOf(jws, 0);
  const payload = payloadOf(jws);
  change(payload, header);
  const [head, body] = [header, payload].map((part) => encodeBase64url(text.encode(JSON.stringify(part))));
  return `${head}.${body}.${jws.split('.')[2]}`;
}

/** The statement with one bit of its signature turned. */
export function flipSignature(jws: string): string {
  const [header, payload, signature] = jws.split('.');
  const bytes = decodeBase64url(signature!);
  bytes[10]! ^= 1;
  return `${header}.${payload}.${encodeBase64url(bytes)}`;
}

/** The same bytes in a text that is not the canonical one: the last letter has stray bits. */
export function strayBits(base64: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  if (base64.length % 4 < 2) throw new TypeError('no spare bits in a text of this length');
  return base64.slice(0, -1) + alphabet[alphabet.indexOf(base64.at(-1)!) + 1];
}

/** A compact JWS with one of its three parts replaced. */
export function withPart(jws: string, index: number, part: string): string {
  return jws.split('.').with(index, part).join('.');
}

/** The JSON text of a payload in which the first member of a name stands twice. */
export function duplicateMember(payload: object, name: string): string {
  const json = JSON.stringify(payload);
  const member = `${JSON.stringify(name)}:${JSON.stringify((payload as Loose)[name])}`;
  if (!json.includes(member)) throw new TypeError(`no member ${name}`);
  return json.replace(member, () => `${member},${member}`);
}

/**
 * The statement once for each member of its payload, with that member changed under the old signature.
 * @param special values for members whose change would otherwise break the form, by path; null leaves one out
 */
export function flipMembers(
  jws: string,
  special: Readonly<Record<string, unknown>> = {},
): { path: string; jws: string }[] {
  return [...leavesOf(payloadOf(jws))].flatMap((path) => {
    const name = path.join('.');
    if (special[name] === null) return [];
    const altered = tamper(jws, (payload) => {
      const holder = path.slice(0, -1).reduce((value, key) => value[key], payload);
      const key = path.at(-1)!;
      holder[key] = name in special ? special[name] : flip(holder[key]);
    });
    return [{ path: name, jws: altered }];
  });
}

function* leavesOf(value: Loose, path: readonly string[] = []): Generator<string[]> {
  if (typeof value !== 'object' || value === null) yield [...path];
  else for (const [key, child] of Object.entries(value)) yield* leavesOf(child, [...path, key]);
}

/** Another value of the same form: a number one higher, a text with its first letter turned. */
function flip(value: unknown): unknown {
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'string')
    return (value[0] === 'a' ? 'b' : value[0] === 'A' ? 'B' : value[0]! < 'a' ? 'A' : 'a') + value.slice(1);
  throw new TypeError('this member needs a special value');
}
