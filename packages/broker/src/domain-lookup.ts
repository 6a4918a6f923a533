/**
 * Looking at a domain for the account that it names: its TXT records (RFC 1035), and a file by HTTPS (RFC 8615). The
 * address is somebody else's choice: only public ones are called, each as it was resolved, without redirects, within
 * limits of time and size.
 * @module
 */
import { Resolver } from 'node:dns/promises';
import { type RequestOptions, request } from 'node:https';
import type { LookupFunction } from 'node:net';
import {
  DOMAIN_FILE,
  DOMAIN_RECORD,
  type DomainOutcome,
  type DomainProofKind,
  MAX_DOMAIN_FILE,
  namesAccount,
} from '@countersign/core';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

const DNS_MS = 2000;
const DNS_TRIES = 2;
const HTTPS_MS = 8000;
const MAX_HEADERS = 8192;
/** However many accounts claim a domain, it is looked at once in so many seconds; sooner, where one of them asks. */
const AGAIN = 60;
const AGAIN_ASKED = 10;
const REMEMBERED = 1000;
/** What a resolver says of names and records that are not there. */
const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);
/** All that is given out for hosts on the Internet (RFC 4291 section 2.4, and IANA since). */
const GLOBAL = ipaddr.parseCIDR('2000::/3');

export interface DomainLookupOptions {
  /** DNS servers, as `node:dns` takes them; the system's, if absent. */
  readonly servers?: readonly string[];
  /** Networks that may be called though they are not public. */
  readonly networks?: readonly string[];
  /** For tests, where 443 is not theirs to have. */
  readonly port?: number;
  readonly ca?: string;
}

/** Texts that may name an account, or why there are none. */
type Found = readonly string[] | Exclude<DomainOutcome, 'proven'>;

class NotPublic extends Error {}

export class DomainLookup {
  readonly #resolver = new Resolver({ timeout: DNS_MS, tries: DNS_TRIES });
  readonly #networks: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];
  readonly #https: Pick<RequestOptions, 'port' | 'ca'>;
  readonly #stop = new AbortController();
  readonly #recent = new LRUCache<string, { readonly at: number; readonly finding: Promise<Found> }>({
    max: REMEMBERED,
  });
  readonly #now: () => number;

  /** @param now seconds since 1970 */
  constructor(now: () => number, { servers, networks = [], port = 443, ca }: DomainLookupOptions = {}) {
    this.#now = now;
    if (servers !== undefined) this.#resolver.setServers(servers);
    this.#networks = networks.map((network) => ipaddr.parseCIDR(network));
    this.#https = ca === undefined ? { port } : { port, ca };
  }

  /**
   * Whether a domain names an account.
   * @param asked by somebody who waits for it
   */
  async look(
    { domain, by, name, identity }: Looked,
    { asked }: { readonly asked: boolean },
  ): Promise<DomainOutcome> {
    const key = `${by} ${domain}`;
    let recent = this.#recent.get(key);
    if (recent === undefined || this.#now() - recent.at >= (asked ? AGAIN_ASKED : AGAIN)) {
      recent = { at: this.#now(), finding: by === 'dns' ? this.#records(domain) : this.#file(domain) };
      this.#recent.set(key, recent);
    }
    const found = await recent.finding;
    if (typeof found === 'string') return found;
    return namesAccount(found, { name, identity }) ? 'proven' : 'absent';
  }

  close(): void {
    this.#stop.abort();
    this.#resolver.cancel();
  }

  async #records(domain: string): Promise<Found> {
    try {
      const records = await this.#resolver.resolveTxt(`${DOMAIN_RECORD}.${domain}`);
      return records.map((parts) => parts.join(''));
    } catch (error) {
      return isNotThere(error) ? 'absent' : 'unreachable';
    }
  }

  async #file(domain: string): Promise<Found> {
    try {
      const text = await this.#fetch(domain);
      return text === undefined ? 'absent' : text.split(/\r?\n/);
    } catch (error) {
      if (error instanceof NotPublic) return 'refused';
      return isNotThere(error) ? 'absent' : 'unreachable';
    }
  }

  /** @returns nothing where the server answers with anything but a short file */
  #fetch(host: string): Promise<string | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
    const call = request({
      ...this.#https,
      host,
      path: DOMAIN_FILE,
      // Of its own: no connection that somebody else's domain opened is used again.
      agent: false,
      lookup: this.#lookup,
      maxHeaderSize: MAX_HEADERS,
      headers: { accept: 'text/plain', 'user-agent': 'countersign-broker' },
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(HTTPS_MS)]),
    });
    call.once('error', reject);
    call.once('response', (answer) => {
      const { statusCode = 0 } = answer;
      const chunks: Buffer[] = [];
      let length = 0;
      const end = (text: string | undefined) => {
        resolve(text);
        call.destroy();
      };
      if (statusCode >= 500) reject(new Error(`status ${statusCode}`));
      if (statusCode !== 200) {
        end(undefined);
        return;
      }
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        length += chunk.length;
        if (length > MAX_DOMAIN_FILE) end(undefined);
      });
      answer.once('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    call.end();
    return promise;
  }

  /** What is called is what was judged: a name is resolved once, here. */
  readonly #lookup: LookupFunction = (host, { all, family }, callback) => {
    this.#addresses(host).then(
      (found) => {
        const fit = found.filter((one) => !family || one.family === family);
        if (all) (callback as unknown as (error: null, found: typeof fit) => void)(null, fit);
        else callback(null, fit[0]?.address ?? '', fit[0]?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };

  async #addresses(host: string): Promise<{ address: string; family: 4 | 6 }[]> {
    const [four, six] = await Promise.allSettled([
      this.#resolver.resolve4(host),
      this.#resolver.resolve6(host),
    ]);
    const found = [
      ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 as const })),
      ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 as const })),
    ];
    if (found.length === 0) throw (four as PromiseRejectedResult).reason;
    const callable = found.filter(({ address }) => this.#mayCall(address));
    if (callable.length === 0) throw new NotPublic(`${host} is at no public address`);
    return callable;
  }

  #mayCall(text: string): boolean {
    const address = ipaddr.parse(text);
    const inside = ([network, bits]: readonly [ipaddr.IPv4 | ipaddr.IPv6, number]) =>
      network.kind() === address.kind() && address.match(network, bits);
    if (this.#networks.some(inside)) return true;
    return address.range() === 'unicast' && (address.kind() === 'ipv4' || inside(GLOBAL));
  }
}

export interface Looked {
  readonly domain: string;
  readonly by: DomainProofKind;
  readonly name: string;
  readonly identity: string;
}

function isNotThere(error: unknown): boolean {
  return NOT_THERE.has((error as NodeJS.ErrnoException).code);
}
