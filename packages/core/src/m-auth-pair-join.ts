/**
 * The validator's side of a pairing: spec/m-auth.md#pairing.
 * @module
 */
import * as v from 'valibot';
import { encodeBase64url } from './base64url.ts';
import { ERASE_TOKEN_BYTES, eraseCheck, pairEraseToken } from './m-auth-erase.ts';
import { encodeFrame, type Frame } from './m-auth-frames.ts';
import { type ChannelMessage, DoneMessage, encodeMessage } from './m-auth-messages.ts';
import type { PairLink } from './m-auth-pair-link.ts';
import {
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
} from './m-auth-pair-wire.ts';
import { Name, PAIR_ID_BYTES, type ValidatorRecord } from './m-auth-record.ts';
import type { NoiseCrypto, NoiseKey } from './noise.ts';
import { type Channel, NoiseHandshake, XX_PSK3 } from './noise-handshake.ts';

/** How long the host may take to answer. */
const ANSWER_MS = 10_000;

export type JoinEvent =
  /** Show the names; the person confirms that this is the host and the account that they mean. */
  | { readonly kind: 'offered'; readonly names: PairNames }
  | { readonly kind: 'paired'; readonly record: ValidatorRecord }
  /**
   * - `not-recognised`: no host waits for this code. `forged`: what answered does not know it; alarm.
   * - `unknown`: the record is kept, and the host’s last word did not come: a sign-on will show.
   */
  | {
      readonly kind: 'failed';
      readonly why: 'not-recognised' | 'forged' | 'declined' | 'not-kept' | 'unknown';
      readonly alarm: boolean;
    };

type JoinState =
  | { readonly at: 'new' | 'over' }
  | { readonly at: 'shaking'; readonly until: number; readonly handshake: NoiseHandshake }
  | { readonly at: 'asking'; readonly until: number; readonly channel: Channel }
  | { readonly at: 'offered'; readonly channel: Channel; readonly names: PairNames }
  | { readonly at: 'keeping'; readonly channel: Channel; readonly record: ValidatorRecord }
  | {
      readonly at: 'waiting';
      readonly until: number;
      readonly channel: Channel;
      readonly record: ValidatorRecord;
    };

export interface JoinOptions {
  readonly crypto: NoiseCrypto;
  readonly link: PairLink;
  /** A new key, for this pair alone. */
  readonly key: NoiseKey;
  /** What the person calls this device. */
  readonly name: string;
  /** Of the validator’s erase statement: 16 bytes. */
  readonly eraseMaster: Uint8Array;
}

/** The validator’s side of one pairing. */
export class PairJoin {
  readonly #options: JoinOptions;
  readonly #code: Uint8Array;
  readonly #id: string;
  readonly #erase: Uint8Array;
  #state: JoinState = { at: 'new' };

  /** @throws `code-wrong` */
  constructor(options: JoinOptions) {
    const { crypto, eraseMaster, link } = options;
    if (eraseMaster.length !== ERASE_TOKEN_BYTES) throw new TypeError('an erase token has 16 bytes');
    this.#options = { ...options, name: v.parse(Name(64), options.name) };
    this.#code = codeBytes(link.code);
    this.#id = encodeBase64url(crypto.randomBytes(PAIR_ID_BYTES));
    this.#erase = pairEraseToken(crypto, eraseMaster, this.#id);
  }

  get over(): boolean {
    return this.#state.at === 'over';
  }

  /** When `tick` has something to do next. */
  get due(): number | undefined {
    return 'until' in this.#state ? this.#state.until : undefined;
  }

