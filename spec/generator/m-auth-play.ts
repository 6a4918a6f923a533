/**
 * A sign-on and a pairing of M-AUTH with drawn bytes that are given, frame by frame, and what comes of them.
 * @module
 */
import { CountersignError, decodeBase64url } from '@countersign/core';
import {
  type InterfaceRecord,
  PairJoin,
  PairOffer,
  parseInterfaceRecord,
  parseValidatorRecord,
  SignOn,
  SignOnAttempt,
  type SignOnContext,
  takeFrame,
  type ValidatorRecord,
} from '@countersign/core/m-auth';
import type { NoiseCrypto } from '@countersign/core/noise';
import { webNoise } from '@countersign/core/noise-web';

/** Frames, by who sends them and their number on that side, that somebody on the line puts in another's place. */
export type Delivered = Readonly<Record<string, string | null>>;

export interface SignOnInput {
  readonly interface: InterfaceRecord;
  readonly validator: ValidatorRecord;
  readonly validator_private_key: string;
  readonly passcode: string;
  /** What the person typed, where it is another. */
  readonly typed?: string;
  readonly context: SignOnContext;
  readonly answer?: 'accept' | 'deny' | 'fraud';
  readonly approvers?: readonly boolean[];
  readonly secret?: { readonly name: string; readonly value: string };
  readonly validator_ephemeral: string;
  readonly interface_ephemeral: string;
  /** When the validator's frames come, in ms after the gate was opened. */
  readonly arrives?: number;
  readonly delivered?: Delivered;
}

interface Sent {
  readonly from: 'validator' | 'interface';
  readonly frame: string;
}

/** Every step of a sign-on that is granted; what refuses it, refuses with `handshake-invalid` and says why. */
export async function playSignOn(input: SignOnInput) {
  let host = parseInterfaceRecord(input.interface);
  let device = parseValidatorRecord(input.validator);
  const now = () => input.arrives ?? 0;
  const { approvers = [], secret } = input;
  const attempt = new SignOnAttempt({
    crypto: withEphemeral(input.interface_ephemeral),
    records: [host],
    passcode: input.passcode,
    context: input.context,
    opened: 0,
    ...(approvers.length === 0 ? {} : { approvals: { needed: approvers.length, withinMs: 60_000 } }),
    ...(secret === undefined ? {} : { secret: () => secret }),
  });
  const signOn = new SignOn({
    crypto: withEphemeral(input.validator_ephemeral),
    record: device,
    key: await webNoise.importKey(Uint8Array.fromHex(input.validator_private_key)),
    passcode: input.typed ?? input.passcode,
  });
  const line = new Line(input.delivered);
  const onInterface = (first: ReturnType<SignOnAttempt['tick']>) => {
    let step = first;
    if (step.commit !== undefined) {
      const next = step.commit.apply(host);
      if (next !== undefined) host = next;
      step = attempt.settle(next !== undefined, now());
    }
    for (const note of step.notes) host = note.apply(host) ?? host;
    line.send('interface', step.send);
    if (step.event?.kind === 'denied') throw refusal(step.event.why);
    if (step.event?.kind === 'acknowledged')
      for (const yes of approvers) onInterface(attempt.approve(yes, now()));
  };
  const onValidator = (first: ReturnType<SignOn['tick']>) => {
    let step = first;
    if (step.commit !== undefined) {
      const next = step.commit.apply(device);
      if (next !== undefined) device = next;
      step = signOn.settle(next !== undefined, now());
    }
    line.send('validator', step.send);
    if (step.event?.kind === 'context') onValidator(signOn.answer(input.answer ?? 'accept', 'person', now()));
    // what the interface is told it judges first
    else if (step.event?.kind === 'ended' && step.event.end.outcome !== 'granted') {
      if (line.waiting('interface') === 0) throw refusal(step.event.end.outcome);
    }
  };
  onValidator(await signOn.start(now()));
  await line.run(
    async (frame) => {
      if (!attempt.over) onInterface(await attempt.receive(frame, now()));
    },
    async (frame) => {
      if (!signOn.over) onValidator(await signOn.receive(frame, now()));
    },
  );
  if (!attempt.over || !signOn.over) throw refusal('lost');
  return {
    frames: line.sent,
    ratchet: decodeBase64url(host.ratchet).toHex(),
    interface: host,
    validator: device,
  };
}

