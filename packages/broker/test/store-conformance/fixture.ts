/**
 * Accounts and requests for the suites that every store must pass.
 * @module
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Device } from '@countersign/core';
import type { AccountRow, NewRequest, Store } from '../../src/store/store.ts';

export const NOW = 1_800_000_000;

export function hash(): string {
  return randomBytes(32).toString('base64url');
}

export function codeIs(code: string) {
  return (error: { code?: string }) => {
    assert.equal(error.code, code);
    return true;
  };
}

/** Opens a new, empty store; `reopen` closes it and opens what it left behind. */
export type Open = () => Promise<{ store: Store; reopen(): Promise<Store>; dispose(): Promise<void> }>;

export type Fixture = ReturnType<typeof fixture>;

export function fixture(open: Open) {
  let serial = 0;

  async function account(store: Store): Promise<AccountRow> {
    const head = { seq: 0, hash: hash() };
    const devices = new Map<string, Device>();
    const named = { name: `a${++serial}@example.com`, identity: head.hash, head, epoch: 0, devices };
    return store.createAccount({ ...named, entries: ['first'] }, NOW);
  }

  async function acquainted(store: Store): Promise<{ alice: AccountRow; host: AccountRow }> {
    const [alice, host] = [await account(store), await account(store)];
    const change = {
      accountId: alice.id,
      contactId: host.id,
      seq: 1,
      head: alice.head,
      policy: 'allow',
      jws: 'allow',
    } as const;
    await store.changeContact(change, NOW);
    return { alice, host };
  }

  function request(alice: AccountRow, host: AccountRow, change: Partial<NewRequest> = {}): NewRequest {
    const jti = randomBytes(16).toString('base64url');
    return {
      hash: hash(),
      jti,
      jws: 'a.b.c',
      enquirerId: host.id,
      enquirer: { name: host.name, identity: host.identity },
      accountId: alice.id,
      asker: 'device',
      exp: NOW + 120,
      ...change,
    };
  }

  async function withStore(
    work: (store: Store, reopen: () => Promise<Store>) => Promise<void>,
  ): Promise<void> {
    const { store, reopen, dispose } = await open();
    try {
      await work(store, reopen);
    } finally {
      await dispose();
    }
  }

  return { account, acquainted, request, withStore };
}
