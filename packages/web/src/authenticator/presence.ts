/**
 * Proof that the person is there, by the device's own lock: a passkey whose use wants a fingerprint, a face or a PIN
 * (WebAuthn level 3, section 5, `userVerification: "required"`). The browser is believed that it did so; the answer
 * says that this device checked, and whoever verifies it trusts the device.
 * @module
 */
import type { Session } from '@countersign/client';
import { CountersignError, decodeBase64url, encodeBase64url } from '@countersign/core';
import * as v from 'valibot';
import { ALWAYS_VERIFY, mustVerify, SETTINGS } from './own.ts';

const PASSKEY = 'passkey';
/** COSE: Ed25519, ES256, RS256. */
const ALGORITHMS = [-8, -7, -257];
/** Web Authentication section 6.1: user present, user verified. */
const PRESENT = 0x01;
const VERIFIED = 0x04;
const FLAGS_AT = 32;

const ClientData = v.looseObject({ type: v.string(), challenge: v.string(), origin: v.string() });

/** Whether this device can check it at all, and whether it was set up to. */
export async function presence({
  state,
}: Session): Promise<{ possible: boolean; set: boolean; always: boolean }> {
  // A passkey belongs to a name: an address of numbers has none.
  const named = !/^[\d.]+$|^\[/.test(location.hostname);
  const possible =
    named &&
    globalThis.PublicKeyCredential !== undefined &&
    (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().catch(() => false));
  const set = (await state.get<string>(SETTINGS, PASSKEY)) !== undefined;
  return { possible, set, always: set && (await mustVerify()) };
}

/** Makes the passkey, in this very device, with the person's gesture. */
export async function setUpPresence({ state, crypto, keys }: Session): Promise<void> {
  const challenge = crypto.randomBytes(32);
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge,
      rp: { name: 'Countersign' },
      user: { id: crypto.randomBytes(16), name: keys.name, displayName: keys.name },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: {
        authenticatorAttachment: 'platform',
        userVerification: 'required',
        residentKey: 'preferred',
      },
      attestation: 'none',
    },
  })) as PublicKeyCredential | null;
  // A key that somebody brings along proves nothing about who holds this device.
  if (made === null || made.authenticatorAttachment !== 'platform') throw missing();
  const response = made.response as AuthenticatorAttestationResponse;
  checkGesture(response.clientDataJSON, 'webauthn.create', challenge, response.getAuthenticatorData());
  await state.update(SETTINGS, PASSKEY, () => encodeBase64url(new Uint8Array(made.rawId)));
}

/**
 * Asks for the gesture.
 * @param over what it is for: hash of the request
 * @throws `verification-missing`; `NotAllowedError` of the browser where the person did not
 */
export async function verifyPresence({ state }: Session, over: string): Promise<void> {
  const id = await state.get<string>(SETTINGS, PASSKEY);
  if (id === undefined) throw missing();
  const challenge = decodeBase64url(over);
  const got = (await navigator.credentials.get({
    publicKey: {
      challenge,
      allowCredentials: [{ type: 'public-key', id: decodeBase64url(id), transports: ['internal'] }],
      userVerification: 'required',
    },
  })) as PublicKeyCredential | null;
  if (got === null) throw missing();
  const { clientDataJSON, authenticatorData } = got.response as AuthenticatorAssertionResponse;
  checkGesture(clientDataJSON, 'webauthn.get', challenge, authenticatorData);
}

/** Asks for it before every accept, or no longer; to end that, the person must be there too. */
export async function setAlways(session: Session, always: boolean): Promise<void> {
  if (!always) await verifyPresence(session, encodeBase64url(session.crypto.randomBytes(32)));
  await session.state.update(SETTINGS, ALWAYS_VERIFY, () => always);
}

function checkGesture(clientData: ArrayBuffer, type: string, challenge: Uint8Array, data: ArrayBuffer): void {
  const said = v.parse(ClientData, JSON.parse(new TextDecoder().decode(clientData)));
  const flags = new Uint8Array(data)[FLAGS_AT] ?? 0;
  const wanted = PRESENT | VERIFIED;
  const good =
    said.type === type &&
    said.challenge === encodeBase64url(challenge) &&
    said.origin === location.origin &&
    (flags & wanted) === wanted;
  if (!good) throw missing();
}

function missing(): CountersignError {
  return new CountersignError('verification-missing', 'this device has not checked that you are there');
}
