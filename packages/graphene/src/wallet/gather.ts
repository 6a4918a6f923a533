/**
 * Gathering exactly the signatures that count: the wallet's own, and those of as many providers as are needed, asked
 * at the same time. A signature too many makes a transaction invalid as one too few does, so which ones are needed is
 * reckoned before anybody is asked.
 * @module
 */
import { CountersignError } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import { operationsOf, signersOf, signTransaction } from '../build-transaction.ts';
import type { ChainAccount, ChainClient } from '../chain-client.ts';
import { factsOf } from '../chain-facts.ts';
import { requiredAuthorities } from '../required-authorities.ts';
import {
  parseSignedTransaction,
  type SignedTransaction,
  type Transaction,
  transactionDigest,
  transactionId,
  transactionToJson,
} from '../transaction.ts';
import { minimalKeys, verifyAuthority } from '../transaction-authority.ts';
import { type FoundProvider, findProviders } from './find-providers.ts';
import type { WalletKeys } from './keys.ts';
import { type Cosigned, ProviderApi } from './provider-api.ts';

export interface Gathering {
  readonly client: ChainClient;
  readonly vault: WalletKeys;
  /** Addresses of providers by their names, for those that publish none. */
  readonly known?: Readonly<Record<string, string>>;
  /**
   * `memoShared` of the keys of each memo that the devices are to show, in hex. Each provider that is asked can read
   * by it all memos between these two keys, so that a key of one memo alone is better.
   */
  readonly memoSecrets?: readonly string[];
  /** Hears of each step. */
  readonly onStep?: (step: Step) => void;
}

export type Step =
  /** Comes first: whose signatures count, and no others will be asked for. */
  | {
      readonly step: 'needed';
      readonly own: readonly string[];
      readonly providers: readonly { readonly provider: string; readonly url: string }[];
    }
  | { readonly step: 'signed'; readonly by: string }
  | { readonly step: 'asked'; readonly provider: string; readonly url: string; readonly digest: string }
  | {
      readonly step: 'answered';
      readonly provider: string;
      readonly state: Cosigned['state'];
      readonly reason?: string;
    };

interface Needed {
  /** Keys of this wallet, by the accounts that they are of. */
  readonly own: readonly (readonly [account: string, key: string])[];
  readonly providers: readonly (FoundProvider & { readonly key: string; readonly account: string })[];
}

/**
 * Signs a transaction and has it signed, beside the signatures that it has. Called again after a cut it goes on:
 * providers know the transaction by its digest, and the person is not asked twice.
 * @throws `authority-missing` where no choice of signatures suffices, `cosign-refused` where a provider does not sign
 */
export async function gather(
  transaction: Transaction | SignedTransaction,
  gathering: Gathering,
): Promise<SignedTransaction> {
  const { client, vault, memoSecrets, onStep = () => {} } = gathering;
  const chain = await client.chain();
  const facts = await factsOf(client, operationsOf(transaction));
  let signed: SignedTransaction = { signatures: [], ...transaction };
  const { own, providers } = await needed(signed, gathering, facts.accounts);
  onStep({
    step: 'needed',
    own: own.map(([account]) => account),
    providers: providers.map(({ provider, url }) => ({ provider: provider.name, url })),
  });
  for (const [account, key] of own) {
    signed = signTransaction(signed, await vault.key(account, key), chain);
    onStep({ step: 'signed', by: account });
  }
  const json = transactionToJson(signed);
  const digest = bytesToHex(transactionDigest(transaction, chain));
  // Whoever refuses ends it for all: what the others would still sign is worth nothing.
  const theirs = await Promise.all(
    providers.map(async ({ url, provider, account, key }) => {
      const api = new ProviderApi(url);
      const first = await api.post(account, json, chain.id, memoSecrets);
      onStep({ step: 'asked', provider: provider.name, url, digest });
      const signatures = await answerOf(provider.name, first, () => api.cosigned(digest), onStep);
      return checked(transaction, signatures, key, provider.name, chain);
    }),
  );
  const whole = { ...signed, signatures: [...signed.signatures, ...theirs.flat()] };
  const verdict = verifyAuthority(operationsOf(whole), signersOf(whole, chain), facts.accounts);
  if (verdict.valid) return whole;
  throw new CountersignError(
    'authority-missing',
    `the signatures that were gathered do not suffice: ${verdict.error}`,
  );
}

