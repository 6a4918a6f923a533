/**
 * People who need a provider, and what tests of co-signing do with them again and again.
 * @module
 */
import assert from 'node:assert/strict';
import { NO_FEE, signTransaction } from '../packages/graphene/src/build-transaction.ts';
import type { ChainRefusal } from '../packages/graphene/src/chain-socket.ts';
import { policyText, signText } from '../packages/graphene/src/challenge.ts';
import {
  type ChainPrivateKey,
  type SignedTransaction,
  type Transaction,
  transactionToJson,
} from '../packages/graphene/src/index.ts';
import type { Policy } from '../packages/graphene/src/policy.ts';
import type { RunningProvider } from '../packages/graphene/src/provider/provider.ts';
import type { OperationJson } from '../packages/graphene/src/required-authorities.ts';
import { ProviderApi } from '../packages/graphene/src/wallet/provider-api.ts';
import { type CosignWorld, createCosignWorld, type Member } from './cosign-world.ts';

export const refusedByChain = (name: string) => (error: ChainRefusal) => {
  assert.equal(error.chainError, name, error.message);
  return true;
};

/** An operation that needs somebody's word, and does nothing. */
export const nothing = ({ id }: Pick<Member, 'id'>): OperationJson => [
  35,
  { fee: NO_FEE, payer: id, required_auths: [], id: 0, data: '' },
];

/** Approvals that somebody pays for. */
export const approvalsOf = (
  payer: Pick<Member, 'id'>,
  proposal: string,
  changes: Readonly<Record<string, readonly string[]>>,
): OperationJson => [
  23,
  {
    fee: NO_FEE,
    fee_paying_account: payer.id,
    proposal,
    active_approvals_to_add: [],
    active_approvals_to_remove: [],
    owner_approvals_to_add: [],
    owner_approvals_to_remove: [],
    key_approvals_to_add: [],
    key_approvals_to_remove: [],
    extensions: [],
    ...changes,
  },
];

/** Money that was hidden before goes to somebody: who owned it is asked, and no account that it names. */
export const fromBlind = (to: string, owner: object): OperationJson => [
  41,
  {
    fee: NO_FEE,
    amount: { amount: 5000, asset_id: '1.3.0' },
    to,
    blinding_factor: '01'.repeat(32),
    inputs: [{ commitment: '02'.repeat(33), owner }],
  },
];

export interface Enrolled {
  readonly provider: RunningProvider & { readonly data: string };
  readonly alice: Member;
  readonly bob: Member;
  readonly api: ProviderApi;
  readonly pay: (amount?: number) => ReturnType<CosignWorld['transfer']>[];
}

export function createCosignScene() {
  const world = createCosignWorld();
  let serial = 0;
  let shared: ReturnType<CosignWorld['provider']> | undefined;
  const freshProvider = () => world.provider(`provider${++serial}`);

  /** Asks for another policy of an account, signed by a key. */
  const changePolicy = async (
    { api, provider, alice }: Pick<Enrolled, 'api' | 'provider' | 'alice'>,
    version: number,
    policy: Policy,
    key = alice.keys.active,
  ): Promise<string> => {
    const text = JSON.stringify(policy);
    const signed = policyText({
      chainId: world.chain.id,
      provider: provider.context.account.name,
      account: alice.name,
      version,
      policy: text,
    });
    return api.changePolicy(alice.name, version, text, signText(signed, key));
  };

  return {
    world,
    freshProvider,

    /** A provider, its own where it will be stopped, and somebody who needs it; bob gets the money. */
    async enrolled({ own = false } = {}): Promise<Enrolled> {
      shared ??= own ? undefined : freshProvider();
      const provider = own ? await freshProvider() : await shared!;
      const [alice, bob] = [await world.member('alice'), await world.member('bob')];
      await world.enrol(alice, provider);
      const api = new ProviderApi(provider.origin);
      const pay = (amount = 700) => [world.transfer(alice.id, bob.id, amount)];
      return { provider, alice, bob, api, pay };
    },

    wallet: ({ vault }: Member) => ({ client: world.client, vault }),

    /** A transaction that alice has signed, as her wallet posts it. */
    ofAlice: (transaction: Transaction, alice: Member): SignedTransaction =>
      signTransaction({ ...transaction, signatures: [] }, alice.keys.active, world.chain),

    post: (api: ProviderApi, { name }: Member, signed: SignedTransaction, chainId = world.chain.id) =>
      api.post(name, transactionToJson(signed), chainId),

    async settled(api: ProviderApi, digest: string) {
      for (;;) {
        const now = await api.cosigned(digest);
        if (now.state !== 'pending') return now;
      }
    },

    /** Nowhere in the provider is there a signature on it. */
    noSignature({ context }: RunningProvider, digest: string): void {
      for (const row of context.store.all('transactions', { digest })) {
        assert.notEqual(row.state, 'signed');
        assert.equal(row.signatures, null);
        assert.equal(row.receipts, null);
      }
    },

    async theirKey({ context }: RunningProvider, { name }: Member): Promise<ChainPrivateKey> {
      const signer = `${context.account.name}.${name}`;
      return context.vault.key(signer, context.vault.publicKeys(signer)[0]!);
    },

    changePolicy,

    /** The same, and the person says yes. */
    async setPolicy(who: Pick<Enrolled, 'api' | 'provider' | 'alice'>, version: number, policy: Policy) {
      const change = await changePolicy(who, version, policy);
      await world.answer(who.alice.party, 'accept');
      while ((await who.api.policyChange(change)).state === 'asked');
    },
  };
}
