/**
 * What system interfaces have queued, by routing tag. Pure: who waits, for which tags, and until when.
 * @module
 */

import { type Purpose, TAG_BYTES } from '@countersign/core/m-auth';

export interface WaitingRequest<T> {
  readonly purpose: Purpose;
  /** Any of them matches: an interface that can't know which of two secrets the validator holds asks for both. */
  readonly tags: readonly Uint8Array[];
  /** Who queued it, as the operating system or a certificate says. */
  readonly owner: string;
  /** The same for all requests of one account. */
  readonly bucket: Uint8Array;
  readonly interface: T;
}

export interface QueueLimits {
  /** Requests that may wait at a time. */
  readonly total: number;
  /** And of one owner. */
  readonly perOwner: number;
  /** And of one owner for one account. */
  readonly perBucket: number;
}

export class WaitingRequests<T> {
  readonly #limits: QueueLimits;
  readonly #byTag: Readonly<Record<Purpose, Map<string, WaitingRequest<T>>>> = {
    'sign-on': new Map(),
    pair: new Map(),
    erase: new Map(),
  };
  /** Under which tags, and of which bucket, each of them stands. */
  readonly #entries = new Map<
    WaitingRequest<T>,
    { readonly keys: readonly string[]; readonly bucket: string }
  >();
  readonly #perOwner = new Map<string, number>();
  readonly #perBucket = new Map<string, number>();

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Queues a request; false where there are too many, or where a tag of it waits already. */
  add(request: WaitingRequest<T>): boolean {
    const { owner } = request;
    const byTag = this.#byTag[request.purpose];
    const keys = keysOf(request.tags);
    const bucket = bucketOf(request);
    if (this.size >= this.#limits.total) return false;
    if ((this.#perOwner.get(owner) ?? 0) >= this.#limits.perOwner) return false;
    if ((this.#perBucket.get(bucket) ?? 0) >= this.#limits.perBucket) return false;
    if (keys.length === 0 || keys.some((key) => byTag.has(key))) return false;
    const before = byTag.size;
    for (const key of keys) byTag.set(key, request);
    if (byTag.size < before + keys.length) {
      // the same tag twice
      for (const key of keys) byTag.delete(key);
      return false;
    }
    add(this.#perOwner, owner, 1);
    add(this.#perBucket, bucket, 1);
    this.#entries.set(request, { keys, bucket });
    return true;
  }

  /** Takes out the request that waits for a tag; each is taken once, whatever its number of tags. */
  take(purpose: Purpose, tag: Uint8Array): WaitingRequest<T> | undefined {
    const request = this.#byTag[purpose].get(latin1(tag));
    if (request !== undefined) this.remove(request);
    return request;
  }

  /** Whether it was there. */
  remove(request: WaitingRequest<T>): boolean {
    const entry = this.#entries.get(request);
    if (entry === undefined) return false;
    this.#entries.delete(request);
    for (const key of entry.keys) this.#byTag[request.purpose].delete(key);
    add(this.#perOwner, request.owner, -1);
    add(this.#perBucket, entry.bucket, -1);
    return true;
  }

  all(): WaitingRequest<T>[] {
    return [...this.#entries.keys()];
  }
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function bucketOf({ owner, bucket }: { owner: string; bucket: Uint8Array }): string {
  return `${latin1(bucket)} ${owner}`;
}

/** Each tag as text: all at once, which is most of what a request costs here. */
function keysOf(tags: readonly Uint8Array[]): string[] {
  const all = Buffer.concat(tags).toString('latin1');
  return tags.map((_, place) => all.slice(place * TAG_BYTES, (place + 1) * TAG_BYTES));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
