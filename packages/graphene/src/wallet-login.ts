/**
 * The Wallet Login Protocol: who holds an account's keys logs in without a password (spec/wallet-login.md). The
 * server makes a key for one login, the wallet another; both derive one secret from them, and the account's keys
 * sign it, together with whom it is for, so that no server can use it at another.
 * @module
 */
import { CountersignError, describeIssue, lvCat } from '@countersign/core';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import {
  formatArgumentLink,
  formatCallback,
  isPage,
  parseArgumentLink,
  parseCallback,
} from './argument-link.ts';
import { AuthorityCheck, type Snapshot } from './authority.ts';
import type { Chain } from './chain.ts';
import { type ChainPrivateKey, formatPublicKey, isPoint, parsePublicKey } from './keys.ts';
import { Callback, ChainAccountName, Signatures, signersOf } from './transaction-request.ts';

const LABEL = 'graphene-wallet-login-1';
const KeyText = v.pipe(v.string(), v.maxLength(64));

const Arguments = v.strictObject({
  onetimekey: KeyText,
  account: v.optional(ChainAccountName),
  callback: Callback,
});
const Answer = v.strictObject({
  account: ChainAccountName,
  server_key: KeyText,
  account_key: KeyText,
  signatures: Signatures,
});

export interface LoginRequest {
  /** The server's key for this login alone, in the chain's text. */
  readonly onetimekey: string;
  /** Who is meant, where the server knows it. */
  readonly account?: string | undefined;
  readonly callback: string;
}

export interface LoginAnswer {
  readonly account: string;
  readonly server_key: string;
  readonly account_key: string;
  readonly signatures: readonly string[];
}

/** What a server keeps of a login, in the visitor's session, until it is answered once or its time is over. */
export interface LoginSession {
  readonly key: ChainPrivateKey;
  readonly account?: string | undefined;
  readonly callback: string;
}

/**
 * The link that opens a wallet to log in.
 * @param page the wallet's page for logins, say `https://wallet.example/login`
 * @throws `link-invalid`
 */
export function formatLogin(page: string, { key, account, callback }: LoginSession, chain: Chain): string {
  return formatArgumentLink(page, {
    onetimekey: formatPublicKey(key.publicKey, chain.prefix),
    ...(account === undefined ? {} : { account }),
    callback,
  });
}

/**
 * A login from its link. The wallet shows the host of the callback: nobody else can use the answer.
 * @throws `link-invalid`
 */
export function parseLogin(link: string, chain: Chain): LoginRequest {
  const parsed = v.safeParse(Arguments, parseArgumentLink(link));
  if (!parsed.success) {
    throw new CountersignError('link-invalid', `no login: ${describeIssue(parsed.issues)}`);
  }
  keyOf(parsed.output.onetimekey, chain);
  return parsed.output;
}

/**
 * What the account's keys sign: 32 bytes.
 * @param own the wallet's key for this login alone
 */
export function loginDigest(
  request: LoginRequest,
  account: string,
  own: ChainPrivateKey,
  chain: Chain,
): Uint8Array {
  const server = keyOf(request.onetimekey, chain);
  return digest(sharedSecret(own, server), request.callback, account, server, own.publicKey, chain);
}

/**
 * The address by which the wallet brings its answer.
 * @param signatures over `loginDigest`, by keys that suffice for the account's active authority
 * @throws `link-invalid` where it does not fit into a link
 */
export function formatLoginAnswer(
  request: LoginRequest,
  account: string,
  own: ChainPrivateKey,
  signatures: readonly string[],
  chain: Chain,
): string {
  return formatCallback(request.callback, {
    account,
    server_key: request.onetimekey,
    account_key: formatPublicKey(own.publicKey, chain.prefix),
    signatures,
  } satisfies LoginAnswer);
}

/** An answer from the address that the callback was called by. @throws `link-invalid` */
export function parseLoginAnswer(address: string): LoginAnswer {
  const parsed = v.safeParse(Answer, parseCallback(address));
  if (!parsed.success) {
    throw new CountersignError('link-invalid', `no answer to a login: ${describeIssue(parsed.issues)}`);
  }
  return parsed.output;
}

