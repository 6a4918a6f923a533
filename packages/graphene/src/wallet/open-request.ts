/**
 * What a wallet does with a link by the Transaction Request Protocol, whatever it shows it by: the link is proven to
 * be by whom it names, what it asks for happens once, and it is signed by the keys of the account that it names alone.
 * @module
 */
import type { StateStore } from '@countersign/client';
import { CountersignError } from '@countersign/core';
import { buildTransaction, operationsOf } from '../build-transaction.ts';
import type { Chain } from '../chain.ts';
import type { ChainClient } from '../chain-client.ts';
import { accountsBelow } from '../chain-facts.ts';
import type { OperationJson } from '../required-authorities.ts';
import {
  operationToJson,
  parseSignedTransaction,
  type SignedTransaction,
  transactionId,
  transactionToJson,
} from '../transaction.ts';
import {
  type Asked,
  formatTransactionAnswer,
  isByRequester,
  parseTransactionRequest,
  type TransactionAnswer,
  type TransactionRequest,
} from '../transaction-request.ts';
import { checkAuthority } from './check-authority.ts';
import { broadcast, type Gathering, gather } from './gather.ts';
import type { WalletKeys } from './keys.ts';

/** Where requests are remembered, by who asked and their ids, for as long as they stand. */
const KEPT = 'cosign-request';

type Kept = { readonly expires: number } & (
  | { readonly state: 'begun'; readonly transaction: Record<string, unknown> }
  | { readonly state: 'answered' }
);

/** What a wallet remembers requests by. */
export interface Desk {
  readonly client: ChainClient;
  readonly state: StateStore;
  /** Seconds since 1970. */
  readonly now: number;
}

export interface OpenedRequest {
  readonly request: TransactionRequest;
  readonly transaction: SignedTransaction;
  /** Said yes to before, and perhaps carried out: it cannot be refused any more. */
  readonly begun: boolean;
}

/** What became of it; and where the answer is brought, if anywhere. */
export type Carried = { readonly address?: string } & (
  | { readonly status: 'signed'; readonly transaction: SignedTransaction }
  /** Block 0: it was sent before, and where it came to be the node does not tell. */
  | { readonly status: 'applied'; readonly block: number; readonly id: string }
);

/**
 * Reads a link, and makes the transaction that it asks for; the same link again is the same transaction.
 * @throws `link-invalid`, `request-expired`, `request-lifetime`, `request-replayed`, `transaction-expired`,
 *   `authority-missing`, and what the chain client throws
 */
export async function openRequest(desk: Desk, link: string): Promise<OpenedRequest> {
  const { client, state, now } = desk;
  const chain = await client.chain();
  const { request, signers } = parseTransactionRequest(link, chain, now);
  const asker = await client.account(request.by);
  if (!isByRequester(signers, asker.id, await accountsBelow(client, [asker.id]))) {
    throw new CountersignError(
      'link-invalid',
      `this link is not by ${request.by}, or was changed on its way`,
    );
  }
  await forgetOver(desk);
  const before = await state.get<Kept>(KEPT, nameOf(request));
  const begun = before !== undefined;
  const transaction = begun ? begunIn(before, chain) : await make(client, request.asked);
  for (const operation of operationsOf(transaction)) await checkAuthority(desk, operation);
  if (transaction.expiration <= (await client.head()).time) throw over(begun);
  return { request, transaction, begun };
}

/** Says no to a link that nobody has said yes to. @returns where the answer is brought */
export async function refuseRequest(desk: Desk, { request }: OpenedRequest): Promise<string | undefined> {
  return answer(desk, request, { id: request.id, status: 'refused' });
}

/**
 * Signs what a link asks for, has it signed, and sends it where the link says so.
 * @throws what `gather` throws; and what the chain refuses
 */
export async function carryOutRequest(
  desk: Desk,
  { request, transaction }: OpenedRequest,
  gathering: Gathering,
): Promise<Carried> {
  const { client, state } = desk;
  const chain = await client.chain();
  const kept = await state.update<Kept>(
    KEPT,
    nameOf(request),
    (old) => old ?? { expires: request.expires, state: 'begun', transaction: transactionToJson(transaction) },
  );
  const signed = await gatherFor(desk, request, begunIn(kept, chain), gathering);
  const { id } = request;
  if (!request.apply) {
    const address = await answer(desk, request, { id, status: 'signed', transaction: signed });
    return { status: 'signed', transaction: signed, ...(address === undefined ? {} : { address }) };
  }
  const { block, trx } = await broadcast(client, signed);
  const done = { status: 'applied', block, id: transactionId(signed, chain) } as const;
  if (block === 0) {
    await answered(desk, request);
    return done;
  }
  const address = await answer(desk, request, {
    id,
    status: 'applied',
    transactionId: done.id,
    block,
    trx,
  });
  return { ...done, ...(address === undefined ? {} : { address }) };
}

const NEVER_SIGNED: readonly string[] = ['cosign-refused', 'authority-missing'];

async function gatherFor(
  { state }: Desk,
  request: TransactionRequest,
  transaction: SignedTransaction,
  gathering: Gathering,
): Promise<SignedTransaction> {
  try {
    return await gather(transaction, { ...gathering, vault: keysOf(gathering.vault, request.account) });
  } catch (error) {
    // A signature that was needed is there nowhere: it may be asked for anew.
    if (error instanceof CountersignError && NEVER_SIGNED.includes(error.code)) {
      await state.delete(KEPT, nameOf(request));
    }
    throw error;
  }
}

/** An id counts together with who asks: nobody uses up another's. */
function nameOf({ by, id }: TransactionRequest): string {
  return `${by} ${id}`;
}

async function make(client: ChainClient, asked: Asked): Promise<SignedTransaction> {
  if (asked.kind === 'transaction') return asked.transaction;
  const operations = asked.operations.map((one) => operationToJson(one) as OperationJson);
  return { ...(await buildTransaction(client, operations)), signatures: [] };
}

/** @throws `request-replayed` */
function begunIn(kept: Kept, chain: Chain): SignedTransaction {
  if (kept.state === 'begun') return parseSignedTransaction(kept.transaction, chain);
  throw new CountersignError('request-replayed', 'this link was answered already: nothing more is done');
}

function over(begun: boolean): CountersignError {
  return begun
    ? new CountersignError('transaction-expired', 'this link was begun before, and not in time', {
        hint: 'whether it was executed then, the account’s history tells; if not, ask for a new link',
      })
    : new CountersignError('transaction-expired', 'the transaction that is asked for has expired');
}

/** A request that is asked for one account never has another's keys. */
function keysOf(vault: WalletKeys, account: string): WalletKeys {
  return {
    publicKeys: (name) => (name === account ? vault.publicKeys(name) : []),
    key: (name, publicText) => vault.key(name, publicText),
  };
}

async function answer(
  desk: Desk,
  request: TransactionRequest,
  said: TransactionAnswer,
): Promise<string | undefined> {
  const { callback } = request;
  const address = callback === undefined ? undefined : formatTransactionAnswer(callback, said);
  await answered(desk, request);
  return address;
}

async function answered({ state }: Desk, request: TransactionRequest): Promise<void> {
  await state.update<Kept>(KEPT, nameOf(request), () => ({ expires: request.expires, state: 'answered' }));
}

/** Links that are over are refused for their time: they need not be remembered. */
async function forgetOver({ state, now }: Desk): Promise<void> {
  for (const [name, { expires }] of await state.list<Kept>(KEPT)) {
    if (expires < now) await state.delete(KEPT, name);
  }
}
