/**
 * What both sides of a pairing say and derive: spec/m-auth.md#pairing.
 * @module
 */
import * as v from 'valibot';
import { decodeBase32, ungroupBase32 } from './base32.ts';
import { BASE64URL_16_BYTES } from './base64url.ts';
import { lvCat } from './length-value.ts';
import { encodeFrame, type Frame, M_AUTH_VERSION, PROOF_BYTES, TAG_BYTES } from './m-auth-frames.ts';
import { type ChannelMessage, encodeMessage, parseMessage } from './m-auth-messages.ts';
import { HostName, LocalAccount, Name, type PasscodeTag, RATCHET_BYTES, Services } from './m-auth-record.ts';
import type { NoiseCrypto } from './noise.ts';
import type { Channel } from './noise-handshake.ts';
import { parsePairCode } from './secret-code.ts';

const Bytes16 = v.pipe(v.string(), v.regex(BASE64URL_16_BYTES));

/** The validator’s part. It names the pair, so that its erase statement is made before the host has a say. */
export const ValidatorMessage = v.strictObject({
  kind: v.literal('validator'),
  id: Bytes16,
  name: Name(64),
  erase: v.strictObject({ tag: Bytes16, check: Bytes16 }),
});

export const InterfaceMessage = v.strictObject({
  kind: v.literal('interface'),
  account: LocalAccount,
  host: HostName,
  services: Services,
});

export const ConfirmMessage = v.strictObject({ kind: v.literal('confirm') });

export type PairNames = Omit<v.InferOutput<typeof InterfaceMessage>, 'kind'>;

/** What a machine of a pairing wants done: see `Step`; here a whole new record is to be kept. */
export interface PairStep<Event, Record> {
  readonly send: readonly Uint8Array[];
  /** To be made durable before anything else happens; then comes `settle`. */
  readonly keep?: Record;
  readonly event?: Event;
  /** The connection is to be closed, after `send`. */
  readonly close: boolean;
}

export function pairTag(crypto: NoiseCrypto, code: Uint8Array): PasscodeTag {
  const both = crypto.hmac(code, lvCat('countersign m-auth pair-validate 1'));
  return { tag: both.slice(0, TAG_BYTES), proof: both.slice(TAG_BYTES, TAG_BYTES + PROOF_BYTES) };
}

export function pairPsk(crypto: NoiseCrypto, code: Uint8Array): Uint8Array {
  return crypto.hmac(code, lvCat('countersign m-auth pair-psk 1'));
}

export function pairPrologue(tag: Uint8Array): Uint8Array {
  return lvCat('countersign m-auth pair', Uint8Array.of(M_AUTH_VERSION), tag);
}

export function firstRatchet(crypto: NoiseCrypto, { exported, hash }: Channel): Uint8Array {
  const info = lvCat('countersign m-auth first ratchet 1', hash);
  return crypto.hkdf(new Uint8Array(RATCHET_BYTES), exported, info, RATCHET_BYTES);
}

export function codeBytes(code: string): Uint8Array {
  return decodeBase32(ungroupBase32(parsePairCode(code)))!;
}

export function seal(channel: Channel, message: ChannelMessage): Uint8Array {
  return encodeFrame({ kind: 'transport', body: channel.send.encrypt(encodeMessage(message)) });
}

export function open<S extends v.GenericSchema>(schema: S, channel: Channel, frame: Frame): v.InferOutput<S> {
  const body = frame.kind === 'transport' ? frame.body : new Uint8Array();
  return parseMessage(schema, channel.receive.decrypt(body));
}

export function pairStep<Event, Record>(
  parts: Partial<PairStep<Event, Record>> = {},
): PairStep<Event, Record> {
  return { send: [], close: false, ...parts };
}
