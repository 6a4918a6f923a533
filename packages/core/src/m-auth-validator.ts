/**
 * The validator's side of one sign-on: spec/m-auth.md#the-sign-on. The person has picked the pair and moved the
 * passcode; nothing that a server sends picks for them. It has no clock: every input comes with the monotonic time
 * in ms.
 * @module
 */

import * as v from 'valibot';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { constantTimeEqual } from './crypto-provider.ts';
import { encodeFrame, type Frame } from './m-auth-frames.ts';
import {
  type AnswerMessage,
  ApprovalMessage,
  type ChannelMessage,
  ContextMessage,
  encodeMessage,
  type HandedSecret,
  parseMessage,
  type Refusal,
  ResultMessage,
} from './m-auth-messages.ts';
import { readPasscode } from './m-auth-passcode.ts';
import {
  handshakeId,
  isForService,
  nextRatchet,
  passcodeTag,
  signOnPrologue,
  signOnPsk,
  staleNotice,
  tagKeyOf,
  type ValidatorRecord,
} from './m-auth-record.ts';
import { type Step, step } from './m-auth-step.ts';
import type { NoiseCrypto, NoiseKey } from './noise.ts';
import { type Channel, KK_PSK0, NoiseHandshake } from './noise-handshake.ts';

/** How long the interface may take to answer the first message. */
const CONTEXT_MS = 10_000;
/** How long it may be silent while approvals are awaited: it speaks every 15 s. */
const RESULT_MS = 45_000;

export interface SignOnOptions {
  readonly crypto: NoiseCrypto;
  readonly record: ValidatorRecord;
  /** The private half of `record.key`, wherever it lives. */
  readonly key: NoiseKey;
  /** As typed or scanned. */
  readonly passcode: string;
}

/**
 * How a sign-on ended, as the validator knows it.
 * - `not-recognised`: the interface has no sign-on with this passcode: mistyped, late, or a screen that is not its own.
 * - `forged`: what answered is not the interface. Alarm.
 * - `stale`: this validator's record is older than the interface's: restored from a backup, or a copy was used. Alarm.
 * - `copied`: a sign-on was granted to somebody with a copy of this validator. Alarm.
 * - `mismatch`: the interface asks for what this pair is not for. Alarm.
 * - `late`: the acknowledgement window closed.
 * - `unknown`: accepted, and no result came. It is no success here; the interface may have let the person in.
 * - `unknown-forged`: the same, and what came in its place is not the interface’s. Alarm.
 */
export type SignOnEnd =
  | { readonly outcome: 'granted'; readonly secret?: HandedSecret }
  | { readonly outcome: 'refused'; readonly reason: Refusal }
  | { readonly outcome: 'answered'; readonly answer: 'deny' | 'fraud' }
  | {
      readonly outcome:
        | 'not-recognised'
        | 'forged'
        | 'stale'
        | 'copied'
        | 'mismatch'
        | 'late'
        | 'unknown'
        | 'unknown-forged'
        | 'record-changed'
        | 'withdrawn';
    };

export const VALIDATOR_ALARMS: ReadonlySet<SignOnEnd['outcome']> = new Set([
  'forged',
  'stale',
  'copied',
  'mismatch',
  'unknown-forged',
]);

export type ValidatorEvent =
  /** Show it, or let a rule decide, and give the answer before `until`. */
  | { readonly kind: 'context'; readonly message: ContextMessage; readonly until: number }
  | { readonly kind: 'approval'; readonly needed: number; readonly given: number }
  | { readonly kind: 'ended'; readonly end: SignOnEnd; readonly alarm: boolean };

export type ValidatorStep = Step<ValidatorEvent, ValidatorRecord>;

type State =
  | { readonly at: 'new' }
  | { readonly at: 'shaking'; readonly until: number; readonly handshake: NoiseHandshake }
  | {
      readonly at: 'shown';
      readonly until: number;
      readonly channel: Channel;
      readonly context: ContextMessage;
    }
  | { readonly at: 'accepting'; readonly channel: Channel; readonly message: AnswerMessage }
  | { readonly at: 'accepted'; until: number; readonly channel: Channel }
  | { readonly at: 'storing'; readonly channel: Channel; readonly end: SignOnEnd }
  | { readonly at: 'over' };

export class SignOn {
  readonly #options: SignOnOptions;
  readonly #passcode: string;
  #state: State = { at: 'new' };

