/**
 * The accounts and keys of a Graphene chain in the vectors.
 * @module
 */
import { createHash } from 'node:crypto';
import {
  BITSHARES,
  type ChainPrivateKey,
  formatPublicKey,
  privateKeyFromBytes,
} from '../../packages/graphene/src/index.ts';

export const CHAIN = BITSHARES;
export const CHAIN_JSON = { id: CHAIN.id, prefix: CHAIN.prefix };

/** A test key made from its label. */
export function chainKey(label: string): ChainPrivateKey {
  return privateKeyFromBytes(createHash('sha256').update(`graphene ${label}`).digest());
}

export const keyText = (key: ChainPrivateKey) => formatPublicKey(key.publicKey, CHAIN.prefix);
export const keyHex = (key: ChainPrivateKey) => Buffer.from(key.bytes).toString('hex');

export const ALICE = chainKey('alice');
export const BOB = chainKey('bob');
export const PROVIDER = chainKey('sfactor');
export const STRANGER = chainKey('stranger');

const by = (key: ChainPrivateKey) => ({
  weight_threshold: 1,
  account_auths: [],
  key_auths: [[keyText(key), 1]] as [string, number][],
});

/** alice needs her own key and sfactor.alice, which sfactor owns. */
export const ACCOUNTS = [
  {
    id: '1.2.17',
    owner: by(BOB),
    active: {
      weight_threshold: 2,
      account_auths: [['1.2.501', 1]] as [string, number][],
      key_auths: [[keyText(ALICE), 1]] as [string, number][],
    },
  },
  { id: '1.2.500', owner: by(PROVIDER), active: by(PROVIDER) },
  { id: '1.2.501', owner: by(PROVIDER), active: by(PROVIDER) },
];

export const FEE = { amount: 86869, asset_id: '1.3.0' };
export const NO_FEE = { amount: 0, asset_id: '1.3.0' };

/** The change by which alice's account requires both. */
export const REQUIRE = [
  6,
  {
    fee: NO_FEE,
    account: '1.2.17',
    active: { ...ACCOUNTS[0]!.active, address_auths: [] },
    extensions: {},
  },
] as const;

export const TRANSFER = [
  0,
  {
    fee: FEE,
    from: '1.2.17',
    to: '1.2.18',
    amount: { amount: '9007199254740993', asset_id: '1.3.121' },
    extensions: [],
  },
] as const;

export function around(...operations: readonly unknown[]): Record<string, unknown> {
  return {
    ref_block_num: 4660,
    ref_block_prefix: 2596069104,
    expiration: '2027-01-15T08:10:00',
    operations,
    extensions: [],
  };
}
