/**
 * The interface's side of one sign-on: spec/m-auth.md#the-sign-on. One gate, one passcode, one connection; whatever
 * goes wrong, it is over, and the next try is a new one. It has no clock: every input comes with the monotonic time
 * in ms. Nothing is granted before the record that says so is durable.
 * @module
 */
import { decodeBase64url } from './base64url.ts';
import { constantTimeEqual } from './crypto-provider.ts';
import { type Candidate, deriveCandidates } from './m-auth-candidates.ts';
import { encodeFrame, type Frame } from './m-auth-frames.ts';
import {
  AnswerMessage,
  type ChannelMessage,
  type ContextMessage,
  DoneMessage,
  encodeMessage,
  type HandedSecret,
  parseContext,
  parseMessage,
  type Refusal,
  type SignOnContext,
} from './m-auth-messages.ts';
import { isPasscode } from './m-auth-passcode.ts';
import { confirmStep, countFailure, grantStep } from './m-auth-ratchet.ts';
import {
  handshakeId,
  type InterfaceRecord,
  signOnPrologue,
  signOnPsk,
  staleNotice,
} from './m-auth-record.ts';
import { type Commit, type Step, step } from './m-auth-step.ts';
import type { NoiseCrypto } from './noise.ts';
import { type Channel, KK_PSK0, NoiseHandshake } from './noise-handshake.ts';

export const GATE_MS = 20_000;
export const MIN_GATE_MS = 5_000;
export const MAX_GATE_MS = 120_000;
export const ACKNOWLEDGE_SECONDS = 30;
/** How long after the result the validator’s last message is waited for. */
const DONE_MS = 5_000;
/** While approvals are awaited, something is said this often. */
const KEEP_ALIVE_MS = 15_000;

export interface AttemptOptions {
  readonly crypto: NoiseCrypto;
  /** The account’s pairs that are for this service; those that are disabled count as none. Of an unknown account: none. */
  readonly records: readonly InterfaceRecord[];
  /** That stands on the screen: another one for each attempt that is open. */
  readonly passcode: string;
  readonly context: SignOnContext;
  /** When the gate opened, in ms, by the clock of which every `now` is. */
  readonly opened: number;
  readonly gateMs?: number;
  readonly acknowledgeSeconds?: number;
  /** Approvers who must agree after the person, and for how long they are waited for. */
  readonly approvals?: { readonly needed: number; readonly withinMs: number };
  /** When whoever wants in waits no longer: no window goes beyond it. By the same clock. */
  readonly deadline?: number;
  /** What is handed over with the grant: asked for then, and for that pair. */
  readonly secret?: (pair: string) => HandedSecret | undefined;
}

/** Why a sign-on was not granted. `forged`, `old-ratchet`, `copied` and `fraud` are alarms. */
export type Denial =
  | 'unanswered'
  | 'late'
  | 'lost'
  | 'malformed'
  | 'forged'
  | 'old-ratchet'
  | 'denied'
  | 'fraud'
  | 'copied'
  | 'unacknowledged'
  | 'superseded'
  | 'withdrawn'
  | 'approver'
  | 'approval-late';

export const INTERFACE_ALARMS: ReadonlySet<Denial> = new Set(['forged', 'old-ratchet', 'copied', 'fraud']);

export type InterfaceEvent =
  /** A validator has begun, with the right passcode; its person is shown the context now. */
  | { readonly kind: 'shown'; readonly pair: string; readonly until: number }
  /** The person has accepted: ask the approvers, and say what they say by `approve`. */
  | { readonly kind: 'acknowledged'; readonly pair: string; readonly until: number }
  /** Let them in. The record is durable. */
  | { readonly kind: 'granted'; readonly pair: string; readonly step: number; readonly by: 'person' | 'rule' }
  /** The validator has the new step; only now is the one before gone. */
  | { readonly kind: 'confirmed'; readonly pair: string }
  | {
      readonly kind: 'denied';
      readonly why: Denial;
      readonly alarm: boolean;
      readonly pair?: string;
    };

export type InterfaceStep = Step<InterfaceEvent, InterfaceRecord>;

type State =
  | { readonly at: 'waiting' }
  | { readonly at: 'joined'; readonly candidate: Candidate }
  | { readonly at: 'acknowledging'; readonly until: number; readonly run: Run }
  | { readonly at: 'approving'; readonly until: number; given: number; spoken: number; readonly run: Run }
  | { readonly at: 'committing'; readonly run: Run }
  | { readonly at: 'granted'; readonly until: number; readonly run: Run }
  | { readonly at: 'over' };

