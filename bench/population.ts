/**
 * Accounts for the load, written into a broker's database through its own store before the broker starts: the
 * rows are those that its API would have written, only faster.
 * @module
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  type CryptoProvider,
  createContact,
  createGenesis,
  type DeviceLog,
  type NewEpoch,
  NO_CONTACTS,
  type Opener,
  type PublicSigningJwk,
  replayLog,
  type Signer,
} from '@countersign/core';
import { exportPrivate, generateOpener } from '@countersign/core/webcrypto';
import { sodiumCrypto } from '../packages/broker/src/index.ts';
import type { Store } from '../packages/broker/src/store/store.ts';

/**
 * Boxes of the size that HPKE makes, full of random bytes. The broker can open none either way; real ones
 * would cost the load a millisecond each.
 */
export const standInSealing: CryptoProvider = {
  ...sodiumCrypto,
  seal: async (_to, plaintext) => sodiumCrypto.randomBytes(32 + plaintext.length + 16),
};

export interface Member {
  readonly log: DeviceLog;
  readonly signer: Signer;
  readonly privateKey: KeyObject;
  readonly kid: string;
  /** Its row in the database it was last written to, and the newest event that it was told. */
  row: number;
  cursor: number;
}

export interface Population {
  readonly enquirers: readonly Member[];
  readonly accounts: readonly Member[];
  /** Opens what is sealed to any of them: they share one sealing key, since making keys is not measured. */
  readonly opener: Opener;
}

export async function makePopulation(enquirers: number, accounts: number): Promise<Population> {
  const opener = await generateOpener({ extractable: true });
  const epoch = { key: opener.publicKey, privateKey: JSON.stringify(await exportPrivate(opener)) };
  return {
    opener,
    enquirers: await makeMembers('host', enquirers, epoch),
    accounts: await makeMembers('person', accounts, epoch),
  };
}

async function makeMembers(prefix: string, count: number, epoch: NewEpoch): Promise<Member[]> {
  const members: Member[] = [];
  for (let i = 0; i < count; i++) members.push(await makeMember(`${prefix}-${i}@bench.example`, epoch));
  return members;
}

export async function makeMember(name: string, epoch: NewEpoch): Promise<Member> {
  const { signer, privateKey } = makeSigner();
  const genesis = await createGenesis(standInSealing, {
    name,
    signer,
    enc: epoch.key,
    deviceName: 'telephone',
    epoch,
    now: now(),
  });
  const log = await replayLog(sodiumCrypto, [genesis.jws]);
  return { log, signer, privateKey, kid: genesis.kid, row: 0, cursor: 0 };
}

/** An Ed25519 key whose signing is synchronous: no trips to a thread pool that shares the load's core. */
function makeSigner(): { signer: Signer; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  const jwk: PublicSigningJwk = { kty: 'OKP', crv: 'Ed25519', x: x! };
  return {
    privateKey,
    signer: {
      algorithm: 'EdDSA',
      publicKey: jwk,
      sign: async (data) => new Uint8Array(sign(null, data, privateKey)),
    },
  };
}

/** Registers the members, in transactions of a thousand. */
export async function writeMembers(store: Store, members: readonly Member[]): Promise<void> {
  for (let from = 0; from < members.length; from += 1000) {
    const some = members.slice(from, from + 1000);
    const rows = await Promise.all(
      some.map(({ log }) => store.createAccount({ ...log, epoch: log.epoch.n }, now())),
    );
    for (const [i, { id }] of rows.entries()) some[i]!.row = id;
  }
}

/** Each account takes questions from each of its enquirers. */
export async function writeContacts(
  store: Store,
  accounts: readonly Member[],
  enquirersOf: (account: number) => readonly Member[],
): Promise<void> {
  for (const [index, account] of accounts.entries()) {
    let list = NO_CONTACTS;
    const changes = [];
    for (const enquirer of enquirersOf(index)) {
      const { name, identity } = enquirer.log;
      const { signer, log, row } = account;
      const contact = { name, identity };
      const { jws, hash } = await createContact(sodiumCrypto, signer, log, list, contact, 'allow', now());
      list = { ...list, seq: list.seq + 1, hash };
      const change = {
        accountId: row,
        contactId: enquirer.row,
        seq: list.seq,
        head: log.head,
        policy: 'allow' as const,
        jws,
      };
      changes.push(store.changeContact(change, now()));
    }
    for (const { event } of await Promise.all(changes)) account.cursor = event.id;
  }
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}
