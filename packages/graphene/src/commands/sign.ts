/**
 * `countersign cosign sign`: a transaction of the person's own, signed by whoever is needed, and sent.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { CountersignError, parseStrictJson } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Command } from 'commander';
import { parseAmount } from '../amounts.ts';
import { buildTransaction, NO_FEE, operationsOf } from '../build-transaction.ts';
import type { Chain } from '../chain.ts';
import type { ChainAccount, ChainClient, Inclusion } from '../chain-client.ts';
import { factsOf } from '../chain-facts.ts';
import { explainOperations } from '../explain.ts';
import { isPoint, newPrivateKey, parsePublicKey } from '../keys.ts';
import { memoReader, memoShared, sealMemo } from '../memo.ts';
import {
  parseTransaction,
  type SignedTransaction,
  type Transaction,
  transactionToJson,
} from '../transaction.ts';
import { checkAuthority } from '../wallet/check-authority.ts';
import { broadcast, gather, type Step } from '../wallet/gather.ts';
import type { WalletKeys } from '../wallet/keys.ts';
import { NODE, openWallet, type Shell, type Wallet } from './context.ts';

/** Where a transaction is kept from its first signature until the chain has it. */
const UNFINISHED = ['cosign', 'unfinished'] as const;
const UNFINISHED_MEMOS = ['cosign', 'unfinished-memos'] as const;

/** What is to be signed, and what lets the devices show its memo. */
interface ToSign {
  readonly transaction: Transaction | SignedTransaction;
  /** As `Gathering` has them. */
  readonly memoSecrets?: readonly string[];
}

export function addSignCommand(program: Command, shell: Shell): void {
  program
    .command('sign')
    .description('sign a transaction, have it signed by exactly the providers that are needed, and send it')
    .argument(
      '[file]',
      'a transaction in the chain’s JSON, or - for standard input; nothing, to go on after a cut',
    )
    .option('--from <account>', 'in the place of a file: a transfer from this account')
    .option('--to <account>', 'whom it goes to')
    .option('--amount <amount>', 'like "10.5 BTS"')
    .option(
      '--memo <text>',
      'encrypted to whom it goes to, and shown on your device; by a key of this memo alone, so that you cannot read it later',
    )
    .option(...NODE)
    .option('--out <file>', 'write the signed transaction there, and do not send it')
    .action(async (file: string | undefined, options) => {
      await using wallet = await openWallet(shell, options);
      await signAndSend(shell, wallet, await theTransaction(wallet, file, options), options.out);
    });
}

async function theTransaction(
  { client, state }: Wallet,
  file: string | undefined,
  { from, to, amount, memo }: Record<string, string | undefined>,
): Promise<ToSign> {
  const chain = await client.chain();
  if (file !== undefined) return { transaction: transactionIn(file, chain) };
  if (from === undefined && to === undefined && amount === undefined) {
    const unfinished = await state.get<Record<string, unknown>>(...UNFINISHED);
    if (unfinished !== undefined) {
      const memoSecrets = (await state.get<readonly string[]>(...UNFINISHED_MEMOS)) ?? [];
      return { transaction: parseTransaction(unfinished, chain), memoSecrets };
    }
  }
  return transferOf(client, { from, to, amount, memo });
}

/** A transfer by its options. @throws `usage` where one is missing */
export async function transferOf(
  client: ChainClient,
  { from, to, amount, memo }: Record<string, string | undefined>,
): Promise<ToSign> {
  const [count, symbol, more] = amount?.split(' ') ?? [];
  if (
    from === undefined ||
    to === undefined ||
    count === undefined ||
    symbol === undefined ||
    more !== undefined
  ) {
    throw new CountersignError('usage', 'a file, or --from, --to and --amount "10.5 BTS"');
  }
  const [asset] = await client.assets([symbol]);
  const [payer, payee] = await client.accounts([from, to]);
  const units = { amount: parseAmount(count, asset!).toString(), asset_id: asset!.id };
  const sealed = memo === undefined ? undefined : memoTo(payee!, memo, await client.chain());
  const transfer = { fee: NO_FEE, from: payer!.id, to: payee!.id, amount: units, extensions: [] };
  const transaction = await buildTransaction(client, [[0, { ...transfer, ...sealed?.field }]]);
  return { transaction, memoSecrets: sealed?.secrets ?? [] };
}

