/**
 * A broker's tree of all heads, as a client knows it: the newest head that it saw, which only goes forward. What
 * the broker shows later must be what that tree has become, and so must what it shows to others.
 * @module
 */
import {
  CountersignError,
  type CryptoProvider,
  type DeviceLog,
  decodeBase64url,
  formatTreeLeaf,
  leafHash,
  type PublicSigningJwk,
  parseTreeHead,
  type TreeHead,
  treeOrigin,
  verifyConsistency,
  verifyInclusion,
  verifyTreeHead,
} from '@countersign/core';
import type { BrokerApi } from './broker-api.ts';
import type { StateStore } from './state-store.ts';
import type { WireTransparency } from './wire.ts';

export interface Evidence {
  /** Notes. The older was seen before, or has fewer leaves. */
  readonly older: string;
  readonly newer: string;
}

const KIND = 'tree';
const EVIDENCE_KIND = 'tree-evidence';

export class KnownTree {
  readonly #api: BrokerApi;
  readonly #crypto: CryptoProvider;
  readonly #state: StateStore;
  readonly #brokerKey: () => Promise<PublicSigningJwk>;

  constructor(
    api: BrokerApi,
    crypto: CryptoProvider,
    state: StateStore,
    brokerKey: () => Promise<PublicSigningJwk>,
  ) {
    this.#api = api;
    this.#crypto = crypto;
    this.#state = state;
    this.#brokerKey = brokerKey;
  }

  /** The newest head that was seen. */
  async kept(): Promise<TreeHead | undefined> {
    const note = await this.#state.get<string>(KIND, this.#api.origin);
    return note === undefined ? undefined : parseTreeHead(note);
  }

  /** Two heads that the broker signed and that are not of one tree, if that ever happened: the first such pair. */
  evidence(): Promise<Evidence | undefined> {
    return this.#state.get<Evidence>(EVIDENCE_KIND, this.#api.origin);
  }

  /**
   * Verifies that a log's head stands in the broker's tree, and that the tree is what it was.
   * @param before the head that was kept before the broker was asked
   * @throws `tree-invalid`, `tree-inconsistent`
   */
  async verifyLogged(
    { tree_head, index, leaf, inclusion, consistency }: WireTransparency,
    log: DeviceLog,
    before: TreeHead | undefined,
  ): Promise<void> {
    const head = await this.#verify(tree_head);
    const expected = formatTreeLeaf(log);
    if (leaf !== expected) {
      throw new CountersignError(
        'tree-invalid',
        `the broker’s tree has another newest entry of ${log.name} than the log that it shows`,
        { hint: 'the broker may be hiding entries: do not trust it until its operator has explained' },
      );
    }
    const hash = await leafHash(this.#crypto, new TextEncoder().encode(expected));
    await verifyInclusion(this.#crypto, hash, index, inclusion.map(decodeBase64url), head);
    if (before !== undefined) {
      await this.#verifyGrowth(before, head, (consistency ?? []).map(decodeBase64url));
    }
    await this.#keep(head, before);
  }

  /** The tree's newest head, as the broker says now. @throws `tree-invalid`, `tree-inconsistent` */
  async refresh(): Promise<TreeHead> {
    const before = await this.kept();
    const head = await this.#verify(await this.#api.readTreeHead());
    if (before !== undefined) await this.#verifyGrown(before, head);
    await this.#keep(head, before);
    return head;
  }

  /**
   * Compares with a head that somebody else was shown: both must be of one tree, as it grew.
   * @throws `tree-inconsistent` where the broker showed two trees; `tree-invalid` where this is no head of it
   */
  async compare(note: string): Promise<{ own: TreeHead; other: TreeHead }> {
    const other = await this.#verify(note);
    const kept = await this.kept();
    // Two roots of one size need no broker to be found out.
    if (kept?.size === other.size) await this.#verifyGrowth(other, kept, []);
    const own = await this.refresh();
    await this.#verifyGrown(other, own);
    return { own, other };
  }

  async #verify(note: string): Promise<TreeHead> {
    return verifyTreeHead(this.#crypto, note, treeOrigin(this.#api.origin), await this.#brokerKey());
  }

  /** Keeps a head if it is newer than what is kept by now, which it must agree with either way. */
  async #keep(head: TreeHead, agreed: TreeHead | undefined): Promise<void> {
    let known = agreed;
    for (let kept = await this.kept(); ; kept = await this.kept()) {
      // Another look-up may have seen more meanwhile.
      if (kept !== undefined && kept.note !== known?.note) await this.#connect(kept, head);
      known = kept;
      let moved = false;
      await this.#state.update<string>(KIND, this.#api.origin, (now) => {
        moved = now !== undefined && now !== known?.note;
        if (moved) return now!;
        return known !== undefined && known.size >= head.size ? known.note : head.note;
      });
      if (!moved) return;
    }
  }

  /** Verifies what the broker says now against what it said before. @throws `tree-inconsistent` */
  async #verifyGrown(before: TreeHead, now: TreeHead): Promise<void> {
    if (now.size < before.size) await this.#verifyGrowth(before, now, []);
    await this.#connect(before, now);
  }

  /** Verifies that of two heads the newer is what the older has become. @throws `tree-inconsistent` */
  async #connect(a: TreeHead, b: TreeHead): Promise<void> {
    const [older, newer] = a.size <= b.size ? [a, b] : [b, a];
    const proof = older.size === newer.size ? [] : await this.#readProof(older.size, newer.size);
    await this.#verifyGrowth(older, newer, proof);
  }

  /** Verifies a consistency proof; where it is not good, the two heads are put away as evidence. */
  async #verifyGrowth(older: TreeHead, newer: TreeHead, proof: readonly Uint8Array[]): Promise<void> {
    try {
      await verifyConsistency(this.#crypto, older, newer, proof);
    } catch (error) {
      const pair = { older: older.note, newer: newer.note };
      await this.#state.update<Evidence>(EVIDENCE_KIND, this.#api.origin, (first = pair) => first);
      throw error;
    }
  }

  /** The broker's proof; none, where it says that it never had these sizes, though it signed both. */
  async #readProof(from: number, to: number): Promise<Uint8Array[]> {
    try {
      return (await this.#api.readTreeProof(from, to)).map(decodeBase64url);
    } catch (error) {
      if (error instanceof CountersignError && error.code === 'input-invalid') return [];
      throw error;
    }
  }
}
