/**
 * What a key of the chain signs beside transactions: texts of the provider's protocol. Each begins with the
 * protocol's name, so that none can be taken for a transaction, whose digest begins with a chain's id.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type ChainPrivateKey, formatPublicKey } from './keys.ts';
import { recoverKey, signDigest } from './signature.ts';

export interface RegistrationChallenge {
  readonly chainId: string;
  /** The provider's account of the chain. */
  readonly provider: string;
  /** Whose account is registered, by name and id. */
  readonly account: string;
  readonly accountId: string;
  /** The Countersign account that will confirm, and its identity. */
  readonly countersign: string;
  readonly identity: string;
  readonly nonce: string;
}

export function registrationText(challenge: RegistrationChallenge): string {
  const { chainId, provider, account, accountId, countersign, identity, nonce } = challenge;
  return lines('register', [chainId, provider, account, accountId, countersign, identity, nonce]);
}

export interface PolicyChange {
  readonly chainId: string;
  readonly provider: string;
  readonly account: string;
  /** The version that it will have: it can be said once. */
  readonly version: number;
  /** The policy's JSON, as it is sent. */
  readonly policy: string;
}

export function policyText({ chainId, provider, account, version, policy }: PolicyChange): string {
  return lines('policy', [chainId, provider, account, String(version), policy]);
}

export function signText(text: string, key: ChainPrivateKey): string {
  return signDigest(sha256(utf8ToBytes(text)), key);
}

/** The key that signed a text, as the chain writes it. @throws `signature-invalid` */
export function signerOfText(text: string, signature: string, prefix: string): string {
  return formatPublicKey(recoverKey(sha256(utf8ToBytes(text)), signature), prefix);
}

function lines(what: string, values: readonly string[]): string {
  for (const value of values) if (value.includes('\n')) throw new TypeError('a value of more than one line');
  return [`countersign cosign 1 ${what}`, ...values].join('\n');
}