/**
 * A login whole, as the wallet hands it to those who must sign it too: they show it, and make the digest themselves.
 */
export interface WholeLogin {
  readonly account: string;
  readonly callback: string;
  readonly onetimekey: string;
  readonly account_key: string;
  /** What the server's key and the wallet's share, 64 bytes in hex. */
  readonly secret: string;
}

/** @param own the wallet's key for this login alone */
export function wholeLogin(
  { onetimekey, callback }: LoginRequest,
  account: string,
  own: ChainPrivateKey,
  chain: Chain,
): WholeLogin {
  const secret = bytesToHex(sharedSecret(own, keyOf(onetimekey, chain)));
  return { account, callback, onetimekey, account_key: formatPublicKey(own.publicKey, chain.prefix), secret };
}

/**
 * The same 32 bytes as `loginDigest`, for whom both keys are others'.
 * @throws `link-invalid` where a key is none, or the callback is no address of a page
 */
export function wholeLoginDigest(
  { account, callback, onetimekey, account_key, secret }: WholeLogin,
  chain: Chain,
): Uint8Array {
  if (!isPage(callback)) throw new CountersignError('link-invalid', 'not an address to call back');
  const [server, wallet] = [keyOf(onetimekey, chain), keyOf(account_key, chain)];
  return digest(hexToBytes(secret), callback, account, server, wallet, chain);
}

/** Why keys do not log an account in, who have signed. */
export type LoginFlaw = 'insufficient-authority' | 'irrelevant-signature';

export type LoginVerdict =
  | { readonly valid: true; readonly account: string; readonly keys: readonly string[] }
  | { readonly valid: false; readonly reason: 'another-session' | 'another-account' | LoginFlaw };

/** @param id of the account, by the chain */
export function loginFlaw(keys: readonly string[], id: string, snapshot: Snapshot): LoginFlaw | undefined {
  const check = new AuthorityCheck(snapshot, (one) => keys.includes(one));
  if (!check.active(id)) return 'insufficient-authority';
  return keys.some((one) => !check.used.has(one)) ? 'irrelevant-signature' : undefined;
}

/**
 * Whether an answer logs its account in. The server forgets the session's key whatever comes out.
 * @param id of the account that the answer names, by the chain: `1.2.17`
 * @param snapshot with that account and those that its authority leads to
 * @throws `link-invalid` where a key or a signature in the answer is none
 */
export function verifyLogin(
  answer: LoginAnswer,
  { key, account, callback }: LoginSession,
  id: string,
  snapshot: Snapshot,
  chain: Chain,
): LoginVerdict {
  if (answer.server_key !== formatPublicKey(key.publicKey, chain.prefix)) {
    return { valid: false, reason: 'another-session' };
  }
  if (account !== undefined && account !== answer.account) return { valid: false, reason: 'another-account' };
  const wallet = keyOf(answer.account_key, chain);
  const secret = sharedSecret(key, wallet);
  const signed = digest(secret, callback, answer.account, key.publicKey, wallet, chain);
  const keys = signersOf(signed, answer.signatures, chain);
  const reason = loginFlaw(keys, id, snapshot);
  return reason === undefined ? { valid: true, account: answer.account, keys } : { valid: false, reason };
}

/** 64 bytes: SHA-512 of the shared point's x, as memos have it. */
function sharedSecret(own: ChainPrivateKey, other: Uint8Array): Uint8Array {
  return sha512(secp256k1.getSharedSecret(own.bytes, other, true).subarray(1));
}

function digest(
  secret: Uint8Array,
  callback: string,
  account: string,
  server: Uint8Array,
  wallet: Uint8Array,
  chain: Chain,
): Uint8Array {
  return sha256(lvCat(LABEL, hexToBytes(chain.id), secret, callback, account, server, wallet));
}

/** @throws `link-invalid` where it is no key that somebody can hold */
function keyOf(text: string, chain: Chain): Uint8Array {
  try {
    const key = parsePublicKey(text, chain.prefix);
    if (isPoint(key)) return key;
  } catch (cause) {
    throw new CountersignError('link-invalid', 'a key in the link is none of this chain', { cause });
  }
  throw new CountersignError('link-invalid', 'a key in the link is nobody’s');
}