/** A transaction out of a file, without the signatures that it has. */
export function transactionIn(file: string, chain: Chain): Transaction {
  const json = parseStrictJson(readFileSync(file === '-' ? 0 : file, 'utf8')) as Record<string, unknown>;
  const { signatures: _, ...unsigned } = json;
  return parseTransaction(unsigned, chain);
}

/**
 * A memo by a key that is made for it: what it shares with the payee’s key opens this memo and no other between the
 * two people, so that a provider can be given it.
 */
function memoTo({ name, options }: ChainAccount, text: string, { prefix }: Chain) {
  if (options.memo_key === undefined) {
    throw new CountersignError('chain-answer-invalid', `the chain names no memo key of ${name}`);
  }
  const [own, other] = [newPrivateKey(), parsePublicKey(options.memo_key, prefix)];
  if (!isPoint(other)) {
    throw new CountersignError(
      'key-invalid',
      `${name} has no memo key, so that a memo could not be read there`,
    );
  }
  const memo = sealMemo(text, own, other, prefix);
  return {
    field: { memo: { ...memo, nonce: memo.nonce.toString() } },
    secrets: [bytesToHex(memoShared(own, other))],
  };
}

/** Shows a transaction, gathers what it needs, and sends it. @param out a file to write it to, in the place of sending it */
export async function signAndSend(shell: Shell, wallet: Wallet, toSign: ToSign, out?: string): Promise<void> {
  const { transaction, memoSecrets } = toSign;
  for (const operation of operationsOf(transaction)) await checkAuthority(wallet, operation);
  await showOperations(shell, wallet, transaction, memoSecrets);
  if (out !== undefined) {
    await kept(wallet, toSign, async () => {
      const signed = await gatherAloud(shell, wallet, toSign);
      writeFileSync(out, `${JSON.stringify(transactionToJson(signed), null, 2)}\n`, { mode: 0o600 });
    });
    shell.print(`The signed transaction is in ${out}.`);
    return;
  }
  const { block, id } = await gatherAndSend(shell, wallet, toSign);
  shell.print(`Executed by the chain, in block ${block}: ${id}`);
}

/** Gathers what a transaction needs that was shown before, and sends it. After a cut, `cosign sign` goes on with it. */
export async function gatherAndSend(shell: Shell, wallet: Wallet, toSign: ToSign): Promise<Inclusion> {
  return kept(wallet, toSign, async () => broadcast(wallet.client, await gatherAloud(shell, wallet, toSign)));
}

/** The same transaction again is the same question: it is kept until it is done, so that nobody is asked twice. */
async function kept<T>(
  { state }: Wallet,
  { transaction, memoSecrets = [] }: ToSign,
  work: () => Promise<T>,
): Promise<T> {
  await state.update(...UNFINISHED, () => transactionToJson(transaction));
  await state.update(...UNFINISHED_MEMOS, () => memoSecrets);
  const done = await work();
  await state.delete(...UNFINISHED);
  await state.delete(...UNFINISHED_MEMOS);
  return done;
}

/** Signs a transaction and has it signed, and says so step by step. @param vault whose keys are used */
export async function gatherAloud(
  shell: Shell,
  wallet: Wallet,
  { transaction, memoSecrets = [] }: ToSign,
  vault: WalletKeys = wallet.vault,
): Promise<SignedTransaction> {
  return gather(transaction, {
    client: wallet.client,
    vault,
    known: await wallet.known(),
    memoSecrets,
    onStep: stepsAloud(shell),
  });
}

export function stepsAloud(shell: Shell): (step: Step) => void {
  return (step) => {
    if (step.step === 'signed') shell.print(`  signed with the key of ${step.by}`);
    else if (step.step === 'asked')
      shell.print(`  asked ${step.provider} at ${step.url}; confirm on your device …`);
    else if (step.step === 'answered')
      shell.print(`  ${step.provider}: ${step.state}${step.reason === undefined ? '' : ` (${step.reason})`}`);
  };
}

/** What is about to be signed, in the words of the device. */
export async function showOperations(
  shell: Shell,
  { client }: Wallet,
  transaction: Transaction | SignedTransaction,
  memoSecrets: readonly string[] = [],
): Promise<void> {
  const facts = await factsOf(client, operationsOf(transaction));
  const readMemo = memoReader(memoSecrets);
  for (const { title, lines } of explainOperations(transaction.operations, { ...facts, readMemo })) {
    shell.print(title);
    for (const { name, value } of lines) shell.print(`  ${name.padEnd(14)} ${value}`);
  }
}
