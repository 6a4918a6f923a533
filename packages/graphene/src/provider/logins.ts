/**
 * Logins by the Wallet Login Protocol (spec/wallet-login.md) of accounts that need the provider: it signs one that the
 * account's own key has signed, once the person has said yes on their device to all of it. The digest is made here, of
 * the whole login; it begins with the protocol's name, so that no transaction's can be brought in.
 * @module
 */
import { CountersignError, type Field, type Part } from '@countersign/core';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AuthorityCheck } from '../authority.ts';
import type { Chain } from '../chain.ts';
import type { ChainAccount } from '../chain-client.ts';
import { accountsBelow } from '../chain-facts.ts';
import { quoteText } from '../outside-text.ts';
import { signDigest } from '../signature.ts';
import { potentialKeysOf } from '../transaction-authority.ts';
import { signersOf } from '../transaction-request.ts';
import { type WholeLogin, wholeLoginDigest } from '../wallet-login.ts';
import { actsForProvider, type User } from './asked-for.ts';
import { follow, type ProviderContext } from './context.ts';
import { enrolled } from './enrolment.ts';
import { DIGEST_FIELD } from './question.ts';
import { keyOf, mismatch, receiptsOf } from './signing.ts';
import type { LoginRow } from './store.ts';

/** As long as a server waits for a login, in seconds. */
const LIFE = 300;

/**
 * Takes a login for an account; the same one twice is one.
 * @param signatures of the account's own keys, over the login
 * @throws `chain-other`, `link-invalid`, `cosign-not-enrolled`, `cosign-unasked`, and what asking the device throws
 */
export async function postLogin(
  context: ProviderContext,
  login: WholeLogin,
  signatures: readonly string[],
  chainId?: string,
): Promise<LoginRow> {
  const { client, store, clock } = context;
  const chain = await client.chain();
  if (chainId !== undefined && chainId !== chain.id) {
    throw new CountersignError('chain-other', 'this provider signs for another chain');
  }
  const bytes = wholeLoginDigest(login, chain);
  const digest = bytesToHex(bytes);
  const user = enrolled(context, login.account);
  const accounts = await accountsBelow(client, [user.account_id]);
  checkLogin(context, user, accounts, signersOf(bytes, signatures, chain));
  const row: LoginRow = {
    digest,
    account: user.account,
    login: JSON.stringify(login),
    state: 'pending',
    reason: null,
    request: null,
    signature: null,
    receipts: null,
    expires_at: clock.now() + LIFE,
  };
  if (store.add('logins', row)) await askDevice(context, user, row, questionOf(login, digest, chain));
  return loginOf(context, digest);
}

/** @throws `cosign-unknown` */
export function loginOf({ store }: ProviderContext, digest: string): LoginRow {
  const row = store.one('logins', { digest });
  if (row !== undefined) return row;
  throw new CountersignError('cosign-unknown', 'no such login was posted here');
}

/** As with a transaction: the account's own key has signed, and the provider's would count. @throws `cosign-unasked` */
function checkLogin(
  context: ProviderContext,
  user: User,
  accounts: ReadonlyMap<string, ChainAccount>,
  signers: readonly string[],
): void {
  const account = accounts.get(user.account_id);
  const own = [...(account?.active.key_auths ?? []), ...(account?.owner.key_auths ?? [])];
  if (!own.some(([key]) => signers.includes(key))) {
    throw new CountersignError('cosign-unasked', `no key of ${user.account} has signed this login`);
  }
  if (actsForProvider(context, [user.account_id])) {
    throw new CountersignError('cosign-unasked', 'this login is of the provider’s own account');
  }
  const keys = accounts.get(user.signer_id)?.active.key_auths.map(([key]) => key) ?? [];
  const there = new AuthorityCheck(accounts, (key) => signers.includes(key));
  const counting = potentialKeysOf(user.account_id, accounts);
  if (there.active(user.account_id) || !keys.some((key) => counting.has(key))) {
    throw new CountersignError(
      'cosign-unasked',
      `a signature of ${user.signer} would not count for this login`,
    );
  }
}