  async start(now: number): Promise<PairStep<JoinEvent, ValidatorRecord>> {
    if (this.#state.at !== 'new') throw new TypeError('this pairing was started');
    const { crypto, key } = this.#options;
    const { tag, proof } = pairTag(crypto, this.#code);
    const handshake = new NoiseHandshake(crypto, {
      pattern: XX_PSK3,
      role: 'initiator',
      prologue: pairPrologue(tag),
      psk: pairPsk(crypto, this.#code),
      key,
    });
    const body = await handshake.write(new Uint8Array());
    this.#state = { at: 'shaking', until: now + ANSWER_MS, handshake };
    return pairStep({
      send: [
        encodeFrame({ kind: 'validate', purpose: 'pair', tag, proof }),
        encodeFrame({ kind: 'handshake', body }),
      ],
    });
  }

  async receive(frame: Frame, now: number): Promise<PairStep<JoinEvent, ValidatorRecord>> {
    const late = this.tick(now);
    if (late.close || this.#state.at === 'over') return late;
    const state = this.#state;
    switch (state.at) {
      case 'shaking':
        return this.#shake(state.handshake, frame, now);
      case 'asking':
        return this.#offered(state.channel, frame);
      case 'waiting':
        return this.#done(state, frame);
      default:
        return this.#fail('forged');
    }
  }

  /** The person says whether these are the host and the account that they mean. */
  confirm(yes: boolean): PairStep<JoinEvent, ValidatorRecord> {
    if (this.#state.at === 'over') return pairStep({ close: true });
    if (this.#state.at !== 'offered') throw new TypeError('nothing was offered');
    if (!yes) return this.#fail('declined');
    const { channel, names } = this.#state;
    const { crypto, key, link } = this.#options;
    const record: ValidatorRecord = {
      countersign: 'm-auth validator/1',
      id: this.#id,
      ...names,
      addresses: [...link.addresses],
      key: encodeBase64url(key.publicKey),
      peer: encodeBase64url(channel.peer),
      step: 0,
      ratchet: encodeBase64url(firstRatchet(crypto, channel)),
      pending: [],
      erase: encodeBase64url(this.#erase),
    };
    this.#state = { at: 'keeping', channel, record };
    return pairStep({ keep: record });
  }

  settle(durable: boolean, now: number): PairStep<JoinEvent, ValidatorRecord> {
    if (this.#state.at !== 'keeping') throw new TypeError('nothing was to be kept');
    const { channel, record } = this.#state;
    if (!durable) return this.#fail('not-kept');
    this.#state = { at: 'waiting', until: now + ANSWER_MS, channel, record };
    return pairStep({ send: [seal(channel, { kind: 'confirm' })] });
  }

  tick(now: number): PairStep<JoinEvent, ValidatorRecord> {
    const state = this.#state;
    return 'until' in state && now >= state.until ? this.closed() : pairStep();
  }

  closed(): PairStep<JoinEvent, ValidatorRecord> {
    switch (this.#state.at) {
      case 'over':
      case 'keeping':
        return pairStep();
      case 'waiting':
        return this.#fail('unknown');
      case 'offered':
        return this.#fail('declined');
      default:
        return this.#fail('not-recognised');
    }
  }

  async #shake(
    handshake: NoiseHandshake,
    frame: Frame,
    now: number,
  ): Promise<PairStep<JoinEvent, ValidatorRecord>> {
    const { crypto, name } = this.#options;
    const erase = eraseCheck(crypto, this.#erase);
    const message = { kind: 'validator', id: this.#id, name, erase } as ChannelMessage;
    let body: Uint8Array;
    try {
      await handshake.read(frame.kind === 'handshake' ? frame.body : new Uint8Array());
      body = await handshake.write(encodeMessage(message));
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return this.#fail('forged');
    }
    this.#state = { at: 'asking', until: now + ANSWER_MS, channel: handshake.finish() };
    return pairStep({ send: [encodeFrame({ kind: 'handshake', body })] });
  }

  /** The first message that only who knows the code can seal. */
  #offered(channel: Channel, frame: Frame): PairStep<JoinEvent, ValidatorRecord> {
    try {
      const { kind: _, ...names } = open(InterfaceMessage, channel, frame);
      this.#state = { at: 'offered', channel, names };
      return pairStep({ event: { kind: 'offered', names } });
    } catch {
      return this.#fail('forged');
    }
  }

  #done(
    { channel, record }: JoinState & { at: 'waiting' },
    frame: Frame,
  ): PairStep<JoinEvent, ValidatorRecord> {
    try {
      open(DoneMessage, channel, frame);
    } catch {
      return this.#fail('unknown');
    }
    this.#state = { at: 'over' };
    return pairStep({ event: { kind: 'paired', record }, close: true });
  }

  #fail(why: (JoinEvent & { kind: 'failed' })['why']): PairStep<JoinEvent, ValidatorRecord> {
    this.#state = { at: 'over' };
    return pairStep({ event: { kind: 'failed', why, alarm: why === 'forged' }, close: true });
  }
}