type Answer = Pick<Cosigned, 'state' | 'reason' | 'signatures'>;

/** Signatures of a provider, once it gives them. @throws `cosign-refused` where it does not */
export async function answerOf(
  provider: string,
  first: Answer,
  next: () => Promise<Answer>,
  onStep: (step: Step) => void,
): Promise<readonly string[]> {
  let now = first;
  while (now.state === 'pending') now = await next();
  const { state, reason } = now;
  onStep({ step: 'answered', provider, state, ...(reason === undefined ? {} : { reason }) });
  if (state === 'signed') return now.signatures ?? [];
  throw new CountersignError(
    'cosign-refused',
    `${provider}: ${[...new Set([state, reason ?? state])].join(', ')}`,
  );
}

/** Sends a transaction that has its signatures. */
export function broadcast(client: ChainClient, transaction: SignedTransaction) {
  return client
    .chain()
    .then((chain) => client.broadcast(transactionToJson(transaction), transactionId(transaction, chain)));
}

/** What a provider gave must be by its key and over this transaction: nothing else is sent on. */
function checked(
  transaction: Transaction,
  signatures: readonly string[],
  key: string,
  provider: string,
  chain: Parameters<typeof signersOf>[1],
): string[] {
  const { signatures: texts } = parseSignedTransaction(
    { ...transactionToJson(transaction), signatures },
    chain,
  );
  const fitting = texts.filter((one) => signersOf({ ...transaction, signatures: [one] }, chain)[0] === key);
  if (fitting.length === 1) return fitting;
  throw new CountersignError(
    'signature-invalid',
    `${provider} gave no signature of its key over this transaction`,
  );
}

/** The fewest signatures, of this wallet's keys first. */
async function needed(
  transaction: SignedTransaction,
  gathering: Gathering,
  accounts: ReadonlyMap<string, ChainAccount>,
): Promise<Needed> {
  const operations = operationsOf(transaction);
  const { active, owner } = requiredAuthorities(operations);
  const asked = [...active, ...owner].flatMap((id) => accounts.get(id) ?? []);
  const signers = signersOf(transaction, await gathering.client.chain());
  return fewest(gathering, asked, accounts, (available) =>
    minimalKeys(operations, available, accounts, {}, signers),
  );
}

/**
 * Of all the keys that can be had here, this wallet's and those of the providers of some accounts, those that suffice.
 * @throws `authority-missing` where no choice of them does
 */
export async function fewest(
  { client, vault, known }: Gathering,
  asked: readonly ChainAccount[],
  accounts: ReadonlyMap<string, ChainAccount>,
  choose: (available: readonly string[]) => readonly string[] | undefined,
): Promise<Needed> {
  const own = [...accounts.values()].flatMap(({ name }) =>
    vault.publicKeys(name).map((key) => [name, key] as const),
  );
  const providers: (FoundProvider & { key: string; account: string })[] = [];
  for (const account of asked) {
    for (const found of await findProviders(client, account, known)) {
      for (const [key] of found.signer.active.key_auths)
        providers.push({ ...found, key, account: account.name });
    }
  }
  const keys = choose([...own.map(([, key]) => key), ...providers.map(({ key }) => key)]);
  if (keys === undefined) {
    throw new CountersignError('authority-missing', 'no signatures that can be had here suffice for it', {
      hint: 'is the key of the account in this wallet, and does each provider publish its address?',
    });
  }
  return {
    own: own.filter(([, key]) => keys.includes(key)),
    providers: providers.filter(({ key }) => keys.includes(key)),
  };
}
