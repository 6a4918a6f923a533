/**
 * A WebAuthn security key as a way to register (Web Authentication, Level 3). It is made known the first time, on a
 * page of the provider's, and asked for again whenever the same account registers anew. Possession is what it proves;
 * who holds it is asked on the device.
 * @module
 */
import { isIP } from 'node:net';
import { CountersignError, decodeBase64url, encodeBase64url } from '@countersign/core';
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import * as v from 'valibot';
import type { ProviderContext } from './context.ts';
import type { SecurityKeyRow } from './store.ts';
import { checkNew, type Judged, type Proving, type Way, type WayMemory } from './ways.ts';

export const SECURITY_KEY = 'security-key';

const CHALLENGE_BYTES = 32;
/** EdDSA, ES256 and RS256 (RFC 9053): what keys that are sold can do. */
const ALGORITHMS = [-8, -7, -257];
/** How long the browser waits for the key, in ms. */
const TIMEOUT_MS = 120_000;

/** What a way keeps of a key that is being made known. */
const Credential = v.object({
  id: v.string(),
  public_key: v.string(),
  counter: v.number(),
  transports: v.array(v.string()),
});

/** What the browser is to do, in the forms of WebAuthn's JSON. */
export interface KeyTask {
  readonly use: 'create' | 'get';
  readonly options: object;
}

export interface SecurityKeyWay extends Way {
  task(context: ProviderContext, registration: Proving, memory: WayMemory): Promise<KeyTask>;
}

export function isSecurityKeyWay(way: Way): way is SecurityKeyWay {
  return way.name === SECURITY_KEY;
}

/**
 * @param origin where people reach the provider; keys are bound to its name
 * @throws `usage` where browsers would not let keys be used there
 */
export function securityKeyWay(origin: string): SecurityKeyWay {
  const { hostname: rpID, protocol } = new URL(origin);
  if (isIP(rpID.replace(/^\[|\]$/g, '')) !== 0 || (protocol !== 'https:' && rpID !== 'localhost')) {
    throw new CountersignError('usage', 'browsers use security keys only at names, and over https:', {
      hint: 'say where people reach the provider: --origin https://secondfactor.example',
    });
  }
  const expected = { expectedOrigin: origin, expectedRPID: rpID };
  const known = ({ store }: ProviderContext, { account_id }: Proving) =>
    store.all('security_keys', { account_id });

  return {
    name: SECURITY_KEY,
    by: 'page',
    checkAddress(address) {
      if (address === undefined || address === 'new') return;
      throw new CountersignError('input-invalid', 'a security key has no number here: say `new`, or nothing');
    },
    async begin(context, registration, address) {
      const there = known(context, registration).length > 0;
      const fresh = !there || address === 'new';
      if (fresh && there) checkNew(registration, 'security key');
      return { challenge: encodeBase64url(context.crypto.randomBytes(CHALLENGE_BYTES)), fresh };
    },
    async shown(_context, { id }) {
      return { page: `${origin}/security-key/${id}` };
    },
    async task(context, registration, { kept }) {
      const challenge = Uint8Array.from(decodeBase64url(String(kept.challenge)));
      if (kept.fresh !== true) {
        const options = await generateAuthenticationOptions({
          rpID,
          challenge,
          allowCredentials: known(context, registration).map(credentialOf),
          userVerification: 'discouraged',
          timeout: TIMEOUT_MS,
        });
        return { use: 'get', options };
      }
      const options = await generateRegistrationOptions({
        rpName: context.account.name,
        rpID,
        userName: registration.account,
        userDisplayName: registration.account,
        userID: new TextEncoder().encode(registration.account_id),
        challenge,
        attestationType: 'none',
        supportedAlgorithmIDs: ALGORITHMS,
        preferredAuthenticatorType: 'securityKey',
        authenticatorSelection: { residentKey: 'discouraged', userVerification: 'discouraged' },
        timeout: TIMEOUT_MS,
      });
      return { use: 'create', options };
    },
    async judge(context, registration, { kept }, given) {
      const challenge = { ...expected, expectedChallenge: String(kept.challenge) };
      try {
        if (kept.fresh === true) {
          const { verified, registrationInfo } = await verifyRegistrationResponse({
            ...challenge,
            response: given as RegistrationResponseJSON,
            supportedAlgorithmIDs: ALGORITHMS,
            requireUserVerification: false,
          });
          if (!verified) return bad();
          const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
          if (context.store.one('security_keys', { id }) !== undefined) return bad();
          const credential = { id, public_key: encodeBase64url(publicKey), counter, transports };
          return { right: true, kept: { ...kept, credential } };
        }
        const response = given as AuthenticationResponseJSON;
        const row = known(context, registration).find(({ id }) => id === response.id);
        if (row === undefined) return bad();
        const { verified, authenticationInfo } = await verifyAuthenticationResponse({
          ...challenge,
          response,
          credential: credentialOf(row),
          requireUserVerification: false,
        });
        if (!verified) return bad();
        // Its count goes on only from where it was judged: of two uses at once one is too late.
        const { id, counter } = row;
        const change = { counter: authenticationInfo.newCounter };
        return context.store.change('security_keys', { id, counter }, change) === 1 ? { right: true } : bad();
      } catch (cause) {
        return bad(cause);
      }
    },
    keep({ store }, { account_id, by_owner }, { kept }) {
      if (kept.fresh !== true) return true;
      if (store.one('security_keys', { account_id }) !== undefined && by_owner !== 1) return false;
      const { transports, ...credential } = v.parse(Credential, kept.credential);
      store.remove('security_keys', { account_id });
      return store.add('security_keys', {
        ...credential,
        account_id,
        transports: JSON.stringify(transports),
      });
    },
  };
}

function credentialOf({ id, public_key, counter, transports }: SecurityKeyRow) {
  return {
    id,
    publicKey: Uint8Array.from(decodeBase64url(public_key)),
    counter,
    transports: JSON.parse(transports) as string[],
  };
}

function bad(cause?: unknown): Judged {
  const why = new CountersignError('signature-invalid', 'the security key’s answer does not verify', {
    cause,
  });
  return { right: false, why };
}
