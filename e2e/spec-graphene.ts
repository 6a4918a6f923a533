/**
 * What a reader finds in the vectors of Graphene chains, in the words of their `expect`.
 * @module
 */
import {
  decodeTransaction,
  encodeTransaction,
  formatPublicKey,
  isByRequester,
  loginDigest,
  parseLogin,
  parseLoginAnswer,
  parseTransaction,
  parseTransactionAnswer,
  parseTransactionRequest,
  privateKeyFromBytes,
  recoverKey,
  transactionDigest,
  transactionId,
  transactionRequestDigest,
  transactionToJson,
  verifyLogin,
} from '../packages/graphene/src/index.ts';
import type { Loose } from '../spec/generator/vector.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'));
const snapshotOf = (accounts: Loose[]) => new Map(accounts.map((account) => [account.id, account]));

export function readTransaction({ transaction, packed, digest, signature, chain }: Loose): unknown {
  if (signature !== undefined) return { key: formatPublicKey(recoverKey(bytes(digest), signature), 'BTS') };
  if (packed !== undefined) {
    return { transaction: transactionToJson(decodeTransaction(bytes(packed), chain)) };
  }
  const parsed = parseTransaction(transaction, chain);
  return {
    packed: hex(encodeTransaction(parsed, chain)),
    digest: hex(transactionDigest(parsed, chain)),
    id: transactionId(parsed, chain),
  };
}

/** Only what a vector expects is compared. */
export function readTransactionRequest({ link, answer, to, chain, now, by, expect }: Loose): unknown {
  if (answer !== undefined) {
    const { request } = parseTransactionRequest(to, chain, now);
    return { status: parseTransactionAnswer(answer, request, chain).status };
  }
  const { request, signers } = parseTransactionRequest(link, chain, now);
  const found: Loose = {
    id: request.id,
    by: request.by,
    account: request.account,
    digest: hex(transactionRequestDigest(request, chain)),
    signers,
    by_requester: isByRequester(signers, by.id, snapshotOf(by.accounts)),
  };
  return Object.fromEntries(Object.keys(expect ?? {}).map((name) => [name, found[name]]));
}

export function readWalletLogin(input: Loose): unknown {
  const { link, answer, session, chain, id, accounts, as, wallet_private_key } = input;
  if (answer !== undefined) {
    const { private_key, account, callback } = session;
    const kept = { key: privateKeyFromBytes(bytes(private_key)), account, callback };
    return verifyLogin(parseLoginAnswer(answer), kept, id, snapshotOf(accounts), chain);
  }
  const request = parseLogin(link, chain);
  if (wallet_private_key === undefined) return request;
  return { digest: hex(loginDigest(request, as, privateKeyFromBytes(bytes(wallet_private_key)), chain)) };
}
