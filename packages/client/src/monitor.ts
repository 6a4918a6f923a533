/**
 * Watching an account: what its log gained that this device did not sign, and whether the broker shows the same
 * log to all. To know that, every new leaf of the broker's tree is read, and each that is of the account must be
 * a head that its log has: a log that is shown to somebody else alone stands there too, or in another tree.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  type Device,
  type DeviceLog,
  decodeBase64url,
  EMPTY_TREE,
  type ErrorCode,
  encodeBase64url,
  extendLog,
  type Frontier,
  growTree,
  isFrozen,
  LOG_ENTRIES,
  type LoggedHead,
  leafHash,
  parseBundle,
  parseStatement,
  parseTreeLeaf,
  replayLog,
  TILE_WIDTH,
  type TreeHead,
  tilePath,
  treeRoot,
  verifyConsistency,
} from '@countersign/core';
import type { AccountBook } from './account-book.ts';
import type { BrokerApi } from './broker-api.ts';
import { wasSignedHere } from './signed-entries.ts';
import type { StateStore } from './state-store.ts';

/** An entry that gives somebody more than before, and that this device did not sign. */
export interface LogAlarm {
  readonly kind:
    | 'device-added'
    | 'device-rotated'
    | 'device-recovered'
    | 'device-thawed'
    | 'rights-grown'
    | 'recovery-changed';
  readonly seq: number;
  /** What the entry says of its time, in seconds since 1970. */
  readonly at: number;
  /** Fingerprint of the key that signed it. */
  readonly by: string;
  /** All but where the recovery code changed. */
  readonly device?: Device;
}

/** The broker was caught at something, or at being unable to explain itself. */
export interface BrokerAlarm {
  readonly kind: 'broker';
  readonly error: CountersignError;
}

export type Alarm = LogAlarm | BrokerAlarm;

export interface Round {
  /** As it was read; as it was kept, where the broker showed no good one. */
  readonly log?: DeviceLog;
  /** Leaves of the tree that were read so far. */
  readonly leaves: number;
  /** This was the first look at the account: what it has now is what it is compared with later. */
  readonly first: boolean;
}

interface Seen {
  readonly seq: number;
  readonly hash: string;
  readonly tree: { readonly size: number; readonly peaks: readonly string[] };
}

export interface LogMonitorOptions {
  readonly api: BrokerApi;
  readonly book: AccountBook;
  readonly state: StateStore;
  readonly crypto: CryptoProvider;
}

const KIND = 'monitor';
/** What no honest broker says. Whatever else goes wrong is a failure of the look, and no finding. */
const FINDINGS: ReadonlySet<ErrorCode> = new Set([
  'log-rollback',
  'log-fork',
  'log-invalid',
  'account-changed',
  'account-mismatch',
  'broker-changed',
  'checkpoint-invalid',
  'checkpoint-stale',
  'signature-invalid',
  'statement-malformed',
  'statement-type',
  'tree-invalid',
  'tree-inconsistent',
]);

export class LogMonitor {
  readonly #options: LogMonitorOptions;
  readonly #name: string;

  constructor(options: LogMonitorOptions, name: string) {
    this.#options = options;
    this.#name = name;
  }

