/**
 * People and services for tests that speak to a real broker over HTTP, in this process: quicker than the
 * command line, with the same libraries.
 * @module
 */
import {
  type Clock,
  completeEnrolment,
  createAccount,
  Device,
  Enquirer,
  type Enrolled,
  MemoryKeyStore,
  MemoryStateStore,
  requestEnrolment,
  type WaitingDevice,
} from '@countersign/client';
import {
  CountersignError,
  type DeviceLink,
  type ErrorCode,
  type RecoveryProvision,
  type Right,
  type SignatureAlgorithm,
} from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';
import {
  type BrokerOptions,
  type RunningBroker,
  sodiumCrypto,
  startBroker,
} from '../packages/broker/src/index.ts';
import { temporaryFolder } from './processes.ts';

const realNow = Date.now;

/** A clock that a test can set forward, for all of this process: libraries that look at `Date` go along. */
export class TestClock implements Clock {
  #offset = 0;
  get offset(): number {
    return this.#offset;
  }
  set offset(seconds: number) {
    this.#offset = seconds;
    Date.now = seconds === 0 ? realNow : () => realNow() + seconds * 1000;
  }
  #stopped: number | undefined;
  now = () => this.#stopped ?? Math.floor(realNow() / 1000) + this.#offset;
  /** Keeps the second that it is now, for whoever compares times to the second. */
  stop(): Disposable {
    this.#stopped = this.now();
    return {
      [Symbol.dispose]: () => {
        this.#stopped = undefined;
      },
    };
  }
  monotonic = () => performance.now() + this.#offset * 1000;
}

export interface TestBroker extends AsyncDisposable {
  readonly broker: RunningBroker;
  readonly origin: string;
  readonly data: string;
}

/** A broker on a free port and in a temporary folder. */
export async function startTestBroker(
  clock: Clock,
  options: Partial<BrokerOptions> = {},
): Promise<TestBroker> {
  const folder = await temporaryFolder();
  const broker = await startBroker({
    data: folder.path,
    host: '127.0.0.1',
    port: 0,
    crypto: sodiumCrypto,
    now: clock.now,
    // a test makes as many people as it needs
    registrationsPerHour: 1_000_000,
    ...options,
  });
  return {
    broker,
    origin: broker.origin,
    data: folder.path,
    async [Symbol.asyncDispose]() {
      await broker.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export interface Party {
  readonly name: string;
  readonly enquirer: Enquirer;
  readonly device: Device;
  readonly keyStore: MemoryKeyStore;
  readonly state: MemoryStateStore;
  readonly clock: Clock;
}

/** An account with one device, which can ask and answer. */
export async function makeParty(
  broker: string,
  name: string,
  clock: Clock,
  algorithm: SignatureAlgorithm = 'EdDSA',
  recovery?: RecoveryProvision,
): Promise<Party> {
  const state = new MemoryStateStore();
  const keyStore = new MemoryKeyStore();
  const keys = await createAccount({
    name,
    broker,
    deviceName: `${name.split('@')[0]}’s device`,
    algorithm,
    recovery,
    keyStore,
    state,
    crypto: webCrypto,
    clock,
  });
  const options = { keys, state, crypto: webCrypto, clock, keyStore };
  return { name, enquirer: new Enquirer(options), device: new Device(options), keyStore, state, clock };
}

/** Two parties become contacts of each other, by the identities that they gave each other. */
export async function introduce(a: Party, b: Party): Promise<void> {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const { name, identity } = other.device.session.keys;
    await one.device.session.book.bind(name, identity, 'link');
    await one.device.contacts.change({ name, identity }, 'allow');
  }
}

/** For `assert.rejects`: refused with exactly this code. */
export function refused(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof CountersignError)) throw error;
    if (error.code !== code)
      throw new Error(`expected ${code}, got ${error.code}: ${error.message}`, { cause: error });
    return true;
  };
}

/** A device of its own, with nothing in it yet. */
export interface Newcomer {
  readonly keyStore: MemoryKeyStore;
  readonly state: MemoryStateStore;
  readonly clock: Clock;
  /** Comes before the door by a link. */
  knock(link: DeviceLink, name?: string): Promise<WaitingDevice>;
  /** Goes in, if it was let in. */
  complete(wait?: number): Promise<Enrolled>;
  /** What it is once it is in; or tries to be before. */
  party(): Promise<Party>;
}

export function newcomer(clock: Clock): Newcomer {
  const keyStore = new MemoryKeyStore();
  const state = new MemoryStateStore();
  const own = { keyStore, state, crypto: webCrypto, clock };
  return {
    keyStore,
    state,
    clock,
    knock: (link, deviceName = 'alice’s phone') =>
      requestEnrolment({ link, deviceName, model: 'Pixel 9', os: 'Android 17', ...own }),
    complete: (wait = 0) => completeEnrolment(own, wait),
    async party() {
      const keys = (await keyStore.load())!;
      const options = { keys, state, crypto: webCrypto, clock, keyStore };
      const { name } = keys;
      return { name, enquirer: new Enquirer(options), device: new Device(options), keyStore, state, clock };
    },
  };
}

/** A second device of a party's account, let in by the first. */
export async function addDevice(
  party: Party,
  name: string,
  rights: Right[] = ['answer', 'pay'],
): Promise<Party> {
  const { devices } = party.device;
  const device = newcomer(party.clock);
  const { facts } = await device.knock(await devices.invite('admit', { rights }), name);
  const { waiting } = await devices.door();
  await devices.accept(waiting.find((one) => one.facts.hash === facts.hash)!, undefined);
  await device.complete();
  return device.party();
}

/** Shows a device out, and begins a new epoch for those that remain. */
export function revokeDevice(party: Party, kid: string): Promise<void> {
  return party.device.devices.revoke(kid, 'lost');
}
