/**
 * What an account's devices cost: reading a long log, sealing an epoch to many, letting one in. Each beside its
 * physical cost, the signatures, seals and Argon2id runs that it cannot do without, in the same rounds.
 * @module
 */
import {
  createEpoch,
  createRotation,
  type DeviceLog,
  extendLog,
  MAX_DEVICES,
  replayLog,
} from '@countersign/core';
import { generateOpener, webCrypto } from '@countersign/core/webcrypto';
import { addDevice, introduce, makeParty, newcomer, startTestBroker, TestClock } from '../e2e/parties.ts';
import { sodiumCrypto } from '../packages/broker/src/index.ts';
import { NOW, newAccount, newEpoch, ownWord } from '../packages/core/test/fixtures.ts';
import { Progress } from './progress.ts';
import { median, rounded } from './statistics.ts';

const ENTRIES = 1000;

export interface Beside {
  readonly milliseconds: number;
  /** The bare operations, in the same round. */
  readonly floor: number;
  readonly ratioToFloor: number;
}

export async function benchAccount(_folder: string, quick: boolean) {
  const rounds = quick ? 3 : 9;
  const progress = new Progress(rounds * 3 + 1);
  const entries = await longLog(quick ? 100 : ENTRIES);
  progress.step(`a log of ${entries.length} entries is made`);
  const replay: Beside[] = [];
  const epoch: Beside[] = [];
  const admission: Beside[] = [];
  const full = await newAccount('alice@example.com', { devices: MAX_DEVICES });
  for (let i = 0; i < rounds; i++) {
    replay.push(await measureReplay(entries));
    progress.step('replayed');
    epoch.push(await measureEpoch(full.log, full.devices[0]!.signer));
    progress.step(`sealed to ${MAX_DEVICES} devices`);
    admission.push(await measureAdmission());
    progress.step('let a device in');
  }
  return {
    entries: entries.length,
    devices: MAX_DEVICES,
    replay: middle(replay),
    epoch: middle(epoch),
    admission: middle(admission),
  };
}

/** Mostly new sealing keys: what a log that is years old consists of. */
async function longLog(length: number): Promise<readonly string[]> {
  const account = await newAccount('alice@example.com', { devices: 3 });
  const epoch = { key: account.log.epoch.key, privateKey: account.epochPrivate };
  let { log } = account;
  while (log.entries.length < length) {
    const device = account.devices[log.entries.length % 3]!;
    const opener = await generateOpener();
    const jws = await ownWord(log, { ...device, opener });
    const to = { jws, kid: device.kid, enc: opener.publicKey };
    const entry = await createRotation(webCrypto, { signer: device.signer, log, now: NOW }, to, epoch);
    log = await extendLog(webCrypto, log, [entry.jws]);
  }
  return log.entries;
}

/** The floor: as many Ed25519 verifications, with the same provider. An entry of this log needs two. */
async function measureReplay(entries: readonly string[]): Promise<Beside> {
  const log: DeviceLog = await replayLog(sodiumCrypto, entries);
  const key = [...log.devices.values()][0]!.sig;
  const jws = entries.at(-1)!;
  const data = new TextEncoder().encode(jws.slice(0, jws.lastIndexOf('.')));
  const signature = Buffer.from(jws.slice(jws.lastIndexOf('.') + 1), 'base64url');
  return beside(
    () => replayLog(sodiumCrypto, entries),
    async () => {
      for (let i = 0; i < entries.length * 2; i++) await sodiumCrypto.verify(key, data, signature);
    },
  );
}

/** The floor: one HPKE seal for each device, and a signature. */
async function measureEpoch(log: DeviceLog, signer: Parameters<typeof createEpoch>[2]): Promise<Beside> {
  const epoch = await newEpoch();
  const text = new TextEncoder().encode(epoch.privateKey);
  return beside(
    () => createEpoch(webCrypto, log, signer, epoch, NOW),
    async () => {
      for (const { enc } of log.devices.values()) await webCrypto.seal(enc, text, text, text);
      await signer.sign(text);
    },
  );
}

/**
 * From the moment that the code is typed until the new device has read its first message. The floor: the code is
 * proven both ways, which takes four runs of Argon2id one after the other (checked and committed to here, checked
 * there, and the commitment that is checked), of which three are on this path.
 */
async function measureAdmission(): Promise<Beside> {
  const clock = new TestClock();
  const home = await startTestBroker(clock);
  try {
    const alice = await makeParty(home.origin, 'alice@example.com', clock);
    const bob = await makeParty(home.origin, 'bob@example.com', clock);
    await introduce(alice, bob);
    await addDevice(alice, 'tablet');
    const { name, identity } = bob.device.session.keys;
    const room = await alice.device.rooms.create('Lunch', [{ name, identity }]);
    await alice.device.rooms.send(room, 'Where?');
    const phone = newcomer(clock);
    const { code, facts } = await phone.knock(await alice.device.devices.invite('knock'));
    const { waiting } = await alice.device.devices.door();
    const knocking = waiting.find((one) => one.facts.hash === facts.hash)!;
    const salt = webCrypto.randomBytes(16);
    const cost = { memory: 19_456, passes: 2, lanes: 1, salt, length: 32 };
    return await beside(
      async () => {
        const done = phone.complete(30);
        await alice.device.devices.accept(knocking, code);
        await done;
        const [read] = await (await phone.party()).device.rooms.read();
        if (read?.messages[0]?.text !== 'Where?') throw new Error('the new device did not read it');
      },
      async () => {
        for (let i = 0; i < 3; i++) await webCrypto.argon2id(salt, cost);
      },
    );
  } finally {
    await home[Symbol.asyncDispose]();
  }
}

async function beside(work: () => Promise<unknown>, bare: () => Promise<unknown>): Promise<Beside> {
  const [milliseconds, floor] = [await timed(work), await timed(bare)];
  return { milliseconds, floor, ratioToFloor: milliseconds / floor };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function middle(all: readonly Beside[]): Beside {
  const of = (pick: (one: Beside) => number) => rounded(median(all.map(pick)));
  return {
    milliseconds: of((one) => one.milliseconds),
    floor: of((one) => one.floor),
    ratioToFloor: of((one) => one.ratioToFloor),
  };
}
