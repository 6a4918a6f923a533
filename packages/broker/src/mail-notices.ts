/**
 * Notices by e-mail: that an account's devices have changed, to addresses whose owner gave back a code that was sent
 * there. They go out beside the calls that cause them, and none of these waits for one. A notice names the account and
 * what happened; it has no link, since a mail that teaches people to follow links would teach them to be deceived.
 * @module
 */

import {
  CountersignError,
  type CryptoProvider,
  constantTimeEqual,
  DeviceAddEntry,
  DeviceFreezeEntry,
  DeviceRevokeEntry,
  generatePasscode,
  type LogEntry,
  RecoveryCompleteEntry,
  RecoveryEntry,
  RecoverySetEntry,
  type Statement,
} from '@countersign/core';
import type { FastifyBaseLogger } from 'fastify';
import { LRUCache } from 'lru-cache';
import { createTransport } from 'nodemailer';
import pRetry from 'p-retry';
import {
  CODES_PER_ACCOUNT,
  CODES_PER_ADDRESS,
  CODES_PER_NETWORK,
  MAILS_PER_HOUR,
  MAX_ADDRESSES,
} from './limits.ts';
import { RecentLimit } from './recent-limit.ts';
import type { AddressStore } from './store/address-store.ts';
import type { AccountRow } from './store/store.ts';

export interface MailServer {
  /** `smtp://user:password@mail.example`, or `smtps:`. */
  readonly url: string;
  /** The address that notices come from. */
  readonly from: string;
}

export interface MailOptions {
  readonly server: MailServer;
  readonly store: AddressStore;
  readonly crypto: CryptoProvider;
  readonly now: () => number;
  readonly logger?: FastifyBaseLogger | undefined;
}

/** A code that was sent, and has not come back. */
interface SentCode {
  readonly code: string;
  readonly triesLeft: number;
}

/** Seconds in which a code is good, and how often one may be tried. */
export const CODE_LIFE = 600;
const CODE_TRIES = 5;
const CODES_REMEMBERED = 10_000;
const RETRIES = 3;
const TIMEOUTS_MS = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 10_000 };

const TEXTS: Readonly<Record<string, string>> = {
  [DeviceAddEntry.typ]: 'A new device was let in. It can answer for you as far as its rights go.',
  [DeviceRevokeEntry.typ]: 'A device was shown out.',
  [DeviceFreezeEntry.typ]: 'A device was frozen, as one that is lost.',
  [RecoverySetEntry.typ]: 'The printed recovery code was replaced: the old one opens nothing any more.',
  [RecoveryCompleteEntry.typ]:
    'The recovery is complete: the device that came in by the printed code counts now.',
};

const ALERTS = {
  'pin-used':
    'A PIN for a new device was tried a second time. If the first use was not yours, a device that you do not know may be in, or before the door.',
  'pin-cancelled': 'A PIN for a new device was tried after it was taken back. It let nobody in.',
} as const;