  /** What is no passcode at all is a `TypeError`: ask `readPasscode` first. */
  constructor(options: SignOnOptions) {
    const passcode = readPasscode(options.passcode);
    if (passcode === undefined) throw new TypeError('no passcode');
    this.#options = options;
    this.#passcode = passcode;
  }

  get over(): boolean {
    return this.#state.at === 'over';
  }

  /** When `tick` has something to do next. */
  get due(): number | undefined {
    return 'until' in this.#state ? this.#state.until : undefined;
  }

  /** The first frames of the connection. */
  async start(now: number): Promise<ValidatorStep> {
    if (this.#state.at !== 'new') throw new TypeError('this sign-on was started');
    const { crypto, record, key } = this.#options;
    const ratchet = decodeBase64url(record.ratchet);
    const { tag, proof } = passcodeTag(crypto, tagKeyOf(crypto, ratchet), this.#passcode);
    const peer = decodeBase64url(record.peer);
    const handshake = new NoiseHandshake(crypto, {
      pattern: KK_PSK0,
      role: 'initiator',
      prologue: signOnPrologue(record, tag, key.publicKey, peer),
      psk: signOnPsk(crypto, ratchet, this.#passcode),
      key,
      peer,
    });
    const body = await handshake.write(new Uint8Array());
    this.#state = { at: 'shaking', until: now + CONTEXT_MS, handshake };
    return step({
      send: [
        encodeFrame({ kind: 'validate', purpose: 'sign-on', tag, proof }),
        encodeFrame({ kind: 'handshake', body }),
      ],
    });
  }

  /** A frame from the connection. */
  async receive(frame: Frame, now: number): Promise<ValidatorStep> {
    const late = this.tick(now);
    if (late.over || this.#state.at === 'over') return late;
    const state = this.#state;
    switch (state.at) {
      case 'shaking':
        return frame.kind === 'stale' ? this.#stale(frame.body) : this.#shake(state.handshake, frame, now);
      case 'accepted':
        return this.#result(state, frame, now);
      case 'shown':
        return this.#takenBack(state.channel, frame);
      default:
        throw new TypeError('nothing is due');
    }
  }

  /**
   * What the person, or their rule, says to the context.
   * @param by `rule` where nobody was asked
   */
  answer(answer: 'accept' | 'deny' | 'fraud', by: 'person' | 'rule', now: number): ValidatorStep {
    const late = this.tick(now);
    if (this.#state.at === 'over') return late;
    if (this.#state.at !== 'shown') throw new TypeError('no context stands to be answered');
    const { channel, context } = this.#state;
    const message: AnswerMessage = { kind: 'answer', answer, by };
    if (answer !== 'accept') {
      return this.#end({ outcome: 'answered', answer }, [this.#seal(channel, message)]);
    }
    this.#state = { at: 'accepting', channel, message };
    const { record } = this.#options;
    const id = handshakeId(channel.hash);
    const open = context.unconfirmed === undefined ? [] : [context.unconfirmed];
    return step({
      commit: {
        id: record.id,
        apply: (now) => (isSameStep(now, record) ? { ...now, pending: [...open, id] } : undefined),
      },
    });
  }

  /** How the store took the commit of the last step. */
  settle(durable: boolean, now: number): ValidatorStep {
    const state = this.#state;
    if (state.at === 'storing') {
      // where it could not be kept, the interface must not forget the step before
      const done = durable ? [this.#seal(state.channel, { kind: 'done' })] : [];
      return this.#end(state.end, done);
    }
    if (state.at !== 'accepting') throw new TypeError('nothing was to be committed');
    if (!durable) return this.#end({ outcome: 'record-changed' });
    this.#state = { at: 'accepted', until: now + RESULT_MS, channel: state.channel };
    return step({ send: [this.#seal(state.channel, state.message)] });
  }

  /** Whatever has run out by now. */
  tick(now: number): ValidatorStep {
    const state = this.#state;
    if (!('until' in state) || now < state.until) return step();
    if (state.at === 'shown') return this.#end({ outcome: 'late' });
    return this.#end({ outcome: state.at === 'accepted' ? 'unknown' : 'not-recognised' });
  }

  /** The other side has closed the connection, or the way there is gone. */
  closed(): ValidatorStep {
    switch (this.#state.at) {
      case 'over':
      case 'storing':
        return step();
      case 'accepted':
        return this.#end({ outcome: 'unknown' });
      case 'shown':
      case 'accepting':
        return this.#end({ outcome: 'late' });
      default:
        return this.#end({ outcome: 'not-recognised' });
    }
  }

  /** The person gives up. */
  withdraw(): ValidatorStep {
    if (this.#state.at === 'over' || this.#state.at === 'storing') return step();
    return this.#end({ outcome: this.#state.at === 'accepted' ? 'unknown' : 'withdrawn' });
  }

  async #shake(handshake: NoiseHandshake, frame: Frame, now: number): Promise<ValidatorStep> {
    let message: ContextMessage;
    let channel: Channel;
    try {
      if (frame.kind !== 'handshake') return this.#end({ outcome: 'forged' });
      message = parseMessage(ContextMessage, await handshake.read(frame.body));
      channel = handshake.finish();
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return this.#end({ outcome: 'forged' });
    }
    const { record } = this.#options;
    // at the step before the interface's only because of a result that was lost on the way to here
    if (message.unconfirmed !== undefined && !record.pending.includes(message.unconfirmed)) {
      return this.#end({ outcome: 'copied' }, [
        this.#seal(channel, { kind: 'answer', answer: 'fraud', by: 'copied' } as ChannelMessage),
      ]);
    }
    if (!isForPair(message, record)) {
      return this.#end({ outcome: 'mismatch' }, [
        this.#seal(channel, { kind: 'answer', answer: 'deny', by: 'rule' } as ChannelMessage),
      ]);
    }
    const until = now + message.acknowledge * 1000;
    this.#state = { at: 'shown', until, channel, context: message };
    return step({ event: { kind: 'context', message, until } });
  }

  #stale(notice: Uint8Array): ValidatorStep {
    const { crypto, record } = this.#options;
    const tagKey = tagKeyOf(crypto, decodeBase64url(record.ratchet));
    const genuine = constantTimeEqual(notice, staleNotice(crypto, tagKey, this.#passcode));
    return this.#end({ outcome: genuine ? 'stale' : 'forged' });
  }

  /** Before the answer an interface says nothing but that it has ended it. */
  #takenBack(channel: Channel, frame: Frame): ValidatorStep {
    try {
      const body = frame.kind === 'transport' ? frame.body : new Uint8Array();
      const message = parseMessage(ResultMessage, channel.receive.decrypt(body));
      if (message.result === 'refused') return this.#end({ outcome: 'refused', reason: message.reason });
    } catch {}
    return this.#end({ outcome: 'forged' });
  }

  #result(state: State & { at: 'accepted' }, frame: Frame, now: number): ValidatorStep {
    const { channel } = state;
    let message: v.InferOutput<typeof ApprovalMessage> | v.InferOutput<typeof ResultMessage>;
    try {
      const body = frame.kind === 'transport' ? frame.body : new Uint8Array();
      message = parseMessage(v.union([ApprovalMessage, ResultMessage]), channel.receive.decrypt(body));
    } catch {
      return this.#end({ outcome: 'unknown-forged' });
    }
    if (message.kind === 'approval') {
      state.until = now + RESULT_MS;
      return step({ event: { kind: 'approval', needed: message.needed, given: message.given } });
    }
    if (message.result === 'refused') return this.#end({ outcome: 'refused', reason: message.reason });
    const { crypto, record } = this.#options;
    const ratchet = encodeBase64url(nextRatchet(crypto, decodeBase64url(record.ratchet), channel));
    const { secret } = message;
    const end: SignOnEnd = { outcome: 'granted', ...(secret === undefined ? {} : { secret }) };
    this.#state = { at: 'storing', channel, end };
    return step({
      commit: {
        id: record.id,
        apply: (now) =>
          isSameStep(now, record) ? { ...now, step: now.step + 1, ratchet, pending: [] } : undefined,
      },
    });
  }

  #seal(channel: Channel, message: ChannelMessage): Uint8Array {
    return encodeFrame({ kind: 'transport', body: channel.send.encrypt(encodeMessage(message)) });
  }

  #end(end: SignOnEnd, send: readonly Uint8Array[] = []): ValidatorStep {
    this.#state = { at: 'over' };
    return step({
      send,
      event: { kind: 'ended', end, alarm: VALIDATOR_ALARMS.has(end.outcome) },
      over: true,
    });
  }
}

function isForPair({ context }: ContextMessage, record: ValidatorRecord): boolean {
  const { account, host } = record;
  return context.account === account && context.host === host && isForService(record, context.service);
}

function isSameStep(now: ValidatorRecord, then: ValidatorRecord): boolean {
  return now.step === then.step && now.ratchet === then.ratchet;
}
