/**
 * A tree of a malicious broker's own making, signed with its real key: whatever leaves it likes, in good form.
 * @module
 */
import {
  EMPTY_TREE,
  encodeBase64url,
  formatBundle,
  formatTreeLeaf,
  growTree,
  type LoggedHead,
  leafHash,
  signTreeHead,
  treeOrigin,
  treeRoot,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import type { RunningBroker } from '../packages/broker/src/index.ts';
import { naivePath, naiveProof } from '../packages/core/test/naive-tree.ts';

export class ForgedTree {
  readonly leaves: string[];
  readonly #broker: RunningBroker;

  constructor(broker: RunningBroker, leaves: readonly string[] = []) {
    this.#broker = broker;
    this.leaves = [...leaves];
  }

  /** The leaves of the broker's real tree. */
  static async copyOf(broker: RunningBroker): Promise<ForgedTree> {
    return new ForgedTree(broker, await broker.context.store.tree.readLeaves(0, 1_000_000));
  }

  /** Its head, signed. */
  async head(): Promise<string> {
    const { signer, origins } = this.#broker.context;
    let tree = EMPTY_TREE;
    for (const hash of await this.#hashes()) tree = await growTree(webCrypto, tree, hash);
    const root = await treeRoot(webCrypto, tree);
    return signTreeHead(webCrypto, signer, treeOrigin(origins[0]), { size: tree.size, root });
  }

  /** What comes with a log: a leaf is added for its head where there is none. @param path that was called */
  async transparency(log: LoggedHead, path: string) {
    const leaf = formatTreeLeaf(log);
    if (!this.leaves.includes(leaf)) this.leaves.push(leaf);
    const hashes = await this.#hashes();
    const index = this.leaves.indexOf(leaf);
    const known = Number(/[?&]tree=(\d+)/.exec(path)?.[1] ?? 0);
    return {
      tree_head: await this.head(),
      index,
      leaf,
      inclusion: naivePath(index, hashes).map(encodeBase64url),
      ...(known > 0 && known <= hashes.length ? { consistency: await this.consistency(known) } : {}),
    };
  }

  async consistency(from: number, to = this.leaves.length): Promise<string[]> {
    return naiveProof(from, (await this.#hashes()).slice(0, to)).map(encodeBase64url);
  }

  /** Its leaves as the first tile's bundle. */
  bundle(): Uint8Array {
    return formatBundle(this.leaves.map((leaf) => new TextEncoder().encode(leaf)));
  }

  #hashes(): Promise<Uint8Array[]> {
    const encoder = new TextEncoder();
    return Promise.all(this.leaves.map((leaf) => leafHash(webCrypto, encoder.encode(leaf))));
  }
}