export interface PairInput {
  readonly pair_code: string;
  readonly typed?: string;
  readonly account: string;
  readonly host: string;
  readonly services: readonly string[];
  readonly device_name: string;
  readonly address: string;
  readonly id: string;
  readonly erase_token: string;
  readonly validator_private_key: string;
  readonly interface_private_key: string;
  readonly validator_ephemeral: string;
  readonly interface_ephemeral: string;
  readonly delivered?: Delivered;
}

export async function playPairing(input: PairInput) {
  const { account, host, services, pair_code: code } = input;
  const names = { account, host, services: [...services] };
  const hostCrypto = withEphemeral(input.interface_ephemeral, input.interface_private_key);
  const offer = new PairOffer({ crypto: hostCrypto, code, names, opened: 0 });
  const join = new PairJoin({
    crypto: withEphemeral(input.validator_ephemeral, input.id),
    link: { code: input.typed ?? code, addresses: [input.address] },
    key: await webNoise.importKey(Uint8Array.fromHex(input.validator_private_key)),
    name: input.device_name,
    eraseMaster: Uint8Array.fromHex(input.erase_token),
  });
  const line = new Line(input.delivered);
  let kept: { interface?: InterfaceRecord; validator?: ValidatorRecord } = {};
  const onOffer = (step: ReturnType<PairOffer['tick']>) => {
    line.send('interface', step.send);
    if (step.event?.kind === 'failed') throw refusal(step.event.why);
    if (step.event?.kind === 'interrupted') throw refusal('interrupted');
    if (step.keep === undefined) return;
    kept = { ...kept, interface: step.keep };
    onOffer(offer.settle(true));
  };
  const onJoin = (step: ReturnType<PairJoin['tick']>) => {
    line.send('validator', step.send);
    if (step.event?.kind === 'failed') throw refusal(step.event.why);
    if (step.event?.kind === 'offered') onJoin(join.confirm(true));
    if (step.keep === undefined) return;
    kept = { ...kept, validator: step.keep };
    onJoin(join.settle(true, 0));
  };
  onJoin(await join.start(0));
  await line.run(
    async (frame) => {
      if (!offer.over) onOffer(await offer.receive(frame, 0));
    },
    async (frame) => {
      if (!join.over) onJoin(await join.receive(frame, 0));
    },
  );
  if (!offer.over || !join.over) throw refusal('lost');
  return { frames: line.sent, ratchet: decodeBase64url(kept.interface!.ratchet).toHex(), ...kept };
}

/** Both directions, and somebody on them. */
class Line {
  readonly sent: Sent[] = [];
  readonly #delivered: Delivered;
  readonly #queues = { interface: [] as Uint8Array[], validator: [] as Uint8Array[] };
  readonly #counts = { interface: 0, validator: 0 };

  constructor(delivered: Delivered = {}) {
    this.#delivered = delivered;
  }

  waiting(to: 'interface' | 'validator'): number {
    return this.#queues[to].length;
  }

  send(from: 'interface' | 'validator', frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      this.sent.push({ from, frame: frame.toHex() });
      const other = this.#delivered[`${from} ${++this.#counts[from]}`];
      const to = from === 'interface' ? 'validator' : 'interface';
      if (other === undefined) this.#queues[to].push(frame);
      else if (other !== null) this.#queues[to].push(Uint8Array.fromHex(other));
    }
  }

  async run(
    toInterface: (frame: ReturnType<typeof frameOf>) => Promise<void>,
    toValidator: (frame: ReturnType<typeof frameOf>) => Promise<void>,
  ): Promise<void> {
    for (;;) {
      const up = this.#queues.interface.shift();
      if (up !== undefined) await toInterface(frameOf(up));
      else {
        const down = this.#queues.validator.shift();
        if (down === undefined) return;
        await toValidator(frameOf(down));
      }
    }
  }
}

function frameOf(bytes: Uint8Array) {
  return takeFrame(bytes)!.frame;
}

/** Draws a given ephemeral key, and given bytes before it; what is drawn besides those does not count. */
function withEphemeral(ephemeral: string, ...drawn: readonly string[]): NoiseCrypto {
  const left = drawn.map((text) => Uint8Array.fromHex(text));
  return {
    ...webNoise,
    randomBytes: (length) => (left.shift() ?? webNoise.randomBytes(length)) as Uint8Array<ArrayBuffer>,
    generateKey: () => webNoise.importKey(Uint8Array.fromHex(ephemeral)),
  };
}

function refusal(why: string): CountersignError {
  return new CountersignError('handshake-invalid', why);
}
