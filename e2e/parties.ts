/**
 * People and services for tests that speak to a real broker over HTTP, in this process: quicker than the
 * command line, with the same libraries.
 * @module
 */
import {
  type Clock,
  createAccount,
  Device,
  Enquirer,
  MemoryKeyStore,
  MemoryStateStore,
  newEpoch,
} from '@countersign/client';
import {
  CountersignError,
  createEpoch,
  createRevocation,
  DeviceAddEntry,
  DeviceStatement,
  type ErrorCode,
  extendLog,
  openEpoch,
  type Right,
  type SignatureAlgorithm,
  sealEpoch,
  signStatement,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import {
  type BrokerOptions,
  type RunningBroker,
  sodiumCrypto,
  startBroker,
} from '../packages/broker/src/index.ts';
import { temporaryFolder } from './processes.ts';

/** A clock that a test can set forward. */
export class TestClock implements Clock {
  offset = 0;
  now = () => Math.floor(Date.now() / 1000) + this.offset;
  monotonic = () => performance.now() + this.offset * 1000;
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
  readonly state: MemoryStateStore;
  readonly clock: Clock;
}

/** An account with one device, which can ask and answer. */
export async function makeParty(
  broker: string,
  name: string,
  clock: Clock,
  algorithm: SignatureAlgorithm = 'EdDSA',
): Promise<Party> {
  const state = new MemoryStateStore();
  const keys = await createAccount({
    name,
    broker,
    deviceName: `${name.split('@')[0]}’s device`,
    algorithm,
    keyStore: new MemoryKeyStore(),
    state,
    crypto: webCrypto,
    clock,
  });
  const options = { keys, state, crypto: webCrypto, clock };
  return { name, enquirer: new Enquirer(options), device: new Device(options), state, clock };
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

/** A second device of a party's account, let in by the first. */
export async function addDevice(
  party: Party,
  name: string,
  rights: Right[] = ['answer', 'pay'],
): Promise<Party> {
  const { session } = party.device;
  const { keys, clock } = session;
  const log = await session.ownLog(-1);
  const signer = await generateSigner('EdDSA');
  const opener = await generateOpener();
  const iat = clock.now();
  const device = await signStatement(webCrypto, DeviceStatement, signer, {
    sub: log.name,
    sub_id: log.identity,
    iat,
    sig: signer.publicKey,
    enc: opener.publicKey,
    name,
  });
  const privateKey = await openEpoch(log.name, log.epoch, await session.kid(), keys.opener);
  const { n, key } = log.epoch;
  const to = { kid: device.kid, enc: opener.publicKey };
  const entry = await signStatement(webCrypto, DeviceAddEntry, keys.signer, {
    sub: log.name,
    iat,
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device: device.jws,
    rights,
    sealed: await sealEpoch(webCrypto, log.name, n, { key, privateKey }, to),
  });
  await session.api.appendLog(log.name, [entry.jws]);
  const state = new MemoryStateStore();
  const options = { keys: { ...keys, signer, opener }, state, crypto: webCrypto, clock };
  return { name: party.name, enquirer: new Enquirer(options), device: new Device(options), state, clock };
}

/** Shows a device out, and begins a new epoch for those that remain. */
export async function revokeDevice(party: Party, kid: string): Promise<void> {
  const { session } = party.device;
  const log = await session.ownLog(-1);
  const now = session.clock.now();
  const revocation = await createRevocation(webCrypto, log, session.keys.signer, kid, 'lost', now);
  const after = await extendLog(webCrypto, log, [revocation.jws]);
  const epoch = await createEpoch(webCrypto, after, session.keys.signer, await newEpoch(), now);
  await session.api.appendLog(log.name, [revocation.jws, epoch.jws]);
}
