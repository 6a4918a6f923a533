/**
 * CPace (draft-irtf-cfrg-cpace-21), the suite CPACE-RISTR255-SHA512 with an initiator and a responder: two who
 * hold the same low-entropy secret get the same key, and whoever carries their messages learns nothing by which
 * a guess could be tried. A place of its own (`@countersign/core/cpace`), for those alone who need it.
 * @module
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { type CryptoProvider, constantTimeEqual } from './crypto-provider.ts';
import { CountersignError } from './errors.ts';
import { lvCat } from './length-value.ts';

const DSI = 'CPaceRistretto255';
const SHA512_BLOCK = 128;
const SCALAR_BYTES = 32;
const utf8 = new TextEncoder();

/** An element of ristretto255 (RFC 9496). */
export type Element = ReturnType<typeof ristretto255.Point.fromBytes>;

/** What both must hold alike to get the same key (section 4.1). */
export interface CpaceInputs {
  /** `PRS`: the secret, or what a slow hash made of it. */
  readonly password: Uint8Array;
  /** `CI`: what the run is about. */
  readonly channel: Uint8Array;
  /** `sid`: the name of this run, never used twice. */
  readonly session: Uint8Array;
}

/** What one party sends: 32 bytes, and the data that goes with it in clear. */
export interface CpaceShare {
  readonly share: Uint8Array;
  readonly data: Uint8Array;
}

export interface CpaceKey {
  /** `ISK`: 64 bytes. Derive keys from it; do not use it as one. */
  readonly isk: Uint8Array;
  /** Confirms the key over the given parts: 64 bytes, HMAC-SHA-512 (section 10.4). */
  tag(...parts: readonly Uint8Array[]): Uint8Array;
  isTag(tag: Uint8Array, ...parts: readonly Uint8Array[]): boolean;
}

export interface CpaceRun {
  readonly sent: CpaceShare;
  /** @throws `session-invalid` for a share that is no element of the group, or its neutral one */
  finish(received: CpaceShare): CpaceKey;
}

/** Begins a run. Its scalar is drawn here, and never leaves. */
export function startCpace(
  crypto: Pick<CryptoProvider, 'randomBytes'>,
  role: 'initiator' | 'responder',
  inputs: CpaceInputs,
  data: Uint8Array,
): CpaceRun {
  const scalar = sampleScalar(crypto);
  const sent = { share: scalarMult(scalar, calculateGenerator(inputs)), data };
  return {
    sent,
    finish(received) {
      const secret = scalarMultVerify(scalar, received.share);
      const [initiator, responder] = role === 'initiator' ? [sent, received] : [received, sent];
      return keyOf(inputs.session, sharedKey(inputs.session, secret, initiator, responder));
    },
  };
}

/** `generator_string`: the secret fills the first block of the hash, so that its length does not tell. */
export function generatorString({ password, channel, session }: CpaceInputs): Uint8Array {
  const padding = SHA512_BLOCK - 1 - lvCat(password).length - lvCat(DSI).length;
  return lvCat(DSI, password, new Uint8Array(Math.max(0, padding)), channel, session);
}

/** `calculate_generator` (section 8.3). */
export function calculateGenerator(inputs: CpaceInputs): Element {
  return ristretto255_hasher.deriveToCurve!(sha512(generatorString(inputs)));
}

/** `sample_scalar`: 252 random bits, little-endian. */
export function sampleScalar(crypto: Pick<CryptoProvider, 'randomBytes'>): Uint8Array {
  const scalar = crypto.randomBytes(SCALAR_BYTES);
  scalar[SCALAR_BYTES - 1]! &= 0x0f;
  return scalar;
}

/** `scalar_mult`. A scalar of zero, which only a broken source of randomness draws, is a `RangeError`. */
export function scalarMult(scalar: Uint8Array, element: Element): Uint8Array {
  return element.multiply(bytesToNumberLE(scalar)).toBytes();
}

/**
 * `scalar_mult_vfy`, with the abort that section 7.2 asks for.
 * @throws `session-invalid` where the draft has it return the neutral element
 */
export function scalarMultVerify(scalar: Uint8Array, encoded: Uint8Array): Uint8Array {
  let element: Element;
  try {
    element = ristretto255.Point.fromBytes(encoded);
  } catch (cause) {
    throw new CountersignError('session-invalid', 'a share that is no element of ristretto255', { cause });
  }
  if (element.is0()) throw new CountersignError('session-invalid', 'a share that is the neutral element');
  return scalarMult(scalar, element);
}

/** `transcript_ir` (section 6.3): the initiator's part first. */
export function transcript(initiator: CpaceShare, responder: CpaceShare): Uint8Array {
  return lvCat(initiator.share, initiator.data, responder.share, responder.data);
}

/** `ISK` (section 7.2). */
export function sharedKey(
  session: Uint8Array,
  secret: Uint8Array,
  initiator: CpaceShare,
  responder: CpaceShare,
): Uint8Array {
  return sha512(concatBytes(lvCat(`${DSI}_ISK`, session, secret), transcript(initiator, responder)));
}

function keyOf(session: Uint8Array, isk: Uint8Array): CpaceKey {
  const macKey = sha512(concatBytes(utf8.encode('CPaceMac'), session, isk));
  const tag = (...parts: readonly Uint8Array[]) => hmac(sha512, macKey, lvCat(...parts));
  return { isk, tag, isTag: (given, ...parts) => constantTimeEqual(given, tag(...parts)) };
}