interface Run {
  readonly candidate: Candidate;
  readonly channel: Channel;
  by: 'person' | 'rule';
}

export class SignOnAttempt {
  readonly passcode: string;
  /** From this time on nothing is in time. */
  readonly closes: number;
  readonly #options: AttemptOptions;
  #tags: ReturnType<typeof deriveCandidates>;
  #state: State = { at: 'waiting' };
  #withdrawn = false;

  /** @throws `input-invalid` for a context that no validator would take */
  constructor(options: AttemptOptions) {
    const gate = options.gateMs ?? GATE_MS;
    if (!(gate >= MIN_GATE_MS && gate <= MAX_GATE_MS)) throw new TypeError('a gate has 5 to 120 seconds');
    if (!isPasscode(options.passcode)) throw new TypeError('a passcode has six digits');
    this.#options = { ...options, context: parseContext(options.context) };
    this.passcode = options.passcode;
    this.closes = Math.min(options.opened + gate, this.#deadline);
    this.#tags = deriveCandidates(options.crypto, options.records, options.passcode);
  }

  get #deadline(): number {
    return this.#options.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Whether a connection can still come. */
  get waiting(): boolean {
    return this.#state.at === 'waiting';
  }

  get over(): boolean {
    return this.#state.at === 'over';
  }

  /** When `tick` has something to do next. */
  get due(): number | undefined {
    const state = this.#state;
    if (state.at === 'approving') return Math.min(state.until, state.spoken + KEEP_ALIVE_MS);
    if ('until' in state) return state.until;
    return state.at === 'waiting' || state.at === 'joined' ? this.closes : undefined;
  }

  /**
   * The `AuthRequest` that announces this attempt to the demultiplexer.
   * @param bucket 16 bytes, the same for all attempts of one account
   */
  request(bucket: Uint8Array, now: number): Uint8Array<ArrayBuffer> {
    const lifetime = Math.max(0, Math.ceil(this.closes - now));
    return encodeFrame({ kind: 'request', purpose: 'sign-on', lifetime, bucket, tags: this.#tags.tags });
  }

  /**
   * Takes the account's records as they have become, say after another sign-on of the same person. The tags are
   * others then: announce them on a new connection, and close the old one. Has no effect once somebody has come.
   */
  refresh(records: readonly InterfaceRecord[]): void {
    if (this.#state.at !== 'waiting') return;
    this.#tags = deriveCandidates(this.#options.crypto, records, this.passcode);
  }

  /** A frame from the connection. */
  async receive(frame: Frame, now: number): Promise<InterfaceStep> {
    const late = this.tick(now);
    if (late.over || this.#state.at === 'over') return late;
    const state = this.#state;
    switch (state.at) {
      case 'committing':
        throw new TypeError('settle the commit first');
      case 'waiting':
        return this.#join(frame);
      case 'joined':
        return this.#shake(state.candidate, frame, now);
      case 'acknowledging':
        return this.#acknowledge(state.run, frame, now);
      case 'granted':
        return this.#confirm(state.run, frame);
      default:
        return this.#deny('malformed', state.run);
    }
  }

  /** Whatever has run out by now. */
  tick(now: number): InterfaceStep {
    const state = this.#state;
    switch (state.at) {
      case 'waiting':
        return now >= this.closes ? this.#deny('unanswered') : step();
      case 'joined':
        return now >= this.closes ? this.#deny('late', state) : step();
      case 'acknowledging':
        return now >= state.until ? this.#deny('unacknowledged', state.run) : step();
      case 'approving': {
        if (now >= state.until) return this.#refuse('approval-late', state.run);
        if (now - state.spoken < KEEP_ALIVE_MS) return step();
        state.spoken = now;
        return step({ send: [this.#approval(state.run, state.given)] });
      }
      case 'granted':
        return now >= state.until ? this.#end() : step();
      default:
        return step();
    }
  }

  /** What an approver says. One rejection ends it. */
  approve(yes: boolean, now: number): InterfaceStep {
    const late = this.tick(now);
    if (this.#state.at !== 'approving') return late;
    const state = this.#state;
    if (!yes) return this.#refuse('approver', state.run);
    state.given++;
    state.spoken = now;
    if (state.given >= this.#options.approvals!.needed) return this.#commit(state.run);
    return step({ send: [this.#approval(state.run, state.given)] });
  }

  /** How the store took the commit of the last step. */
  settle(durable: boolean, now: number): InterfaceStep {
    if (this.#state.at !== 'committing') throw new TypeError('nothing was to be committed');
    const { run } = this.#state;
    if (!durable) return this.#deny('superseded', run, [this.#result(run, 'withdrawn')]);
    if (this.#withdrawn) return this.#refuse('withdrawn', run);
    this.#state = { at: 'granted', until: now + DONE_MS, run };
    const { record } = run.candidate;
    const secret = this.#options.secret?.(record.id);
    const result = { kind: 'result', result: 'granted', ...(secret === undefined ? {} : { secret }) };
    return step({
      send: [this.#seal(run, result)],
      event: { kind: 'granted', pair: record.id, step: record.step + 1, by: run.by },
    });
  }

  /** The other side has closed the connection, or the way there is gone. */
  closed(): InterfaceStep {
    const state = this.#state;
    if (state.at === 'over') return step();
    if (state.at === 'granted') return this.#end();
    if (state.at === 'committing') return step();
    return this.#deny('lost', 'run' in state ? state.run : state.at === 'joined' ? state : undefined);
  }

  /** Ends it from this side: the account was disabled, the user gave up, the program stops. */
  withdraw(): InterfaceStep {
    const state = this.#state;
    if (state.at === 'over' || state.at === 'granted') return step();
    this.#withdrawn = true;
    if (state.at === 'committing') return step();
    return 'run' in state ? this.#refuse('withdrawn', state.run) : this.#deny('withdrawn');
  }

  #join(frame: Frame): InterfaceStep {
    if (frame.kind !== 'validate' || frame.purpose !== 'sign-on') return this.#deny('malformed');
    const candidate = this.#tags.candidates.find(({ tag }) => constantTimeEqual(tag, frame.tag));
    // the tag alone is known to whoever carries frames; the proof was never sent before
    if (candidate === undefined || !constantTimeEqual(candidate.proof, frame.proof))
      return this.#deny('forged');
    if (candidate.ratchet !== undefined) {
      this.#state = { at: 'joined', candidate };
      return step();
    }
    const body = staleNotice(this.#options.crypto, candidate.tagKey, this.passcode);
    return this.#deny('old-ratchet', { candidate }, [encodeFrame({ kind: 'stale', body })]);
  }

  async #shake(candidate: Candidate, frame: Frame, now: number): Promise<InterfaceStep> {
    if (frame.kind !== 'handshake') return this.#deny('malformed', { candidate });
    const { crypto, context, approvals } = this.#options;
    const { record } = candidate;
    const window = this.#options.acknowledgeSeconds ?? ACKNOWLEDGE_SECONDS;
    const seconds = Math.max(1, Math.min(window, Math.floor((this.#deadline - now) / 1000)));
    const message: ContextMessage = {
      kind: 'context',
      context,
      acknowledge: seconds,
      approvals: approvals?.needed ?? 0,
      failed: record.failed,
      alarms: record.alarms,
      ...(candidate.unconfirmed === undefined ? {} : { unconfirmed: candidate.unconfirmed }),
      ...(record.last === undefined ? {} : { last: record.last }),
    };
    let body: Uint8Array;
    let channel: Channel;
    try {
      const kept = (text: string | undefined) => (text === undefined ? undefined : decodeBase64url(text));
      const key = await crypto.importKey(decodeBase64url(record.secret), kept(record.key));
      const peer = decodeBase64url(record.peer);
      const shared = kept(record.shared);
      const handshake = new NoiseHandshake(crypto, {
        pattern: KK_PSK0,
        role: 'responder',
        prologue: signOnPrologue(record, candidate.tag, peer, key.publicKey),
        psk: signOnPsk(crypto, candidate.ratchet!, this.passcode),
        key,
        peer,
        ...(shared === undefined ? {} : { shared }),
      });
      const hello = await handshake.read(frame.body);
      if (hello.length > 0) return this.#deny('malformed', { candidate });
      body = await handshake.write(encodeMessage(message));
      channel = handshake.finish();
    } catch (error) {
      if (error instanceof TypeError) throw error;
      return this.#deny('forged', { candidate });
    }
    const until = now + seconds * 1000;
    this.#state = { at: 'acknowledging', until, run: { candidate, channel, by: 'person' } };
    return step({
      send: [encodeFrame({ kind: 'handshake', body })],
      event: { kind: 'shown', pair: record.id, until },
    });
  }

  #acknowledge(run: Run, frame: Frame, now: number): InterfaceStep {
    let answer: AnswerMessage;
    try {
      answer = this.#open(AnswerMessage, run, frame);
    } catch {
      return this.#deny('forged', run);
    }
    const notes = this.#holdsNewest(run.candidate);
    if (answer.by === 'copied') return this.#deny('copied', run, [], notes);
    if (answer.answer !== 'accept') {
      return this.#deny(answer.answer === 'fraud' ? 'fraud' : 'denied', run, [], notes);
    }
    run.by = answer.by;
    const { approvals } = this.#options;
    if (approvals === undefined || approvals.needed === 0) return this.#commit(run);
    const until = Math.min(now + approvals.withinMs, this.#deadline);
    this.#state = { at: 'approving', until, given: 0, spoken: now, run };
    return step({
      notes,
      send: [this.#approval(run, 0)],
      event: { kind: 'acknowledged', pair: run.candidate.record.id, until },
    });
  }

  /** Who spoke in a channel of the newest step has it: the one before is over. */
  #holdsNewest({ record, unconfirmed }: Candidate): Commit<InterfaceRecord>[] {
    const granted = record.before?.granted;
    if (granted === undefined || unconfirmed !== undefined) return [];
    const { crypto } = this.#options;
    return [{ id: record.id, apply: (now) => confirmStep(crypto, now, granted) }];
  }

  /** The next step of the ratchet, if the record still stands at the one that this run began with. */
  #commit(run: Run): InterfaceStep {
    this.#state = { at: 'committing', run };
    const { crypto, context } = this.#options;
    const { candidate, channel } = run;
    const { time, service } = context;
    return step({ commit: grantStep(crypto, candidate, channel, { time, service }) });
  }

  #confirm(run: Run, frame: Frame): InterfaceStep {
    try {
      this.#open(DoneMessage, run, frame);
    } catch {
      // it was granted; that the last message is not good costs nothing
      return this.#end();
    }
    const { crypto } = this.#options;
    const granted = handshakeId(run.channel.hash);
    const { id } = run.candidate.record;
    this.#state = { at: 'over' };
    return step({
      notes: [{ id, apply: (record) => confirmStep(crypto, record, granted) }],
      event: { kind: 'confirmed', pair: id },
      over: true,
    });
  }

  /** After the person has accepted: the validator is told. */
  #refuse(reason: Refusal, run: Run): InterfaceStep {
    return this.#deny(reason, run, [this.#result(run, reason)]);
  }

  #deny(
    why: Denial,
    about?: { candidate: Candidate },
    send: readonly Uint8Array[] = [],
    notes: readonly Commit<InterfaceRecord>[] = [],
  ): InterfaceStep {
    this.#state = { at: 'over' };
    const alarm = INTERFACE_ALARMS.has(why);
    const pair = about?.candidate.record.id;
    const concerned = pair === undefined ? this.#pairs() : [pair];
    return step({
      send,
      notes: [...notes, ...concerned.map((id) => countFailure(id, alarm))],
      event: { kind: 'denied', why, alarm, ...(pair === undefined ? {} : { pair }) },
      over: true,
    });
  }

  #end(): InterfaceStep {
    this.#state = { at: 'over' };
    return step({ over: true });
  }

  #approval(run: Run, given: number): Uint8Array {
    const { needed } = this.#options.approvals!;
    return this.#seal(run, { kind: 'approval', needed, given } as ChannelMessage);
  }

  #result(run: Run, reason: Refusal): Uint8Array {
    return this.#seal(run, { kind: 'result', result: 'refused', reason } as ChannelMessage);
  }

  #seal(run: Run, message: ChannelMessage): Uint8Array {
    return encodeFrame({ kind: 'transport', body: run.channel.send.encrypt(encodeMessage(message)) });
  }

  #open<S extends typeof AnswerMessage | typeof DoneMessage>(schema: S, run: Run, frame: Frame) {
    const body = frame.kind === 'transport' ? frame.body : new Uint8Array();
    return parseMessage(schema, run.channel.receive.decrypt(body));
  }

  #pairs(): string[] {
    return [...new Set(this.#tags.candidates.map(({ record }) => record.id))];
  }
}
