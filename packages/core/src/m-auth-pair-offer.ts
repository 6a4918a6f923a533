/**
 * The host's side of a pairing: spec/m-auth.md#pairing. A code on the host's screen, ten minutes, once.
 * @module
 */
import * as v from 'valibot';
import { encodeBase64url } from './base64url.ts';
import { constantTimeEqual } from './crypto-provider.ts';
import { encodeFrame, type Frame } from './m-auth-frames.ts';
import { type ChannelMessage, parseMessage } from './m-auth-messages.ts';
import {
  ConfirmMessage,
  codeBytes,
  firstRatchet,
  InterfaceMessage,
  open,
  type PairNames,
  type PairStep,
  pairPrologue,
  pairPsk,
  pairStep,
  pairTag,
  seal,
  ValidatorMessage,
} from './m-auth-pair-wire.ts';
import type { InterfaceRecord, PasscodeTag } from './m-auth-record.ts';
import type { NoiseCrypto, NoiseKey } from './noise.ts';
import { type Channel, NoiseHandshake, XX_PSK3 } from './noise-handshake.ts';

export const PAIRING_MS = 600_000;

export type OfferEvent =
  /** The connection ended before the code was tried: announce it again on a new one. */
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'paired'; readonly record: InterfaceRecord }
  /** The code is used up. `forged` is an alarm: somebody came who does not know it. */
  | {
      readonly kind: 'failed';
      readonly why: 'expired' | 'forged' | 'declined' | 'not-kept';
      readonly alarm: boolean;
    };

type OfferState =
  | { readonly at: 'waiting' | 'over' }
  | { readonly at: 'joined' }
  | { readonly at: 'shaking'; readonly handshake: NoiseHandshake; readonly key: NoiseKey }
  | { readonly at: 'confirming' | 'keeping'; readonly channel: Channel; readonly record: InterfaceRecord };

export interface OfferOptions {
  readonly crypto: NoiseCrypto;
  /** Of `drawPin`. */
  readonly code: string;
  readonly names: PairNames;
  readonly opened: number;
}

/** The host’s side of one pairing. */
export class PairOffer {
  readonly closes: number;
  readonly #options: OfferOptions;
  readonly #code: Uint8Array;
  readonly #expected: PasscodeTag;
  readonly #secret: Uint8Array;
  #state: OfferState = { at: 'waiting' };

  constructor(options: OfferOptions) {
    this.#options = { ...options, names: v.parse(v.omit(InterfaceMessage, ['kind']), options.names) };
    this.#code = codeBytes(options.code);
    this.#expected = pairTag(options.crypto, this.#code);
    this.#secret = options.crypto.randomBytes(32);
    this.closes = options.opened + PAIRING_MS;
  }

  get over(): boolean {
    return this.#state.at === 'over';
  }

  /** When `tick` has something to do next. */
  get due(): number | undefined {
    return this.over ? undefined : this.closes;
  }

