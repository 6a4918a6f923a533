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
   * An account's log, not older than `maxAge` seconds by the broker's checkpoint.
   * @throws `account-unknown`, `account-changed`, `log-fork`, `log-rollback`, `log-invalid`,
   *   `checkpoint-invalid`, `checkpoint-stale`, `broker-changed`, `tree-invalid`, `tree-inconsistent`
   */
  async find(name: string, maxAge: number): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    if (kept !== undefined && kept.checkedAt > this.#clock.now() - maxAge) {
      const log = await this.#replay(name, kept.entries);
      return { log, checkpoint: kept.checkpoint, binding: kept.binding, firstUse: false };
    }
    return this.#refresh(name, kept, 'first-use', maxAge);
  }

  /** An account's log as the broker shows it now; throws as `find` does. */
  async read(name: string): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    return this.#refresh(name, kept, 'first-use', 60);
  }

  /**
   * Binds a name to an identity that came by a trustworthy way, and reads the account's log.
   * @throws `account-changed` where the broker, or this client so far, knows another identity
   */
  async bind(name: string, identity: string, binding: Binding): Promise<KnownAccount> {
    const kept = await this.#state.get<Kept>(KIND, key(this.#api.origin, name));
    const known = await this.#refresh(name, kept, binding, 60, identity);
    await this.#state.update<Kept>(KIND, key(this.#api.origin, name), (old) => ({ ...old!, binding }));
    return { ...known, binding, firstUse: false };
  }

  /** Forgets an account, so that its next look-up binds it anew. */
  async forget(name: string): Promise<void> {
    this.#replayed.delete(name);
    await this.#state.delete(KIND, key(this.#api.origin, name));
  }

  async #refresh(
    name: string,
    kept: Kept | undefined,
    binding: Binding,
    maxAge: number,
    identity?: string,
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
    if (identity !== undefined && log.identity !== identity) {
      throw new CountersignError(
        'account-changed',
        `the broker shows another account for ${name} than the link names`,
        {
          hint: 'compare the link with its owner again; if it is right, do not trust this broker',
        },
      );
    }
    const checkpoint = await this.#verifyCheckpoint(read.checkpoint, log);
    checkFreshness(checkpoint, this.#clock.now(), maxAge);
    await this.tree.verifyLogged(read.transparency, log, tree);
    await this.#state.update<Kept>(KIND, key(this.#api.origin, name), (newer) => {
      // Another process may have seen more meanwhile: the longer log stays pinned.
      const entries =
        newer !== undefined && newer.entries.length > log.entries.length ? newer.entries : log.entries;
      const checkedAt = checkpoint.payload.iat;
      return { entries, checkpoint: read.checkpoint, checkedAt, binding: newer?.binding ?? binding };
    });
    this.#replayed.set(name, log);
    return {
      log,
      checkpoint: read.checkpoint,
      binding: kept?.binding ?? binding,
      firstUse: kept === undefined && binding === 'first-use',
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

/** Names of the accounts whose logs a state store holds. */
export async function knownAccounts(state: StateStore): Promise<string[]> {
  const all = await state.list<Kept>(KIND);
  return all.map(([key]) => key.slice(key.indexOf(' ') + 1));
}

function key(origin: string, name: string): string {
  return `${origin} ${name}`;
}