interface Shown {
  readonly text: readonly Part[];
  readonly fields: readonly Field[];
}

function questionOf({ account, callback, ...login }: WholeLogin, digest: string, chain: Chain): Shown {
  const { host, pathname, search } = new URL(callback);
  return {
    text: [
      { type: 'h1', text: `Log in at ${quoteText(host)} as ${account}` },
      { type: 'p', text: 'Say yes only if you are logging in there now.' },
    ],
    fields: [
      { name: 'Host', value: quoteText(host) },
      { name: 'Account', value: account },
      { name: 'Page', value: quoteText(pathname + search) },
      { name: 'Chain', value: `${chain.prefix} ${chain.id}` },
      { name: 'Server’s key', value: login.onetimekey },
      { name: 'Wallet’s key', value: login.account_key },
      { name: DIGEST_FIELD, value: digest },
    ],
  };
}

async function askDevice(
  context: ProviderContext,
  user: User,
  { digest }: LoginRow,
  shown: Shown,
): Promise<void> {
  const { enquirer, store } = context;
  try {
    const asked = await enquirer.ask({ account: user.countersign, kind: 'login', lifetime: LIFE, ...shown });
    if (asked.account.identity !== user.identity) {
      await enquirer.cancel(asked.hash).catch(() => {});
      throw new CountersignError(
        'account-changed',
        `${user.countersign} is not the account that was registered`,
      );
    }
    store.change('logins', { digest }, { request: asked.hash, expires_at: asked.expiresAt });
  } catch (error) {
    // Never asked is never decided: it may be posted again.
    store.remove('logins', { digest });
    throw error;
  }
  followLogin(context, digest);
}

/** Waits for the answer; also after a restart. */
export function followLogin(context: ProviderContext, digest: string): void {
  const row = context.store.one('logins', { digest });
  if (row?.state !== 'pending') return;
  if (row.request === null) {
    // Asked of nobody before the end.
    context.store.remove('logins', { digest });
    return;
  }
  const { request } = row;
  follow(
    context,
    `login ${digest}`,
    () => decide(context, digest, request),
    (error) => {
      const why = error instanceof CountersignError ? `${error.code}: ${error.message}` : 'internal';
      settle(context, digest, { state: 'refused', reason: `${why}; nothing was signed` });
    },
  );
}

async function decide(context: ProviderContext, digest: string, request: string): Promise<void> {
  const { enquirer, client, clock, store, stopping } = context;
  const { outcome } = await enquirer.wait(request, stopping);
  if (outcome !== 'accepted') {
    const late = outcome === 'expired' || outcome === 'pending';
    return settle(context, digest, { state: late ? 'expired' : 'rejected', reason: outcome });
  }
  const row = store.one('logins', { digest });
  if (row?.state !== 'pending') return;
  if (clock.now() > row.expires_at) return settle(context, digest, { state: 'expired', reason: 'expired' });
  const user = enrolled(context, row.account);
  const login = JSON.parse(row.login ?? 'null') as WholeLogin | null;
  if (login?.account !== row.account) throw mismatch();
  const bytes = wholeLoginDigest(login, await client.chain());
  if (bytesToHex(bytes) !== digest) throw mismatch();
  const receipts = await receiptsOf(context, digest, user, [request]);
  const key = await keyOf(context, user, await client.account(user.signer_id));
  settle(context, digest, {
    state: 'signed',
    signature: signDigest(bytes, key),
    receipts: JSON.stringify(receipts),
  });
}

/** What its keys share is needed no more. */
function settle({ store, changes }: ProviderContext, digest: string, change: Partial<LoginRow>): void {
  store.change('logins', { digest, state: 'pending' }, { ...change, login: null });
  changes.tell(digest);
}