  /** The `PairRequest` that announces it. */
  request(bucket: Uint8Array, now: number): Uint8Array<ArrayBuffer> {
    const lifetime = Math.max(0, Math.ceil(this.closes - now));
    return encodeFrame({ kind: 'request', purpose: 'pair', lifetime, bucket, tags: [this.#expected.tag] });
  }

  async receive(frame: Frame, now: number): Promise<PairStep<OfferEvent, InterfaceRecord>> {
    const late = this.tick(now);
    if (late.close || this.#state.at === 'over') return late;
    const state = this.#state;
    switch (state.at) {
      case 'waiting':
        return this.#join(frame);
      case 'joined':
        return this.#begin(frame);
      case 'shaking':
        return this.#shake(state, frame);
      case 'confirming':
        return this.#confirmed(state, frame);
      default:
        throw new TypeError('settle first');
    }
  }

  tick(now: number): PairStep<OfferEvent, InterfaceRecord> {
    const { at } = this.#state;
    if (now < this.closes || at === 'over' || at === 'keeping') return pairStep();
    return this.#fail('expired');
  }

  settle(durable: boolean): PairStep<OfferEvent, InterfaceRecord> {
    if (this.#state.at !== 'keeping') throw new TypeError('nothing was to be kept');
    const { channel, record } = this.#state;
    if (!durable) return this.#fail('not-kept');
    this.#state = { at: 'over' };
    return pairStep({
      send: [seal(channel, { kind: 'done' })],
      event: { kind: 'paired', record },
      close: true,
    });
  }

  closed(): PairStep<OfferEvent, InterfaceRecord> {
    const { at } = this.#state;
    if (at === 'over' || at === 'keeping' || at === 'waiting') return pairStep();
    return at === 'confirming' ? this.#fail('declined') : this.#interrupted();
  }

  #join(frame: Frame): PairStep<OfferEvent, InterfaceRecord> {
    const { tag, proof } = this.#expected;
    const good =
      frame.kind === 'validate' &&
      frame.purpose === 'pair' &&
      constantTimeEqual(frame.tag, tag) &&
      constantTimeEqual(frame.proof, proof);
    if (!good) return this.#interrupted();
    this.#state = { at: 'joined' };
    return pairStep();
  }

  async #begin(frame: Frame): Promise<PairStep<OfferEvent, InterfaceRecord>> {
    const { crypto } = this.#options;
    const key = await crypto.importKey(this.#secret);
    const handshake = new NoiseHandshake(crypto, {
      pattern: XX_PSK3,
      role: 'responder',
      prologue: pairPrologue(this.#expected.tag),
      psk: pairPsk(crypto, this.#code),
      key,
    });
    let body: Uint8Array;
    try {
      await handshake.read(frame.kind === 'handshake' ? frame.body : new Uint8Array());
      body = await handshake.write(new Uint8Array());
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return this.#interrupted();
    }
    this.#state = { at: 'shaking', handshake, key };
    return pairStep({ send: [encodeFrame({ kind: 'handshake', body })] });
  }

  /** The message that shows whether the other side knows the code: the code is used with it, good or bad. */
  async #shake(
    { handshake, key }: OfferState & { at: 'shaking' },
    frame: Frame,
  ): Promise<PairStep<OfferEvent, InterfaceRecord>> {
    const { crypto, names } = this.#options;
    let message: v.InferOutput<typeof ValidatorMessage>;
    let channel: Channel;
    let shared: Uint8Array;
    try {
      const body = frame.kind === 'handshake' ? frame.body : new Uint8Array();
      message = parseMessage(ValidatorMessage, await handshake.read(body));
      channel = handshake.finish();
      shared = await key.dh(channel.peer);
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return this.#fail('forged');
    }
    const record: InterfaceRecord = {
      countersign: 'm-auth interface/1',
      id: message.id,
      ...names,
      validator: message.name,
      secret: encodeBase64url(this.#secret),
      peer: encodeBase64url(channel.peer),
      key: encodeBase64url(key.publicKey),
      shared: encodeBase64url(shared),
      step: 0,
      ratchet: encodeBase64url(firstRatchet(crypto, channel)),
      retired: [],
      erase: message.erase,
      failed: 0,
      alarms: 0,
    };
    this.#state = { at: 'confirming', channel, record };
    return pairStep({ send: [seal(channel, { kind: 'interface', ...names } as ChannelMessage)] });
  }

  #confirmed(
    { channel, record }: OfferState & { at: 'confirming' | 'keeping' },
    frame: Frame,
  ): PairStep<OfferEvent, InterfaceRecord> {
    try {
      open(ConfirmMessage, channel, frame);
    } catch {
      return this.#fail('forged');
    }
    this.#state = { at: 'keeping', channel, record };
    return pairStep({ keep: record });
  }

  #interrupted(): PairStep<OfferEvent, InterfaceRecord> {
    this.#state = { at: 'waiting' };
    return pairStep({ event: { kind: 'interrupted' }, close: true });
  }

  #fail(why: (OfferEvent & { kind: 'failed' })['why']): PairStep<OfferEvent, InterfaceRecord> {
    this.#state = { at: 'over' };
    return pairStep({ event: { kind: 'failed', why, alarm: why === 'forged' }, close: true });
  }
}
