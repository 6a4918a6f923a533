/**
 * Accounts with devices, a request and an answer, made with real keys: for the tests of every package.
 * @module
 */
import {
  createEpoch,
  createGenesis,
  createRevocation,
  openEpoch,
  sealEpoch,
} from '../src/account-entries.ts';
import { encodeBase64url } from '../src/base64url.ts';
import type { Opener, SignatureAlgorithm, Signer } from '../src/crypto-provider.ts';
import type { DeviceLog } from '../src/device-log.ts';
import {
  DeviceAddEntry,
  DeviceStatement,
  type RecoveryProvision,
  RIGHTS,
  type Right,
} from '../src/log-entries.ts';
import type { PasscodeCommitment } from '../src/passcode.ts';
import { extendLog, replayLog } from '../src/replay.ts';
import { type Asked, createRequest, type OpenRequest } from '../src/request.ts';
import { createResponse, type Decided, readWithKeys } from '../src/response.ts';
import { keyFingerprint, signStatement } from '../src/statement.ts';
import {
  exportPrivate,
  generateOpener,
  generateSigner,
  importOpener,
  type WebOpener,
  type WebSigner,
  webCrypto,
} from '../src/webcrypto.ts';

/** Seconds since 1970: the time at which everything here happens. */
export const NOW = 1_800_000_000;
export const BROKER = 'https://broker.example';
export const ALGORITHMS: readonly SignatureAlgorithm[] = ['EdDSA', 'ES256'];

export interface TestDevice {
  readonly kid: string;
  readonly signer: WebSigner;
  readonly opener: WebOpener;
}

export interface TestAccount {
  readonly log: DeviceLog;
  /** The devices as they came in, the revoked ones too. */
  readonly devices: readonly TestDevice[];
  /** Private keys of all epochs, as the first device opens them. */
  readonly epochs: (n: number) => Promise<Opener | undefined>;
  /** The current epoch's private key as JSON text, which only its maker has. */
  readonly epochPrivate: string;
}

export async function newDevice(algorithm: SignatureAlgorithm = 'EdDSA'): Promise<TestDevice> {
  const signer = await generateSigner(algorithm);
  const opener = await generateOpener();
  return { kid: await keyFingerprint(webCrypto, signer.publicKey), signer, opener };
}

export async function newEpoch(): Promise<{ key: WebOpener['publicKey']; privateKey: string }> {
  const opener = await generateOpener({ extractable: true });
  return { key: opener.publicKey, privateKey: JSON.stringify(await exportPrivate(opener)) };
}

/** An account with some devices that may all do all. */
export async function newAccount(
  name: string,
  { devices = 1, algorithm = 'EdDSA', rights = RIGHTS, recovery }: NewAccount = {},
): Promise<TestAccount> {
  const founder = await newDevice(algorithm);
  const epoch = await newEpoch();
  const genesis = await createGenesis(webCrypto, {
    name,
    signer: founder.signer,
    enc: founder.opener.publicKey,
    deviceName: 'Device 1',
    rights,
    epoch,
    recovery,
    now: NOW - 1000,
  });
  const log = await replayLog(webCrypto, [genesis.jws]);
  let account = accountOf(log, [founder], epoch.privateKey);
  while (account.devices.length < devices) account = await withDevice(account, { algorithm });
  return account;
}

export interface NewAccount {
  devices?: number;
  algorithm?: SignatureAlgorithm;
  rights?: readonly Right[];
  recovery?: RecoveryProvision | undefined;
}

/** The account with one more device, let in by the first. */
export async function withDevice(
  account: TestAccount,
  {
    algorithm = 'EdDSA',
    rights = RIGHTS,
  }: { algorithm?: SignatureAlgorithm; rights?: readonly Right[] } = {},
): Promise<TestAccount> {
  const device = await newDevice(algorithm);
  const entry = await addEntry(account, account.devices[0]!, device, { rights: [...rights] });
  const log = await extendLog(webCrypto, account.log, [entry]);
  return accountOf(log, [...account.devices, device], account.epochPrivate);
}

/** The account without a device, and with the new epoch that follows. */
export async function withoutDevice(account: TestAccount, kid: string): Promise<TestAccount> {
  const { signer } = account.devices[0]!;
  const out = await createRevocation(webCrypto, account.log, signer, kid, 'lost', NOW - 100);
  const shown = await extendLog(webCrypto, account.log, [out.jws]);
  const epoch = await newEpoch();
  const next = await createEpoch(webCrypto, shown, signer, epoch, NOW - 100);
  const log = await extendLog(webCrypto, shown, [next.jws]);
  return accountOf(log, account.devices, epoch.privateKey);
}

