/**
 * People of the small chain for tests: their keys, made anew each time, and a genesis that knows them.
 * @module
 */
import { type ChainPrivateKey, formatPublicKey, newPrivateKey } from '../../src/index.ts';
import type { Genesis } from './ledger.ts';

export const PREFIX = 'TEST';

export interface Person {
  readonly name: string;
  readonly owner: ChainPrivateKey;
  readonly active: ChainPrivateKey;
}

export function newPerson(name: string): Person {
  return { name, owner: newPrivateKey(), active: newPrivateKey() };
}

export function keyText(key: ChainPrivateKey): string {
  return formatPublicKey(key.publicKey, PREFIX);
}

/** Everybody has 10,000.00000 TEST and 500.00 USD, and is a member for life. */
export function genesisOf(people: readonly Person[]): Genesis {
  return {
    prefix: PREFIX,
    assets: [
      { symbol: 'TEST', precision: 5 },
      { symbol: 'USD', precision: 2 },
    ],
    accounts: people.map(({ name, owner, active }) => ({
      name,
      owner: keyText(owner),
      active: keyText(active),
      lifetime: true,
      balances: { TEST: 1_000_000_000, USD: 50_000 },
    })),
  };
}
