/**
 * The accounts that a client knows: each one's device log as it saw it last, and how its name was bound to its
 * identity. A log that shrinks or differs is an attack, and is said so.
 * @module
 */
import {
  type CheckpointPayload,
  CountersignError,
  type CryptoProvider,
  checkFreshness,
  type DeviceLog,
  type ErrorCode,
  followLog,
  type PublicSigningJwk,
  replayLog,
  type Verified,
  verifyCheckpoint,
} from '@countersign/core';
import { longerList } from './append-only.ts';
import type { BrokerApi } from './broker-api.ts';
import type { Clock } from './clock.ts';
import { KnownTree } from './known-tree.ts';
import type { StateStore } from './state-store.ts';

/** How a name was bound to an identity. */
export type Binding = 'own' | 'link' | 'first-use';

interface Kept {
  readonly entries: readonly string[];
  readonly checkpoint: string;
  /** Time in the checkpoint, seconds since 1970. */
  readonly checkedAt: number;
  readonly binding: Binding;
}

export interface KnownAccount {
  readonly log: DeviceLog;
  readonly checkpoint: string;
  readonly binding: Binding;
  /** The name was bound by this very look-up. */
  readonly firstUse: boolean;
}

const KIND = 'log';
const SAID_AS_IT_IS: ReadonlySet<ErrorCode> = new Set(['log-rollback', 'log-fork', 'account-changed']);

export class AccountBook {
  /** The broker's tree of all heads, in which every log that is read must stand. */
  readonly tree: KnownTree;
  readonly #api: BrokerApi;
  readonly #crypto: CryptoProvider;
  readonly #state: StateStore;
  readonly #clock: Clock;
  readonly #replayed = new Map<string, DeviceLog>();
  #brokerKey: PublicSigningJwk | undefined;

  constructor(api: BrokerApi, crypto: CryptoProvider, state: StateStore, clock: Clock) {
    this.#api = api;
    this.#crypto = crypto;
    this.#state = state;
    this.#clock = clock;
    this.tree = new KnownTree(api, crypto, state, () => this.brokerKey());
  }