/** The account after more entries. */
export async function grown(
  account: TestAccount,
  ...entries: readonly { readonly jws: string }[]
): Promise<TestAccount> {
  const jws = entries.map((entry) => entry.jws);
  return { ...account, log: await extendLog(webCrypto, account.log, jws) };
}

/** Who signs the log's next entry: one of its devices by its place, or whoever is given. */
export function signing({ log, devices }: TestAccount, by: number | Signer, now = NOW - 500) {
  return { signer: typeof by === 'number' ? devices[by]!.signer : by, log, now };
}

/** The entry that lets a device in; `changed` members replace the honest ones. */
export async function addEntry(
  { log, epochPrivate }: TestAccount,
  by: TestDevice,
  device: TestDevice,
  changed: Partial<Parameters<typeof signStatement<typeof DeviceAddEntry>>[3]> = {},
): Promise<string> {
  const epoch = { key: log.epoch.key, privateKey: epochPrivate };
  const to = { kid: device.kid, enc: device.opener.publicKey };
  const entry = await signStatement(webCrypto, DeviceAddEntry, by.signer, {
    sub: log.name,
    iat: NOW - 900,
    seq: log.head.seq + 1,
    prev: log.head.hash,
    device: await ownWord(log, device),
    rights: ['answer'],
    sealed: await sealEpoch(webCrypto, log.name, log.epoch.n, epoch, to),
    ...changed,
  });
  return entry.jws;
}

/** A device's own statement that it wants to belong to an account. */
export async function ownWord(
  { name, identity }: Pick<DeviceLog, 'name' | 'identity'>,
  device: TestDevice,
  signer = device.signer,
): Promise<string> {
  const statement = await signStatement(webCrypto, DeviceStatement, signer, {
    sub: name,
    sub_id: identity,
    iat: NOW - 950,
    sig: device.signer.publicKey,
    enc: device.opener.publicKey,
    name: 'Another device',
  });
  return statement.jws;
}

/** A request of one account to another, by its first device. */
export function ask(
  enquirer: TestAccount,
  account: TestAccount,
  asked: Partial<Asked> = {},
  now = NOW,
): Promise<OpenRequest> {
  const { signer } = enquirer.devices[0]!;
  const asking = { signer, enquirer: enquirer.log, account: account.log, broker: BROKER, now };
  return createRequest(webCrypto, asking, {
    kind: 'login',
    parts: [{ type: 'p', text: 'Log in to shop.example?' }],
    ...asked,
  });
}

/** An answer by one of the account's devices, by default the first. */
export function answer(
  account: TestAccount,
  enquirer: TestAccount,
  request: OpenRequest,
  decided: Decided = { decision: 'accept', shown: 'screen' },
  { device = account.devices[0]!, now = NOW + 5 }: { device?: TestDevice; now?: number } = {},
) {
  const answering = { signer: device.signer, account: account.log, enquirer: enquirer.log, now };
  return createResponse(webCrypto, answering, request, decided);
}

/** A commitment to a passcode that takes no time to make: for tests that are not about its strength. */
export async function commitQuickly(passcode: string): Promise<PasscodeCommitment> {
  const salt = webCrypto.randomBytes(16);
  const parameters = { memory: 8, passes: 1, lanes: 1, salt, length: 32 };
  const hash = await webCrypto.argon2id(new TextEncoder().encode(passcode), parameters);
  return { alg: 'argon2id', m: 8, t: 1, p: 1, salt: encodeBase64url(salt), hash: encodeBase64url(hash) };
}

/** How an account reads the answers that are sealed to it. */
export function reader(enquirer: TestAccount) {
  return readWithKeys(webCrypto, enquirer.epochs);
}

function accountOf(log: DeviceLog, devices: readonly TestDevice[], epochPrivate: string): TestAccount {
  const { kid, opener } = devices[0]!;
  const epochs = async (n: number) => {
    const epoch = log.epochs[n];
    if (epoch === undefined) return undefined;
    return importOpener(JSON.parse(await openEpoch(log.name, epoch, kid, opener)));
  };
  return { log, devices, epochs, epochPrivate };
}
