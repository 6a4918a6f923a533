/**
 * Both sides of M-AUTH with a line between them that a test can cut, bend and listen to.
 * @module
 */
import { encodeBase64url } from '../src/base64url.ts';
import {
  type AttemptOptions,
  type Frame,
  type InterfaceEvent,
  type InterfaceRecord,
  type InterfaceStep,
  SignOn,
  SignOnAttempt,
  type SignOnContext,
  type SignOnEnd,
  takeFrame,
  type ValidatorEvent,
  type ValidatorRecord,
  type ValidatorStep,
} from '../src/m-auth.ts';
import type { NoiseCrypto, NoiseKey } from '../src/noise.ts';
import { webNoise } from '../src/noise-web.ts';

export const BUCKET = new Uint8Array(16);
export const CONTEXT: SignOnContext = {
  account: 'alice',
  host: 'server.example',
  service: 'sshd',
  tty: 'ssh',
  remote: '192.0.2.7',
  address: '192.0.2.7',
  time: 1_700_000_000,
};

/** What the validator’s device has: its record, and the key that belongs to it. */
export interface Device {
  record: ValidatorRecord;
  readonly key: NoiseKey;
}

export interface Host {
  record: InterfaceRecord;
}

/** A pair as pairing leaves it. */
export async function newPair(
  crypto: NoiseCrypto = webNoise,
  names: Partial<Pick<ValidatorRecord, 'account' | 'host' | 'services'>> = {},
): Promise<{ host: Host; device: Device }> {
  const text = (length: number) => encodeBase64url(crypto.randomBytes(length));
  const secret = crypto.randomBytes(32);
  const [own, other] = [await crypto.importKey(secret), await crypto.generateKey()];
  const shared = {
    id: text(16),
    account: 'alice',
    host: 'server.example',
    services: ['login', 'sshd', 'screen lock'],
    ...names,
    step: 0,
    ratchet: text(32),
  };
  return {
    host: {
      record: {
        countersign: 'm-auth interface/1',
        ...shared,
        validator: 'Alice’s phone',
        secret: encodeBase64url(secret),
        peer: encodeBase64url(other.publicKey),
        key: encodeBase64url(own.publicKey),
        shared: encodeBase64url(await own.dh(other.publicKey)),
        retired: [],
        erase: { tag: text(16), check: text(16) },
        failed: 0,
        alarms: 0,
      },
    },
    device: {
      key: other,
      record: {
        countersign: 'm-auth validator/1',
        ...shared,
        addresses: ['server.example:7421'],
        key: encodeBase64url(other.publicKey),
        peer: encodeBase64url(own.publicKey),
        pending: [],
        erase: text(16),
      },
    },
  };
}

/** Another device with the same keys: what a thief makes of a copied database. */
export function copyOf(device: Device): Device {
  return { key: device.key, record: structuredClone(device.record) };
}

export function attemptAt(
  hosts: readonly Host[],
  passcode: string,
  change: Partial<AttemptOptions> = {},
): SignOnAttempt {
  return new SignOnAttempt({
    crypto: webNoise,
    records: hosts.map(({ record }) => record),
    passcode,
    context: CONTEXT,
    opened: 0,
    ...change,
  });
}

export function signOnOf(device: Device, passcode: string): SignOn {
  return new SignOn({ crypto: webNoise, record: device.record, key: device.key, passcode });
}

/** What a line does with the number-th frame in its direction: the frames that come out at the other end. */
export type Line = (bytes: Uint8Array, from: 'validator' | 'interface', number: number) => Uint8Array[];

export const goodLine: Line = (bytes) => [bytes];

export interface Play {
  readonly attempt: SignOnAttempt;
  readonly hosts: readonly Host[];
  readonly signOn: SignOn;
  readonly device: Device;
  readonly line?: Line;
  /** When things happen; whatever is sent arrives at once. */
  readonly now?: () => number;
  readonly answer?: 'accept' | 'deny' | 'fraud' | 'nothing';
  readonly approvers?: readonly boolean[];
}

export interface Played {
  readonly interfaceEvents: InterfaceEvent[];
  readonly validatorEvents: ValidatorEvent[];
  readonly granted: boolean;
  readonly denied: (InterfaceEvent & { kind: 'denied' }) | undefined;
  readonly end: SignOnEnd | undefined;
  readonly validatorAlarm: boolean;
  /** Every frame that was sent, by whom. */
  readonly sent: { from: 'validator' | 'interface'; bytes: Uint8Array }[];
}

