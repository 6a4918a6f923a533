/**
 * Step 1: a person identifies themselves to the provider. They sign a fresh challenge with a key that speaks for
 * their account of the chain, prove what else the provider asks for, and confirm on the device of their Countersign
 * account.
 * @module
 */
import { type AccountLink, CountersignError, encodeBase64url, type Field } from '@countersign/core';
import { accountsBelow, ownerSpeaks, speaksFor } from '../chain-facts.ts';
import { registrationText, signerOfText } from '../challenge.ts';
import { follow, type ProviderContext } from './context.ts';
import { dropPolicyChanges } from './policies.ts';
import type { RegistrationRow, UserRow } from './store.ts';
import { KEPT_AS, TRIES, type Way, type WayMemory } from './ways.ts';

/** To prove everything in, in seconds. */
const LIFE = 600;
/** Registrations of one account of the chain whose key was proven, and which send codes and ask devices. */
const MOST_OPEN = 5;

export interface NewRegistration {
  /** Account of the chain, by name. */
  readonly account: string;
  /** The Countersign account whose device will confirm. */
  readonly countersign: AccountLink;
  /** Addresses by the names of the ways that the provider asks for. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** @throws `chain-account-unknown`, `account-unknown`, `account-changed`, `input-invalid` */
export async function beginRegistration(
  context: ProviderContext,
  { account: name, countersign, addresses }: NewRegistration,
): Promise<RegistrationRow> {
  const { client, store, clock, crypto, enquirer, ways } = context;
  for (const way of ways) way.checkAddress(addresses[way.name]);
  const account = await client.account(name);
  const now = clock.now();
  await enquirer.session.book.bind(countersign.name, countersign.identity, 'link');
  const row: RegistrationRow = {
    id: encodeBase64url(crypto.randomBytes(16)),
    account: account.name,
    account_id: account.id,
    countersign: countersign.name,
    identity: countersign.identity,
    nonce: encodeBase64url(crypto.randomBytes(32)),
    state: 'challenged',
    ways: JSON.stringify(Object.fromEntries(ways.map(({ name }) => [name, unproven(addresses[name] ?? '')]))),
    request: null,
    created_at: now,
    expires_at: now + LIFE,
    by_owner: 0,
  };
  store.add('registrations', row);
  return row;
}

function unproven(address: string): WayMemory {
  // No tries before the way has begun.
  return { address, tries: 0, proven: false, kept: {} };
}

export async function challengeOf(context: ProviderContext, row: RegistrationRow): Promise<string> {
  return registrationText({
    chainId: (await context.client.chain()).id,
    provider: context.account.name,
    account: row.account,
    accountId: row.account_id,
    countersign: row.countersign,
    identity: row.identity,
    nonce: row.nonce,
  });
}

/**
 * Takes the signed challenge. What else is asked for is sent now; else the device is asked.
 * @throws `cosign-unknown`, `signature-invalid`, `authority-missing` where the key does not speak for the account,
 *   `too-often`
 */
export async function proveKey(
  context: ProviderContext,
  id: string,
  signature: string,
): Promise<RegistrationRow> {
  const row = openRegistration(context, id, 'challenged');
  const { client, store, clock, ways } = context;
  const { prefix } = await client.chain();
  const key = signerOfText(await challengeOf(context, row), signature, prefix);
  const byOwner = await checkSpeaks(context, row, key);
  const now = clock.now();
  const proven = store
    .all('registrations', { account_id: row.account_id })
    .filter(({ state, expires_at }) => state !== 'challenged' && expires_at > now);
  if (proven.length >= MOST_OPEN) {
    throw new CountersignError('too-often', `${row.account} was registered often just now`, {
      retryAfter: LIFE,
    });
  }
  const by_owner = byOwner ? 1 : 0;
  if (ways.length === 0) {
    store.change('registrations', { id }, { by_owner });
    return askDevice(context, row);
  }
  if (store.change('registrations', { id, state: 'challenged' }, { state: 'proving', by_owner }) === 0) {
    throw new CountersignError('cosign-conflict', 'this registration was proven just now');
  }
  try {
    for (const way of ways) {
      const { address } = memoriesOf(row)[way.name]!;
      const kept = await way.begin(context, { ...row, by_owner }, address);
      remember(context, id, way, { tries: TRIES, kept });
    }
  } catch (error) {
    // Over, and counted: what it sends is not sent again and again.
    store.change('registrations', { id }, { state: 'rejected' });
    throw error;
  }
  return goOn(context, id);
}

/** @returns whether the key is the account’s owner @throws `authority-missing` */
async function checkSpeaks(
  { client, store }: ProviderContext,
  row: RegistrationRow,
  key: string,
): Promise<boolean> {
  const accounts = await accountsBelow(client, [row.account_id]);
  const account = accounts.get(row.account_id)!;
  const known = store.one('users', { account_id: row.account_id });
  const byOwner = ownerSpeaks([key], row.account_id, accounts);
  if (known !== undefined && known.identity !== row.identity) {
    // Whoever has the active key alone must not be able to put a device of theirs in the place of the person's.
    if (byOwner) return true;
    throw new CountersignError(
      'authority-missing',
      `${row.account} is registered with another Countersign account`,
      {
        hint: 'sign with the key that owns the account, to register it with a new one',
      },
    );
  }
  // Once a provider is required no key speaks alone any more; then one of the account's own is enough.
  const own = [...account.active.key_auths, ...account.owner.key_auths].some(([one]) => one === key);
  const guarded = account.active.account_auths.length > 0;
  if (speaksFor([key], row.account_id, accounts) || (guarded && own)) return byOwner;
  throw new CountersignError('authority-missing', `the key that signed does not speak for ${row.account}`);
}

/** What the ways of a registration remember, by their names. */
export function memoriesOf({ ways }: RegistrationRow): Record<string, WayMemory> {
  return JSON.parse(ways) as Record<string, WayMemory>;
}

/** Takes codes, by the names of their ways. @throws `passcode-wrong`, `passcode-locked` */
export async function proveWays(
  context: ProviderContext,
  id: string,
  codes: Readonly<Record<string, string>>,
): Promise<RegistrationRow> {
  const memories = memoriesOf(openRegistration(context, id, 'proving'));
  const asked = context.ways.filter(({ by, name }) => by === 'code' && memories[name]?.proven === false);
  let wrong: unknown;
  for (const way of asked) {
    try {
      await proveWay(context, id, way, codes[way.name] ?? '');
    } catch (error) {
      wrong ??= error;
    }
  }
  if (wrong !== undefined) throw wrong;
  return goOn(context, id);
}

/** Takes what a way’s own page gives. @throws what the way refuses it with, `passcode-locked` */
export async function provePage(
  context: ProviderContext,
  id: string,
  way: Way,
  given: unknown,
): Promise<RegistrationRow> {
  const { proven } = memoriesOf(openRegistration(context, id, 'proving'))[way.name] ?? {};
  if (proven !== false) throw new CountersignError('cosign-conflict', `the ${way.name} was proven already`);
  await proveWay(context, id, way, given);
  return goOn(context, id);
}

/** A try is taken before anything is judged, and given back: many at once have no more tries than one by one. */
async function proveWay(context: ProviderContext, id: string, way: Way, given: unknown): Promise<void> {
  const row = openRegistration(context, id, 'proving');
  const memory = memoriesOf(row)[way.name]!;
  if (memory.tries <= 0) {
    throw new CountersignError('passcode-locked', 'too many wrong tries: register anew');
  }
  remember(context, id, way, { tries: memory.tries - 1 });
  const judged = await way.judge(context, row, memory, given);
  if (!judged.right) throw judged.why;
  const kept = judged.kept === undefined ? {} : { kept: judged.kept };
  remember(context, id, way, { tries: TRIES, proven: true, ...kept });
}

function remember({ store }: ProviderContext, id: string, { name }: Way, change: Partial<WayMemory>): void {
  const memories = memoriesOf(store.one('registrations', { id })!);
  const ways = JSON.stringify({ ...memories, [name]: { ...memories[name], ...change } });
  store.change('registrations', { id }, { ways });
}

/** Once everything is proven, the device is asked. */
async function goOn(context: ProviderContext, id: string): Promise<RegistrationRow> {
  const row = openRegistration(context, id, 'proving');
  const memories = memoriesOf(row);
  if (context.ways.some(({ name }) => memories[name]?.proven !== true)) return row;
  const asked = await askDevice(context, row);
  context.changes.tell(id);
  return asked;
}

async function askDevice(context: ProviderContext, row: RegistrationRow): Promise<RegistrationRow> {
  const { store, enquirer, account } = context;
  const { id } = row;
  const asked = await enquirer.ask({
    account: row.countersign,
    kind: 'payment',
    text: [
      { type: 'h1', text: `Register with ${account.name}` },
      { type: 'p', text: `From then on ${account.name} asks you here before it signs for ${row.account}.` },
    ],
    fields: [
      { name: 'Account', value: `${row.account} (${row.account_id})` },
      ...addressesIn(context, row),
      { name: 'Chain', value: (await context.client.chain()).id },
    ],
  });
  if (asked.account.identity !== row.identity) {
    throw new CountersignError(
      'account-changed',
      `${row.countersign} is another account than the one that was linked`,
    );
  }
  store.change('registrations', { id }, { state: 'asked', request: asked.hash, expires_at: asked.expiresAt });
  follow(context, `registration ${id}`, () => awaitDevice(context, id));
  return store.one('registrations', { id })!;
}

/** Where the person will be told of changes, so that nobody else's address goes in unseen. */
function addressesIn({ ways }: ProviderContext, row: RegistrationRow): Field[] {
  const memories = memoriesOf(row);
  return ways
    .filter(({ send }) => send !== undefined)
    .map(({ name }) => ({
      name: `${name[0]!.toUpperCase()}${name.slice(1)}`,
      value: memories[name]!.address,
    }));
}

/** Waits for the device; also after a restart. */
export async function awaitDevice(context: ProviderContext, id: string): Promise<void> {
  const { store, enquirer } = context;
  const row = store.one('registrations', { id });
  if (row?.state !== 'asked' || row.request === null) return;
  const { outcome } = await enquirer.wait(row.request, context.stopping);
  let before: UserRow | undefined;
  if (outcome !== 'accepted') {
    store.change('registrations', { id }, { state: outcome === 'expired' ? 'expired' : 'rejected' });
  } else {
    try {
      before = store.atomically(() => keep(context, row));
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      store.change('registrations', { id }, { state: 'rejected' });
    }
  }
  context.changes.tell(id);
  if (before !== undefined) await tellWhereBefore(context, before);
}

/** Tells the person where they were reached until now that they are reached elsewhere. */
async function tellWhereBefore(
  { store, ways, account: provider, logger }: ProviderContext,
  before: UserRow,
): Promise<void> {
  const { account, account_id } = before;
  const now = store.one('users', { account_id })!;
  const title = `${provider.name} reaches you elsewhere about ${account}`;
  for (const { name, send } of ways) {
    const column = KEPT_AS[name as keyof typeof KEPT_AS];
    const old = column && before[column];
    if (old == null || old === now[column]) continue;
    const text = `From now on ${provider.name} writes to another ${name} about ${account}, and to this one no more. The key that owns ${account} has signed that. If it was not you, somebody has this key: change it.`;
    await send?.(old, title, text).catch((err: unknown) => logger.error({ err }, 'a notice was not sent'));
  }
}

/**
 * @returns the person as they were known before, if they were
 * @throws `cosign-conflict` where another registration came first, and this one could not have begun after it
 */
function keep(context: ProviderContext, row: RegistrationRow): UserRow | undefined {
  const { store, clock, ways } = context;
  const { id, account, account_id, countersign, identity } = row;
  const memories = memoriesOf(row);
  for (const way of ways) {
    const memory = memories[way.name];
    if (memory !== undefined && way.keep?.(context, row, memory) === false) {
      throw new CountersignError(
        'cosign-conflict',
        `the ${way.name} is another’s meanwhile, or another is known`,
      );
    }
  }
  const known = store.one('users', { account_id });
  if (known !== undefined && known.identity !== identity && row.by_owner !== 1) {
    throw new CountersignError('cosign-conflict', `${account} was registered meanwhile`);
  }
  const { email, phone } = memories;
  const person = {
    countersign,
    identity,
    // What is not asked for any more is still known.
    address: email?.address ?? known?.address ?? null,
    phone: phone?.address ?? known?.phone ?? null,
  };
  if (known === undefined) {
    store.add('users', {
      account,
      account_id,
      ...person,
      registered_at: clock.now(),
      signer: null,
      signer_id: null,
    });
  } else {
    // The same person again, who proved it by the same key: perhaps with another Countersign account.
    store.change('users', { account_id }, person);
    if (known.identity !== identity) dropPolicyChanges(context, known.account);
  }
  store.change('registrations', { id }, { state: 'registered' });
  return known;
}

export function openRegistration(
  context: ProviderContext,
  id: string,
  state: RegistrationRow['state'],
): RegistrationRow {
  const row = context.store.one('registrations', { id });
  if (row === undefined || row.expires_at <= context.clock.now()) {
    throw new CountersignError('cosign-unknown', 'there is no such registration, or its time is over');
  }
  if (row.state !== state) throw new CountersignError('cosign-conflict', `this registration is ${row.state}`);
  return row;
}