  /**
   * An account's log, not older than `maxAge` seconds by the broker's checkpoint; 0 reads it anew.
   * @param identity what the account must be, where the caller knows: else a name that is new is believed
   * @throws `account-unknown`, `account-changed`, `log-fork`, `log-rollback`, `log-invalid`,
   *   `checkpoint-invalid`, `checkpoint-stale`, `broker-changed`, `tree-invalid`, `tree-inconsistent`
   */
  async find(name: string, maxAge: number, identity?: string): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    if (kept !== undefined && maxAge > 0 && kept.checkedAt > this.#clock.now() - maxAge) {
      const log = await this.#replay(name, kept.entries);
      checkIdentity(log, identity);
      return { log, checkpoint: kept.checkpoint, binding: kept.binding, firstUse: false };
    }
    return this.#refresh(name, kept, maxAge, { identity });
  }

  /** An account's log as the broker shows it now; throws as `find` does. */
  async read(name: string): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    return this.#refresh(name, kept, 60, {});
  }

  /**
   * Binds a name to an identity that came by a trustworthy way, and reads the account's log.
   * @throws `account-changed` where the broker, or this client so far, knows another identity
   */
  async bind(name: string, identity: string, binding: Binding): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    return this.#refresh(name, kept, 60, { identity, binding });
  }

  /** Forgets an account, so that its next look-up binds it anew. */
  async forget(name: string): Promise<void> {
    this.#replayed.delete(name);
    await this.#state.delete(KIND, key(this.#api.origin, name));
  }

  async #refresh(
    name: string,
    kept: Kept | undefined,
    maxAge: number,
    { identity, binding }: { identity?: string | undefined; binding?: Binding },
  ): Promise<KnownAccount> {
    const pinned = kept && (await this.#replay(name, kept.entries));
    const from = pinned?.head.seq ?? 0;
    const tree = await this.tree.kept();
    const read = await this.#api.readLog(name, from, tree?.size ?? 0);
    const log = await this.#check(name, () =>
      pinned === undefined
        ? replayLog(this.#crypto, read.entries)
        : followLog(this.#crypto, pinned, read.entries, from),
    );
    if (log.name !== name) {
      throw new CountersignError('account-mismatch', `the broker gave the log of ${log.name} for ${name}`);
    }
    checkIdentity(log, identity);
    const checkpoint = await this.#verifyCheckpoint(read.checkpoint, log);
    checkFreshness(checkpoint, this.#clock.now(), maxAge);
    const fresh = { entries: log.entries, checkpoint: read.checkpoint, checkedAt: checkpoint.payload.iat };
    // What another look-up has pinned meanwhile says more than the tree can.
    merged(name, await this.#state.get<Kept>(KIND, key(this.#api.origin, name)), fresh);
    await this.tree.verifyLogged(read.transparency, log, tree);
    const now = await this.#state.update<Kept>(KIND, key(this.#api.origin, name), (newer) => ({
      ...merged(name, newer, fresh),
      binding: binding ?? newer?.binding ?? 'first-use',
    }));
    if (now.entries.length === log.entries.length) this.#replayed.set(name, log);
    return {
      log: await this.#replay(name, now.entries),
      checkpoint: now.checkpoint,
      binding: now.binding,
      firstUse: kept === undefined && now.binding === 'first-use',
    };
  }

  /** A log that can't be replayed is one fault, whatever is wrong in it; the cause says what. */
  async #check(name: string, replay: () => Promise<DeviceLog>): Promise<DeviceLog> {
    try {
      return await replay();
    } catch (cause) {
      if (!(cause instanceof CountersignError) || SAID_AS_IT_IS.has(cause.code)) throw cause;
      throw new CountersignError('log-invalid', `the device log of ${name} is not good: ${cause.message}`, {
        cause,
        hint: 'the broker may be trying to add a device of its own: do not trust it until its operator has explained',
      });
    }
  }

  async #verifyCheckpoint(jws: string, log: DeviceLog): Promise<Verified<CheckpointPayload>> {
    try {
      const broker = { origin: this.#api.origin, key: await this.brokerKey() };
      return await verifyCheckpoint(this.#crypto, jws, broker, log);
    } catch (cause) {
      if (!(cause instanceof CountersignError) || cause.code !== 'signature-invalid') throw cause;
      throw new CountersignError('broker-changed', `${this.#api.origin} signs with another key than before`, {
        cause,
        hint: 'ask its operator whether it was set up anew; if so, begin with a new profile',
      });
    }
  }

  /** Replays what this client had verified before, from memory where it can. */
  async #replay(name: string, entries: readonly string[]): Promise<DeviceLog> {
    const known = this.#replayed.get(name);
    if (
      known !== undefined &&
      known.entries.length === entries.length &&
      known.entries.at(-1) === entries.at(-1)
    ) {
      return known;
    }
    const log = await replayLog(this.#crypto, entries);
    this.#replayed.set(name, log);
    return log;
  }

  /**
   * The broker's key, pinned at first contact.
   * @throws `broker-changed`
   */
  async brokerKey(): Promise<PublicSigningJwk> {
    if (this.#brokerKey !== undefined) return this.#brokerKey;
    const { origin } = this.#api;
    const pinned = await this.#state.get<PublicSigningJwk>('broker', origin);
    if (pinned !== undefined) {
      this.#brokerKey = pinned;
      return pinned;
    }
    const { key: offered } = await this.#api.wellKnown();
    this.#brokerKey = await this.#state.update<PublicSigningJwk>('broker', origin, (old) => old ?? offered);
    return this.#brokerKey;
  }
}

/**
 * What stays pinned where another process may have read the same log meanwhile: the longer log with its own
 * checkpoint, and of two equal ones the newer checkpoint.
 */
function merged(name: string, kept: Kept | undefined, read: Omit<Kept, 'binding'>): Omit<Kept, 'binding'> {
  if (kept === undefined) return read;
  const longer = longerList(kept.entries, read.entries, (at) =>
    at === 0
      ? new CountersignError('account-changed', `two accounts were shown under the name ${name}`, {
          hint: 'somebody may be posing as this account; compare its fingerprint with its owner',
        })
      : new CountersignError(
          'log-fork',
          `two device logs of ${name} were shown, which differ at entry ${at}`,
          {
            hint: 'the broker shows different logs to different readers: do not trust it until its operator has explained',
          },
        ),
  );
  if (longer === kept.entries) return kept;
  return kept.entries.length === read.entries.length && kept.checkedAt > read.checkedAt ? kept : read;
}

function checkIdentity(log: DeviceLog, identity: string | undefined): void {
  if (identity === undefined || log.identity === identity) return;
  throw new CountersignError(
    'account-changed',
    `the broker shows another account for ${log.name} than was meant`,
    {
      hint: 'compare the fingerprint with its owner again; if it is right, do not trust this broker',
    },
  );
}

/** Names of the accounts whose logs a state store holds. */
export async function knownAccounts(state: StateStore): Promise<string[]> {
  const all = await state.list<Kept>(KIND);
  return all.map(([key]) => key.slice(key.indexOf(' ') + 1));
}

function key(origin: string, name: string): string {
  return `${origin} ${name}`;
}