/** One sign-on to its end. The demultiplexer here joins whoever comes: a malicious one. */
export async function play(options: Play): Promise<Played> {
  const { attempt, hosts, signOn, device, line = goodLine, now = () => 0, answer = 'accept' } = options;
  const interfaceEvents: InterfaceEvent[] = [];
  const validatorEvents: ValidatorEvent[] = [];
  const sent: Played['sent'] = [];
  const toInterface: Uint8Array[] = [];
  const toValidator: Uint8Array[] = [];
  const counts = { validator: 0, interface: 0 };
  const send = (from: 'validator' | 'interface', frames: readonly Uint8Array[]) => {
    for (const bytes of frames) {
      sent.push({ from, bytes });
      (from === 'validator' ? toInterface : toValidator).push(...line(bytes, from, ++counts[from]));
    }
  };
  const approvers = [...(options.approvers ?? [])];

  const onInterface = (first: InterfaceStep) => {
    let step = first;
    if (step.commit !== undefined) {
      const done = commitTo(hosts, step.commit);
      notes(hosts, step);
      step = attempt.settle(done, now());
    }
    notes(hosts, step);
    if (step.event !== undefined) interfaceEvents.push(step.event);
    send('interface', step.send);
    if (step.event?.kind === 'acknowledged' && approvers.length > 0) {
      onInterface(attempt.approve(approvers.shift()!, now()));
    } else if (step.send.length > 0 && approvers.length > 0 && !step.over) {
      if (interfaceEvents.at(-1)?.kind === 'acknowledged') {
        onInterface(attempt.approve(approvers.shift()!, now()));
      }
    }
  };
  const onValidator = (first: ValidatorStep) => {
    let step = first;
    if (step.commit !== undefined) step = signOn.settle(commitTo([device], step.commit), now());
    if (step.event !== undefined) validatorEvents.push(step.event);
    send('validator', step.send);
    if (step.event?.kind === 'context' && answer !== 'nothing') {
      onValidator(signOn.answer(answer, 'person', now()));
    }
  };

  onValidator(await signOn.start(now()));
  for (;;) {
    const up = toInterface.shift();
    if (up !== undefined) {
      if (!attempt.over) onInterface(await attempt.receive(frameOf(up), now()));
      continue;
    }
    const down = toValidator.shift();
    if (down === undefined) break;
    if (!signOn.over) onValidator(await signOn.receive(frameOf(down), now()));
  }
  // whoever waits for something waits until the other hangs up
  if (!attempt.over) onInterface(attempt.closed());
  if (!signOn.over) onValidator(signOn.closed());
  const ended = validatorEvents.find((event) => event.kind === 'ended');
  return {
    interfaceEvents,
    validatorEvents,
    sent,
    granted: interfaceEvents.some(({ kind }) => kind === 'granted'),
    denied: interfaceEvents.find((event) => event.kind === 'denied'),
    end: ended?.end,
    validatorAlarm: ended?.alarm ?? false,
  };
}

/** Opens an attempt, and signs on to it. */
export async function signOn(
  hosts: readonly Host[],
  device: Device,
  {
    passcode = '123456',
    change = {},
    ...options
  }: Partial<Play> & { passcode?: string; change?: Partial<AttemptOptions> } = {},
): Promise<Played> {
  return play({
    attempt: attemptAt(hosts, passcode, change),
    hosts,
    signOn: signOnOf(device, passcode),
    device,
    ...options,
  });
}

export function frameOf(bytes: Uint8Array): Frame {
  return takeFrame(bytes)!.frame;
}

interface Applying<Record> {
  readonly id: string;
  apply(record: Record): Record | undefined;
}

function commitTo<Record extends { id: string }>(
  holders: readonly { record: Record }[],
  commit: Applying<Record>,
): boolean {
  const holder = holders.find(({ record }) => record.id === commit.id);
  const next = holder === undefined ? undefined : commit.apply(holder.record);
  if (next === undefined) return false;
  holder!.record = next;
  return true;
}

function notes(hosts: readonly Host[], { notes }: InterfaceStep): void {
  for (const note of notes) commitTo(hosts, note);
}
