/**
 * Pairs a user with a validator: the host's side of one pairing, driven over the demultiplexer until it is done, the
 * code is used up, or ten minutes are over.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from '@countersign/client';
import { offerPair } from '@countersign/client/m-auth';
import { type CryptoProvider, drawPin } from '@countersign/core';
import { type InterfaceRecord, type OfferEvent, PairOffer } from '@countersign/core/m-auth';
import type { NoiseCrypto } from '@countersign/core/noise';
import { AnnouncedConnection } from '../sign-on/announced-connection.ts';
import type { DemultiplexerAt } from '../sign-on/way-to-demultiplexer.ts';
import type { HostRecords } from './host-records.ts';

export interface EnrolOptions {
  readonly records: HostRecords;
  readonly demultiplexer: DemultiplexerAt;
  readonly noise: NoiseCrypto;
  readonly crypto: CryptoProvider;
  readonly user: string;
  /** How the host is called to people. */
  readonly host: string;
  /** What the pair is for; `*` for all of this host. */
  readonly services: readonly string[];
  readonly clock?: Clock;
}

export type Enrolled =
  | { readonly outcome: 'paired'; readonly record: InterfaceRecord }
  | { readonly outcome: 'expired' | 'forged' | 'declined' | 'not-kept' | 'cancelled' };

export interface Enrolling {
  readonly code: string;
  /** By the monotonic clock, in ms. */
  readonly closes: number;
  readonly result: Promise<Enrolled>;
  cancel(): void;
}

/** Pause before the code is announced again, in ms. */
const AGAIN_MS = 250;

/** @throws whatever the network says, where the demultiplexer can't be reached now */
export async function enrol(options: EnrolOptions): Promise<Enrolling> {
  const { records, demultiplexer, noise, crypto, user, host, clock = systemClock } = options;
  const code = drawPin(crypto);
  const names = { account: user, host, services: [...options.services] };
  const offer = new PairOffer({ crypto: noise, code, names, opened: clock.monotonic() });
  const cancelled = new AbortController();
  const keep = async (record: InterfaceRecord) => records.addPair(user, record, clock.now());

  /** The request goes out once: what becomes of the connection is the offer's to say. */
  const announce = async (): Promise<AnnouncedConnection> => {
    let announced = false;
    const connection = new AnnouncedConnection(demultiplexer, () => {
      if (announced || offer.over) return undefined;
      announced = true;
      return offer.request(records.bucketOf(user), clock.monotonic());
    });
    await connection.start();
    return connection;
  };
  const run = async (first: AnnouncedConnection): Promise<Enrolled> => {
    let connection: AnnouncedConnection | undefined = first;
    for (;;) {
      if (cancelled.signal.aborted) return { outcome: 'cancelled' };
      const close = () => connection?.close();
      cancelled.signal.addEventListener('abort', close);
      const event: OfferEvent =
        connection === undefined
          ? { kind: 'interrupted' }
          : await offerPair(offer, connection, clock, keep).catch(() => NOT_KEPT);
      cancelled.signal.removeEventListener('abort', close);
      if (event.kind === 'paired') return { outcome: 'paired', record: event.record };
      if (event.kind === 'failed') return { outcome: event.why };
      if (clock.monotonic() >= offer.closes) return { outcome: 'expired' };
      await delay(AGAIN_MS);
      connection = await announce().catch(() => undefined);
    }
  };
  const first = await announce();
  return {
    code,
    closes: offer.closes,
    result: run(first),
    cancel: () => cancelled.abort(),
  };
}

const NOT_KEPT: OfferEvent = { kind: 'failed', why: 'not-kept', alarm: false };
