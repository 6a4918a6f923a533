/**
 * What each side of a pair keeps, and how its ratchet moves: spec/m-auth.md#records. Records are JSON of at most
 * 2 KB; they are as secret as a private key, and a store seals them.
 * @module
 */
import * as v from 'valibot';
import { BASE64URL_16_BYTES, BASE64URL_32_BYTES, decodeBase64url, encodeBase64url } from './base64url.ts';
import { checkDisplayLine, utf8Length } from './display-text.ts';
import { CountersignError } from './errors.ts';
import { Seconds } from './keys.ts';
import { lvCat } from './length-value.ts';
import { M_AUTH_VERSION, PROOF_BYTES, TAG_BYTES } from './m-auth-frames.ts';
import { isAddress } from './m-auth-pair-link.ts';
import type { NoiseCrypto } from './noise.ts';

export const MAX_RECORD_BYTES = 2048;
export const PAIR_ID_BYTES = 16;
/** How many old steps raise an alarm; older ones only fail. */
export const RETIRED_STEPS = 14;
export const RATCHET_BYTES = 32;
const TAG_KEY_BYTES = 16;
const HANDSHAKE_ID_BYTES = 16;

const Bytes16 = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES, 'expected 16 bytes in base64url'));
const Bytes32 = v.pipe(v.string(), v.regex(BASE64URL_32_BYTES, 'expected 32 bytes in base64url'));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

/** One line of display text of at most so many bytes. */
export function Line(maxBytes: number) {
  return v.pipe(
    v.string(),
    v.check((text) => isDisplayLine(text, maxBytes), `expected display text of at most ${maxBytes} bytes`),
  );
}

/** One that stands in a record: of at most so many bytes as JSON writes it, between its quotes. */
export function Name(maxBytes: number) {
  return v.pipe(
    Line(maxBytes),
    v.check((text) => jsonBytes(text) - 2 <= maxBytes, `expected at most ${maxBytes} bytes in JSON`),
  );
}

/** How long a value is as JSON, in bytes. */
export function jsonBytes(value: unknown): number {
  return utf8Length(JSON.stringify(value));
}

/** A user’s name on a host, as the host has it. */
export const LocalAccount = Name(64);
/** ASCII alone, so that no two look alike. */
export const HostName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,126}[A-Za-z0-9])?$/, 'expected the name of a host'),
);
const Address = v.pipe(v.string(), v.check(isAddress, 'expected host:port, or the URL of a WebSocket'));
/** What a person signs on to at a host: `login`, `sshd`, `sudo`, `screen lock`. */
export const ServiceName = Name(32);
export const Services = v.pipe(v.array(ServiceName), v.minLength(1), v.maxLength(12));

export const PairNames = {
  id: Bytes16,
  account: LocalAccount,
  host: HostName,
  services: Services,
};

export const InterfaceRecord = v.strictObject({
  countersign: v.literal('m-auth interface/1'),
  ...PairNames,
  /** What the validator’s person calls that device. */
  validator: Name(64),
  /** The private key of this side, for this pair alone, and the other side’s public one. */
  secret: Bytes32,
  peer: Bytes32,
  /** What those two give, kept so as not to be made at each sign-on: the public key, and the Diffie-Hellman. */
  key: v.optional(Bytes32),
  shared: v.optional(Bytes32),
  /** How many sign-ons were granted. */
  step: Count,
  ratchet: Bytes32,
  /** The step before, until the validator has shown that it has this one; and which handshake it granted. */
  before: v.optional(v.strictObject({ ratchet: Bytes32, granted: Bytes16 })),
  /** Tag keys of steps that are over, newest first. Nothing opens with them; their use raises the alarm. */
  retired: v.pipe(v.array(Bytes16), v.maxLength(RETIRED_STEPS)),
  /** By which an erase statement is known: its tag, and the hash of its token. */
  erase: v.strictObject({ tag: Bytes16, check: Bytes16 }),
  disabled: v.optional(v.literal(true)),
  /** Sign-ons begun and not granted, and alarms, since the last one that was granted. The validator shows them. */
  failed: Count,
  alarms: Count,
  last: v.optional(v.strictObject({ time: Seconds, service: ServiceName })),
});
export type InterfaceRecord = v.InferOutput<typeof InterfaceRecord>;

