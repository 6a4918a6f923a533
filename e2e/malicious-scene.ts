/**
 * Alice, a host that asks her, and a broker that is whole and malicious between them: for all tests of a file, and
 * what such a broker makes.
 * @module
 */
import { after, afterEach, before } from 'node:test';
import { newEpoch } from '@countersign/client';
import {
  createCheckpoint,
  createGenesis,
  DeviceAddEntry,
  DeviceStatement,
  ResponseStatement,
  type Signer,
  signStatement,
} from '@countersign/core';
import { generateOpener, generateSigner, webCrypto } from '@countersign/core/webcrypto';
import { type MaliciousBroker, startMaliciousBroker } from './malicious-broker.ts';
import { introduce, makeParty, type Party, TestClock } from './parties.ts';

export const clock = new TestClock();
export let evil: MaliciousBroker;
export let alice: Party;
export let host: Party;
export let serial = 0;

/** Fresh parties for every test: the limits of one pair are not those of the next. */
export async function fresh(): Promise<void> {
  serial++;
  [alice, host] = await Promise.all([
    makeParty(evil.origin, `alice${serial}@example.com`, clock),
    makeParty(evil.origin, `host${serial}@example.com`, clock),
  ]);
  await introduce(alice, host);
}

export const isState = (path: string) => /^\/v1\/requests\/[^/?]+(\?|$)/.test(path);
export const isLogOf = (party: Party) => (path: string) =>
  path.startsWith(`/v1/accounts/${encodeURIComponent(party.name)}/log`);

export async function ask(options: Partial<Parameters<Party['enquirer']['ask']>[0]> = {}) {
  return host.enquirer.ask({ account: alice.name, text: 'Log in to Host1', ...options });
}

export async function accept(options: Partial<Parameters<Party['device']['answer']>[1]> = {}): Promise<void> {
  const { requests } = await alice.device.pending();
  await alice.device.answer(requests.at(-1)!, { decision: 'accept', shown: 'caller', ...options });
}

before(async () => {
  evil = await startMaliciousBroker(clock);
});
after(() => evil[Symbol.asyncDispose]());
afterEach(() => evil.behave());

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
export function answered(body: any, response: string): object {
  return { ...body, state: 'answered', settled_at: clock.now(), response };
}

export async function forge(signer: Signer, req: string): Promise<string> {
  const log = await logOf(alice);
  const forged = await signStatement(webCrypto, ResponseStatement, signer, {
    req,
    iss: log.name,
    iss_id: log.identity,
    iat: clock.now(),
    head: log.head,
    content: { decision: 'accept', shown: 'screen', salt: 'A'.repeat(22) },
  });
  return forged.jws;
}

export function logOf(party: Party) {
  return party.device.session.ownLog(Number.POSITIVE_INFINITY);
}

export async function addedDevice(
  admitting: Signer,
  own: Signer,
  log: Awaited<ReturnType<typeof logOf>>,
): Promise<string> {
  const enc = (await generateOpener()).publicKey;
  const now = clock.now();
  const device = await signStatement(webCrypto, DeviceStatement, own, {
    sub: log.name,
    sub_id: log.identity,
    iat: now,
    sig: own.publicKey,
    enc,
    name: 'another device',
  });
  const { jws } = await signStatement(webCrypto, DeviceAddEntry, admitting, {
    sub: log.name,
    iat: now,
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device: device.jws,
    rights: ['answer'],
    sealed: 'AAAA',
  });
  return jws;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
export async function withDeviceOfItsOwn(body: any): Promise<object> {
  const mallet = await generateSigner('EdDSA');
  return { ...body, entries: [...body.entries, await addedDevice(mallet, mallet, await logOf(alice))] };
}

// biome-ignore lint/suspicious/noExplicitAny: an answer of the broker, as tampered with
export async function accountOfItsOwn(body: any): Promise<object> {
  const genesis = await createGenesis(webCrypto, {
    name: body.name,
    signer: await generateSigner('EdDSA'),
    enc: (await generateOpener()).publicKey,
    deviceName: 'alice’s phone',
    epoch: await newEpoch(),
    now: clock.now(),
  });
  const log = { name: body.name, identity: genesis.hash, head: { seq: 0, hash: genesis.hash } };
  const { signer } = evil.broker.context;
  const checkpoint = await createCheckpoint(webCrypto, signer, evil.origin, log, clock.now());
  return { ...body, identity: genesis.hash, entries: [genesis.jws], checkpoint: checkpoint.jws };
}
