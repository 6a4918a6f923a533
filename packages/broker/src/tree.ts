/**
 * The broker's tree of all heads: its signed head, and proofs from what the store keeps.
 * @module
 */
import {
  type CryptoProvider,
  consistencyRanges,
  encodeBase64url,
  inclusionRanges,
  joinPeaks,
  type LeafRange,
  type Signer,
  signTreeHead,
  subtreesOf,
  treeOrigin,
  treeRoot,
} from '@countersign/core';
import type { TreeStore } from './store/store.ts';

export interface SignedHead {
  readonly size: number;
  readonly note: string;
  /** Seconds since 1970. */
  readonly signedAt: number;
}

interface TreeOptions {
  readonly store: TreeStore;
  readonly crypto: CryptoProvider;
  readonly signer: Signer;
  /** Origins of the broker; the first is the one that it calls itself. */
  readonly origins: readonly string[];
  readonly now: () => number;
}

export class Tree {
  readonly #options: TreeOptions;
  #head: SignedHead | undefined;
  #signing: Promise<SignedHead> | undefined;

  constructor(options: TreeOptions) {
    this.#options = options;
  }

  size(): Promise<number> {
    return this.#options.store.size();
  }

  /** The tree's signed head, signed at most once a second but for what it must cover. */
  async head(covering = 0): Promise<SignedHead> {
    const size = await this.size();
    const usable = (head: SignedHead | undefined): head is SignedHead =>
      head !== undefined &&
      (head.size === size || (head.size >= covering && head.signedAt >= this.#options.now()));
    if (usable(this.#head)) return this.#head;
    if (this.#signing !== undefined) {
      const signed = await this.#signing;
      if (signed.size >= covering) return signed;
      return this.head(covering);
    }
    this.#signing = this.#sign(size);
    try {
      const signed = await this.#signing;
      this.#head = signed;
      return signed;
    } finally {
      this.#signing = undefined;
    }
  }

  /** The inclusion proof of a leaf in the tree as it was at a size. */
  inclusion(index: number, size: number): Promise<string[]> {
    return this.#proof(inclusionRanges(index, size));
  }

  /** The consistency proof of two sizes. */
  consistency(from: number, to: number): Promise<string[]> {
    return this.#proof(consistencyRanges(from, to));
  }

  async #sign(size: number): Promise<SignedHead> {
    const { store, crypto, signer, origins, now } = this.#options;
    const signedAt = now();
    const peaks = await store.readHashes(subtreesOf({ from: 0, to: size }));
    const root = await treeRoot(crypto, { size, peaks });
    const note = await signTreeHead(crypto, signer, treeOrigin(origins[0]!), { size, root });
    return { size, note, signedAt };
  }

  async #proof(ranges: readonly LeafRange[]): Promise<string[]> {
    const { store, crypto } = this.#options;
    const parts = ranges.map(subtreesOf);
    const hashes = await store.readHashes(parts.flat());
    let at = 0;
    return Promise.all(
      parts.map(async ({ length }) => {
        const peaks = hashes.slice(at, at + length);
        at += length;
        return encodeBase64url(await joinPeaks(crypto, peaks));
      }),
    );
  }
}