export const ValidatorRecord = v.strictObject({
  countersign: v.literal('m-auth validator/1'),
  ...PairNames,
  /** Where its demultiplexer is: `host:port`, or a URL with `wss:` or `ws:`. */
  addresses: v.pipe(v.array(Address), v.minLength(1), v.maxLength(4)),
  /** This side’s public key; the private one is the store’s to keep. */
  key: Bytes32,
  peer: Bytes32,
  step: Count,
  ratchet: Bytes32,
  /** Handshakes that the person accepted and whose result never came: the interface may have granted one. */
  pending: v.pipe(v.array(Bytes16), v.maxLength(2)),
  /** The token of this pair’s erase statement. */
  erase: Bytes16,
});
export type ValidatorRecord = v.InferOutput<typeof ValidatorRecord>;

/** Among a pair’s services it stands for all of the host. */
export const ANY_SERVICE = '*';

/** Whether a pair is for a service: each side looks for itself, since the other one may not. */
export function isForService(
  { services }: { readonly services: readonly string[] },
  service: string,
): boolean {
  return services.includes(ANY_SERVICE) || services.includes(service);
}

/** @throws `record-invalid` */
export function parseInterfaceRecord(value: unknown): InterfaceRecord {
  return parse(InterfaceRecord, value);
}

/** @throws `record-invalid` */
export function parseValidatorRecord(value: unknown): ValidatorRecord {
  return parse(ValidatorRecord, value);
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new CountersignError('record-invalid', `not a record of M-AUTH: ${v.summarize(parsed.issues)}`);
}

const TAG_KEY_MESSAGE = lvCat('countersign m-auth tag 1');

/** What a passcode and a step of the ratchet give, to whoever holds both. */
export interface PasscodeTag {
  /** By which the demultiplexer matches. */
  readonly tag: Uint8Array;
  /** That the tag was made and not guessed or copied. */
  readonly proof: Uint8Array;
}

/** The first derivation from a ratchet: what is kept of a step that is over. 16 bytes. */
export function tagKeyOf(crypto: NoiseCrypto, ratchet: Uint8Array): Uint8Array {
  return crypto.hmac(ratchet, TAG_KEY_MESSAGE).slice(0, TAG_KEY_BYTES);
}

export function passcodeTag(crypto: NoiseCrypto, tagKey: Uint8Array, passcode: string): PasscodeTag {
  return passcodeTags(crypto, passcode)(tagKey);
}

/** The same for many tag keys and one passcode. */
export function passcodeTags(crypto: NoiseCrypto, passcode: string): (tagKey: Uint8Array) => PasscodeTag {
  const message = lvCat('countersign m-auth validate 1', passcode);
  return (tagKey) => {
    const both = crypto.hmac(tagKey, message);
    return { tag: both.subarray(0, TAG_BYTES), proof: both.subarray(TAG_BYTES, TAG_BYTES + PROOF_BYTES) };
  };
}

/** What tells the holder of an old step that it is over: 16 bytes. */
export function staleNotice(crypto: NoiseCrypto, tagKey: Uint8Array, passcode: string): Uint8Array {
  const notice = crypto.hmac(tagKey, lvCat('countersign m-auth stale 1', passcode));
  return notice.slice(0, PROOF_BYTES);
}

export function signOnPsk(crypto: NoiseCrypto, ratchet: Uint8Array, passcode: string): Uint8Array {
  return crypto.hmac(ratchet, lvCat('countersign m-auth psk 1', passcode));
}

/** What both sides must hold alike beside their keys, or the handshake fails. */
export function signOnPrologue(
  pair: { readonly id: string; readonly account: string; readonly host: string },
  tag: Uint8Array,
  validatorKey: Uint8Array,
  interfaceKey: Uint8Array,
): Uint8Array {
  const id = decodeBase64url(pair.id);
  const version = Uint8Array.of(M_AUTH_VERSION);
  return lvCat(
    'countersign m-auth sign-on',
    version,
    tag,
    id,
    pair.host,
    pair.account,
    validatorKey,
    interfaceKey,
  );
}

/** The next step: HKDF-SHA-256 (RFC 5869) with the old one as salt, of what the handshake exports. */
export function nextRatchet(
  crypto: NoiseCrypto,
  ratchet: Uint8Array,
  { exported, hash }: { readonly exported: Uint8Array; readonly hash: Uint8Array },
): Uint8Array {
  return crypto.hkdf(ratchet, exported, lvCat('countersign m-auth ratchet 1', hash), RATCHET_BYTES);
}

/** By which one handshake is known in records and contexts. */
export function handshakeId(hash: Uint8Array): string {
  return encodeBase64url(hash.slice(0, HANDSHAKE_ID_BYTES));
}

function isDisplayLine(text: string, maxBytes: number): boolean {
  try {
    checkDisplayLine(text, maxBytes);
    return true;
  } catch {
    return false;
  }
}