  /**
   * Looks once. What was reported of the log is not reported again; what is wrong with the broker is, for as long
   * as it lasts.
   * @param report is told of each alarm; only when it is done, the alarm counts as reported
   * @throws `broker-unreachable`, and whatever else says nothing about the account or the broker's honesty
   */
  async look(report: (alarm: Alarm) => Promise<void>): Promise<Round> {
    const seen = await this.#seen();
    const first = seen === undefined;
    let log: DeviceLog | undefined;
    try {
      ({ log } = await this.#options.book.read(this.#name));
      if (seen !== undefined) await this.#reportChanges(log, seen, report);
      await this.#save({ seq: log.head.seq, hash: log.head.hash });
      return { log, leaves: await this.#compareLeaves(log, seen), first };
    } catch (error) {
      const vanished = (code: ErrorCode) => code === 'account-unknown' && !first;
      if (!(error instanceof CountersignError) || !(FINDINGS.has(error.code) || vanished(error.code)))
        throw error;
      await report({ kind: 'broker', error });
      return { ...(log === undefined ? {} : { log }), leaves: seen?.tree.size ?? 0, first };
    }
  }

  async #reportChanges(
    log: DeviceLog,
    { seq, hash }: Seen,
    report: (alarm: Alarm) => Promise<void>,
  ): Promise<void> {
    const { crypto, state } = this.#options;
    if (log.hashes[seq] !== hash) {
      throw new CountersignError(
        'log-fork',
        `the device log of ${log.name} is another one than was watched so far`,
        {
          hint: 'somebody may be posing as this account, or its contact was removed and added anew',
        },
      );
    }
    let before = await replayLog(crypto, log.entries.slice(0, seq + 1));
    for (const jws of log.entries.slice(seq + 1)) {
      const after = await extendLog(crypto, before, [jws]);
      const entry = await parseStatement(crypto, LOG_ENTRIES, jws);
      if (!(await wasSignedHere(state, entry.hash))) {
        const where = { seq: after.head.seq, at: entry.payload.iat, by: entry.kid };
        for (const gain of gains(before, after)) await report({ ...gain, ...where });
      }
      before = after;
    }
  }

  /** Reads the leaves that are new, and compares those of the account with its log. */
  async #compareLeaves(shown: DeviceLog, seen: Seen | undefined): Promise<number> {
    const head = await this.#options.book.tree.refresh();
    const { tree, heads } = await this.#readLeaves(frontierOf(seen), head);
    // The log may have grown between the two looks.
    const grown = heads.some(({ head: { seq } }) => seq > shown.head.seq);
    const log = grown ? (await this.#options.book.read(this.#name)).log : shown;
    for (const logged of heads) checkShown(log, logged);
    const peaks = tree.peaks.map(encodeBase64url);
    await this.#save({ tree: { size: tree.size, peaks } });
    return tree.size;
  }

  async #readLeaves(from: Frontier, head: TreeHead): Promise<{ tree: Frontier; heads: LoggedHead[] }> {
    const { api, crypto } = this.#options;
    const heads: LoggedHead[] = [];
    let tree = from;
    while (tree.size < head.size) {
      const n = Math.floor(tree.size / TILE_WIDTH);
      const width = Math.min(TILE_WIDTH, head.size - n * TILE_WIDTH);
      const leaves = parseBundle(await api.readTreeEntries(tilePath(n, width)));
      if (leaves.length !== width) {
        throw new CountersignError('tree-invalid', 'a bundle of leaves of the broker’s tree is not whole');
      }
      for (const leaf of leaves.slice(tree.size - n * TILE_WIDTH)) {
        const logged = parseTreeLeaf(leaf);
        if (logged.name === this.#name) heads.push(logged);
        tree = await growTree(crypto, tree, await leafHash(crypto, leaf));
      }
    }
    // The leaves that were read make the very tree that the broker signed.
    await verifyConsistency(crypto, { size: tree.size, root: await treeRoot(crypto, tree) }, head, []);
    return { tree, heads };
  }

  #seen(): Promise<Seen | undefined> {
    return this.#options.state.get<Seen>(KIND, this.#key());
  }

  async #save(next: Partial<Seen>): Promise<void> {
    const nothing: Seen = { seq: 0, hash: '', tree: { size: 0, peaks: [] } };
    await this.#options.state.update<Seen>(KIND, this.#key(), (old = nothing) => ({ ...old, ...next }));
  }

  #key(): string {
    return `${this.#options.api.origin} ${this.#name}`;
  }
}

/** What somebody can do after an entry that nobody could before. */
function* gains(before: DeviceLog, after: DeviceLog): Generator<Pick<LogAlarm, 'kind' | 'device'>> {
  for (const [kid, device] of after.devices) {
    const was = before.devices.get(kid);
    if (was === device) continue;
    if (was === undefined) {
      const rotated = [...after.devices.values()].some(
        ({ revokedAt }) => revokedAt?.reason === 'rotated' && revokedAt.seq === after.head.seq,
      );
      const kind = device.probation ? 'device-recovered' : rotated ? 'device-rotated' : 'device-added';
      yield { kind, device };
    } else if (was.probation && !device.probation && device.revokedAt === undefined) {
      yield { kind: 'device-recovered', device };
    } else if (device.rights.some((right) => !was.rights.includes(right))) {
      yield { kind: 'rights-grown', device };
    } else if (isFrozen(was) && !isFrozen(device)) {
      yield { kind: 'device-thawed', device };
    }
  }
  if (after.recovery !== before.recovery) yield { kind: 'recovery-changed' };
}

/** A head of the account that stands in the tree must be one that its log has. */
function checkShown(log: DeviceLog, { name, identity, head }: LoggedHead): void {
  if (identity !== log.identity) {
    throw new CountersignError(
      'account-changed',
      `the broker’s tree has another account under the name ${name}`,
      {
        hint: 'the broker may be showing it to somebody: do not trust it until its operator has explained',
      },
    );
  }
  const known = log.hashes[head.seq];
  if (known === head.hash) return;
  if (known === undefined) {
    throw new CountersignError(
      'log-rollback',
      `the device log of ${name} is shorter than the broker’s tree says`,
      {
        hint: 'the broker hides entries from you: do not trust it until its operator has explained',
      },
    );
  }
  throw new CountersignError(
    'log-fork',
    `the broker’s tree has another entry ${head.seq} of ${name} than its log`,
    {
      hint: 'the broker shows somebody another log than you: do not trust it until its operator has explained',
    },
  );
}

function frontierOf(seen: Seen | undefined): Frontier {
  if (seen === undefined) return EMPTY_TREE;
  return { size: seen.tree.size, peaks: seen.tree.peaks.map(decodeBase64url) };
}
