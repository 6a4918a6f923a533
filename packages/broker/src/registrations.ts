/**
 * How often one remote address may register an account. Kept in memory alone: addresses are nobody's to read
 * later, and whoever can make a broker restart has nothing to gain by a few accounts more.
 * @module
 */
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { judgeRegistration } from './limits.ts';

const REMEMBERED = 100_000;
const HOUR_MS = 3_600_000;

export class Registrations {
  readonly perHour: number;
  /** Times of the last hour's registrations, seconds since 1970, by network. */
  readonly #recent = new LRUCache<string, readonly number[]>({ max: REMEMBERED, ttl: HOUR_MS });

  constructor(perHour: number) {
    this.perHour = perHour;
  }

  /**
   * Counts a registration from an address.
   * @param now seconds since 1970
   * @throws `too-often` with `retryAfter`, and counts nothing
   */
  count(address: string, now: number): void {
    const network = networkOf(address);
    this.#recent.set(network, judgeRegistration(this.#recent.get(network) ?? [], this.perHour, now));
  }
}

/** What one customer of a provider has: an IPv4 address, or the first 64 bits of an IPv6 one (RFC 6177). */
export function networkOf(address: string): string {
  const [plain] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain!)?.[1];
  if (mapped !== undefined || !isIPv6(plain!)) return mapped ?? plain!;
  const [head, tail] = URL.parse(`http://[${plain}]`)!.hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head!.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
