/**
 * Notices by Web Push (RFC 8030, 8291, 8292): that something waits, by an opaque id, and nothing of it. They go out
 * beside the calls that cause them, and none of these waits for one.
 * @module
 */
import { encryptNotification, vapidHeaders } from '@block65/webcrypto-web-push';
import { activeDevice, CountersignError, type CryptoProvider, noticeId } from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import pRetry, { AbortError } from 'p-retry';
import type { PushKey } from './push-key.ts';
import type { PushStore, PushSubscription } from './store/push-store.ts';
import type { AccountRow } from './store/store.ts';

/** The push services of today's browsers: Chromium's, Firefox's, Edge's, Safari's. An operator may name more. */
export const PUSH_SERVICES = [
  'https://fcm.googleapis.com',
  'https://*.push.services.mozilla.com',
  'https://*.notify.windows.com',
  'https://*.push.apple.com',
] as const;

const DEADLINE_MS = 10_000;
const RETRIES = 2;
/** A push service forgets the subscription by these answers (RFC 8030 section 7.3). */
const GONE = new Set([404, 410]);

export interface PushOptions {
  readonly store: PushStore;
  readonly crypto: CryptoProvider;
  readonly key: PushKey;
  /** Who a push service turns to: an address of `https:` or `mailto:`. */
  readonly contact: string;
  /** Origins of the push services that it sends to; `*` stands for one or more names before a dot. */
  readonly services: readonly string[];
  readonly now: () => number;
  readonly logger?: FastifyBaseLogger | undefined;
}

export class Push {
  readonly #options: PushOptions;
  readonly #services: readonly RegExp[];
  readonly #sending = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: PushOptions) {
    this.#options = options;
    this.#services = options.services.map(patternOf);
  }

  get publicKey(): string {
    return this.#options.key.publicKey;
  }

  /**
   * Checks where a device wants to be told: by a known service alone, since the broker will call that address.
   * @throws `push-refused`
   */
  async check({ endpoint, p256dh }: PushSubscription): Promise<void> {
    const url = URL.parse(endpoint);
    if (url === null || !this.#services.some((service) => service.test(url.origin))) {
      throw new CountersignError('push-refused', 'this broker sends no notices to that push service', {
        hint: 'the operator may name it: `--push-service`',
      });
    }
    try {
      await crypto.subtle.importKey(
        'raw',
        Buffer.from(p256dh, 'base64url'),
        { name: 'ECDH', namedCurve: 'P-256' },
        false,
        [],
      );
    } catch (cause) {
      throw new CountersignError('push-refused', 'the key of the subscription is no point of P-256', {
        cause,
      });
    }
  }

  /**
   * Tells the account's devices that something waits.
   * @param hash of what waits
   * @param until when it ends: a notice is of no use after that
   */
  notify(account: AccountRow, hash: string, until: number): void {
    const work = this.#notify(account, hash, until)
      .catch((err: unknown) => this.#options.logger?.error({ err }, 'notices failed'))
      .finally(() => this.#sending.delete(work));
    this.#sending.add(work);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending);
  }

  async #notify(account: AccountRow, hash: string, until: number): Promise<void> {
    const { store, crypto } = this.#options;
    const subscribers = await store.listSubscribers(account.id);
    if (subscribers.length === 0) return;
    const id = await noticeId(crypto, hash);
    await Promise.all(
      subscribers.map(async ({ kid, subscription }) => {
        if (counts(account, kid)) await this.#tell(account.id, kid, subscription, id, until);
        else await store.dropSubscription(account.id, kid, subscription.endpoint);
      }),
    );
  }

  async #tell(
    accountId: number,
    kid: string,
    subscription: PushSubscription,
    id: string,
    until: number,
  ): Promise<void> {
    const { store, now, logger } = this.#options;
    try {
      const status = await pRetry(() => this.#send(subscription, id, until), {
        retries: RETRIES,
        minTimeout: 1000,
        randomize: true,
        signal: this.#stop.signal,
      });
      if (GONE.has(status)) await store.dropSubscription(accountId, kid, subscription.endpoint);
      else await store.notePushed(accountId, kid, now());
    } catch (err) {
      // Neither the address nor the device is named: it would say who was asked when.
      logger?.warn({ reason: (err as Error).message }, 'a notice was not taken');
    }
  }

  /** @returns the push service's answer, where it took the message or knows no such subscription */
  async #send({ endpoint, p256dh, auth }: PushSubscription, id: string, until: number): Promise<number> {
    const { key, contact, now } = this.#options;
    const left = until - now();
    if (left <= 0) throw new AbortError('too late');
    const to = { endpoint, expirationTime: null, keys: { p256dh, auth } };
    const { headers } = await vapidHeaders(to, { subject: contact, ...key });
    // Padded to the longest: its length says nothing.
    const body = await encryptNotification(to, new TextEncoder().encode(JSON.stringify({ id })));
    const { status, body: said } = await fetch(endpoint, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DEADLINE_MS)]),
      headers: {
        ...headers,
        ttl: String(left),
        urgency: 'high',
        topic: id,
        'content-encoding': 'aes128gcm',
        'content-type': 'application/octet-stream',
      },
      body,
    });
    await said?.cancel();
    if ((status >= 200 && status < 300) || GONE.has(status)) return status;
    const failure = `the push service answered ${status}`;
    // What is refused once is refused again, but for what passes.
    throw status === 429 || status >= 500 ? new Error(failure) : new AbortError(failure);
  }
}

function counts(account: AccountRow, kid: string): boolean {
  try {
    activeDevice(account, kid);
    return true;
  } catch {
    return false;
  }
}

/** An origin, where `*.` stands for one or more names. */
function patternOf(service: string): RegExp {
  const escaped = service.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace('*', '[a-z0-9-]+(?:\\.[a-z0-9-]+)*');
  return new RegExp(`^${escaped}$`);
}