export class MailNotices {
  readonly #options: MailOptions;
  readonly #transport;
  readonly #codes = new LRUCache<string, SentCode>({ max: CODES_REMEMBERED, ttl: CODE_LIFE * 1000 });
  readonly #perAccount = new RecentLimit('codes by e-mail for this account', CODES_PER_ACCOUNT);
  readonly #perAddress = new RecentLimit('codes to this address', CODES_PER_ADDRESS);
  readonly #perNetwork = new RecentLimit('codes by e-mail from where you are', CODES_PER_NETWORK);
  readonly #notices = new RecentLimit('notices by e-mail', MAILS_PER_HOUR);
  readonly #sending = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(options: MailOptions) {
    this.#options = options;
    const url = new URL(options.server.url);
    // A server that hangs holds nothing up for long; nodemailer takes its options from the address.
    for (const [name, ms] of Object.entries(TIMEOUTS_MS)) url.searchParams.set(name, String(ms));
    this.#transport = createTransport(url.href, { from: options.server.from });
  }

  /**
   * Sends a code to an address that is to be told from then on.
   * @param network where the call came from, see `networkOf`
   * @throws `too-often`; `address-refused` where the mail server does not take it
   */
  async sendCode({ id, name }: AccountRow, address: string, network: string): Promise<void> {
    const { crypto, now } = this.#options;
    this.#perNetwork.count(network, now());
    this.#perAccount.count(String(id), now());
    this.#perAddress.count(address, now());
    const code = generatePasscode(crypto);
    try {
      await this.#send(address, `Your code for ${name}`, [
        `${code} is the code by which ${name} gets notices at this address.`,
        '',
        `It is good for ${CODE_LIFE / 60} minutes. If you do not know what this is about, do nothing.`,
      ]);
    } catch (cause) {
      throw new CountersignError('address-refused', 'the code could not be sent to that address', {
        cause,
        hint: 'check the address; if it is right, the operator finds the reason in the broker’s log',
      });
    }
    this.#codes.set(codeKey(id, address), { code, triesLeft: CODE_TRIES });
  }

  /**
   * Takes a code back, and keeps its address.
   * @throws `address-refused` where none was sent, or too many wrong ones came; `code-wrong`
   */
  async confirm({ id, name }: AccountRow, address: string, given: string): Promise<void> {
    const { store, now } = this.#options;
    const key = codeKey(id, address);
    const sent = this.#codes.get(key);
    if (sent === undefined || sent.triesLeft <= 0) {
      throw new CountersignError('address-refused', 'no code is waited for from that address', {
        hint: 'codes are good for ten minutes and five tries: have another one sent',
      });
    }
    const encoder = new TextEncoder();
    if (!constantTimeEqual(encoder.encode(sent.code), encoder.encode(given))) {
      const triesLeft = sent.triesLeft - 1;
      this.#codes.set(key, { ...sent, triesLeft }, { noUpdateTTL: true });
      throw new CountersignError('code-wrong', `that is not the code that was sent: ${triesLeft} tries left`);
    }
    this.#codes.delete(key);
    const before = await store.listAddresses(id);
    await store.saveAddress(id, address, now(), MAX_ADDRESSES);
    this.#tell(before, name, `From now on notices go to one more address.`);
  }

  /** Tells an address no more; it is told so, and so are the others. @throws `address-refused` where it is not kept */
  async remove({ id, name }: AccountRow, address: string): Promise<void> {
    const { store } = this.#options;
    const before = await store.listAddresses(id);
    if (!(await store.removeAddress(id, address))) {
      throw new CountersignError('address-refused', 'no notices go to that address');
    }
    this.#tell(before, name, 'An address was removed from those that get notices.');
  }

  /** Tells an account's addresses what entries of its log mean. @param undoable until when a recovery can be undone */
  notify({ id, name }: AccountRow, entries: readonly Statement<LogEntry>[], undoable: number): void {
    const recovery = entries.some(({ typ }) => typ === RecoveryEntry.typ)
      ? `Somebody is getting this account back by its printed code. Until ${inWords(undoable)} each of your devices can undo it, and should if it was not you: show the new device out, in the app or by \`countersign device revoke\`.`
      : undefined;
    const lines = [
      ...(recovery === undefined ? [] : [recovery]),
      ...entries.flatMap(({ typ }) => TEXTS[typ] ?? []),
    ];
    if (lines.length === 0) return;
    if (recovery === undefined && !this.#fits(id)) return;
    const { store } = this.#options;
    this.#beside(store.listAddresses(id).then((to) => this.#sendAll(to, name, lines.join('\n\n'))));
  }

  /** Tells an account's addresses that a PIN came which is good for nothing. */
  alert({ id, name }: AccountRow, kind: keyof typeof ALERTS): void {
    if (!this.#fits(id)) return;
    this.#beside(this.#options.store.listAddresses(id).then((to) => this.#sendAll(to, name, ALERTS[kind])));
  }

  /** Counts a notice, and says whether the hour has room for it. */
  #fits(accountId: number): boolean {
    try {
      this.#notices.count(String(accountId), this.#options.now());
      return true;
    } catch {
      return false;
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#sending);
    this.#transport.close();
  }

  #tell(to: readonly { readonly address: string }[], name: string, text: string): void {
    this.#beside(this.#sendAll(to, name, text));
  }

  #beside(work: Promise<void>): void {
    const settled = work
      .catch((err: unknown) =>
        this.#options.logger?.warn({ reason: (err as Error).message }, 'a notice by e-mail was not taken'),
      )
      .finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
  }

  async #sendAll(to: readonly { readonly address: string }[], name: string, text: string): Promise<void> {
    const what = [
      text,
      '',
      'If this was you, nothing is to be done. If not, look at your devices in the app, or run `countersign device list`, and show out what is not yours.',
    ];
    const sent = await Promise.allSettled(
      to.map(({ address }) =>
        pRetry(() => this.#send(address, `${name}: your devices`, what), {
          retries: RETRIES,
          minTimeout: 2000,
          randomize: true,
          signal: this.#stop.signal,
        }),
      ),
    );
    for (const one of sent) if (one.status === 'rejected') throw one.reason;
  }

  async #send(to: string, subject: string, lines: readonly string[]): Promise<void> {
    await this.#transport.sendMail({ to, subject, text: `${lines.join('\n')}\n` });
  }
}

function codeKey(accountId: number, address: string): string {
  return `${accountId} ${address}`;
}

function inWords(seconds: number): string {
  return new Date(seconds * 1000).toUTCString();
}
