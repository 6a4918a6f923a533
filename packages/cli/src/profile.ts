/**
 * A profile: the folder with a device's sealed keys and its memory. One account each.
 * @module
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  AccountBook,
  BrokerApi,
  type Clock,
  Device,
  type DeviceKeys,
  Enquirer,
  type StateStore,
} from '@countersign/client';
import {
  FileKeyStore,
  type KeyAccount,
  type KeyProtection,
  keyringProtection,
  nodeNoise,
  type OpenValidator,
  passphraseProtection,
  SqliteStateStore,
  ValidatorFolder,
} from '@countersign/client/node';
import { CountersignError, type CryptoProvider } from '@countersign/core';
import type { Terminal } from './terminal.ts';

export interface Environment {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly variables: NodeJS.ProcessEnv;
}

/** What a profile's keys can be sealed with. */
export const PROTECTIONS = ['passphrase', 'keyring'] as const;
export type ProtectionName = (typeof PROTECTIONS)[number];

export class Profile {
  readonly folder: string;
  readonly environment: Environment;
  readonly #protections: Readonly<Record<ProtectionName, KeyProtection>>;
  #state: SqliteStateStore | undefined;
  /** The one that opened or sealed the keys last: it knows how, and nobody is asked again. */
  #keyStore: FileKeyStore;
  #keys: DeviceKeys | undefined;
  /** When the passphrase was typed last, by the monotonic clock in ms. */
  #typedAt: number | undefined;

  constructor(named: string | undefined, environment: Environment) {
    this.environment = environment;
    this.folder = folderOf(named, environment.variables);
    this.#protections = {
      passphrase: passphraseProtection((account, fresh) => this.#passphrase(account, fresh)),
      keyring: keyringProtection,
    };
    this.#keyStore = this.#keyStoreFor('passphrase');
  }

  get keyStore(): FileKeyStore {
    return this.#keyStore;
  }

  /** The key store, where new keys are sealed in one way; it opens either. */
  #keyStoreFor(protection: ProtectionName): FileKeyStore {
    return new FileKeyStore(
      join(this.folder, 'keys.json'),
      this.#protections[protection],
      Object.values(this.#protections),
    );
  }

  /** Whether the person typed the passphrase within so many ms: a proof that they are there. */
  personVerified(within: number): boolean {
    const now = this.environment.clock.monotonic();
    return this.#typedAt !== undefined && this.#typedAt > now - within;
  }

  /** Whether the person can prove that they are there, by the passphrase. */
  takesPassphrase(): Promise<boolean> {
    return this.keyStore.isSealedBy(this.#protections.passphrase);
  }

  /** Takes a passphrase that the person has typed, if it opens the keys. @throws `passphrase-wrong` */
  async verifyPerson(typed: string): Promise<void> {
    const path = join(this.folder, 'keys.json');
    await new FileKeyStore(
      path,
      passphraseProtection(async () => typed),
    ).load();
    this.#typedAt = this.environment.clock.monotonic();
  }

  get state(): StateStore {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    this.#state ??= new SqliteStateStore(join(this.folder, 'state.db'));
    return this.#state;
  }

  /** The accounts that this profile knows, for what needs no key. */
  async book(): Promise<AccountBook> {
    const { crypto, clock } = this.environment;
    return new AccountBook(new BrokerApi((await this.account()).broker), crypto, this.state, clock);
  }

  async device(): Promise<Device> {
    return new Device(await this.#options());
  }

  async enquirer(): Promise<Enquirer> {
    return new Enquirer(await this.#options());
  }

  /** What a device does now and then; where that fails, a later command does it. */
  async maintain(): Promise<void> {
    const device = await this.device();
    await device.maintain(this.keyStore).catch(() => {});
  }

  /** What making an account or a device needs; its new keys are sealed in one way. */
  store(protection?: ProtectionName) {
    const { crypto, clock } = this.environment;
    if (protection !== undefined) this.#keyStore = this.#keyStoreFor(protection);
    return { keyStore: this.#keyStore, state: this.state, crypto, clock };
  }

  /** Which account this profile is of; no passphrase is needed to know. @throws `profile-missing` */
  async account(): Promise<KeyAccount> {
    const account = await this.keyStore.account();
    if (account === undefined) throw this.#missing();
    return account;
  }

  /** @throws `profile-missing`, and what opening the key file throws */
  async keys(): Promise<DeviceKeys> {
    this.#keys ??= await this.#keyStore.load();
    if (this.#keys === undefined) throw this.#missing();
    return this.#keys;
  }

  /** Opens a validator's folder, in whichever way it is sealed. @throws `interface-unknown` where there is none */
  async openValidator(path: string): Promise<OpenValidator> {
    const folder = new ValidatorFolder(path);
    const { passphrase } = this.#protections;
    if (folder.exists) return folder.open(nodeNoise, passphrase, Object.values(this.#protections));
    throw new CountersignError('interface-unknown', `there is no validator in ${path}`, {
      hint: '`countersign validator add` pairs one with a host; --store chooses another folder',
    });
  }

  close(): void {
    this.#state?.close();
  }

  #missing(): CountersignError {
    return new CountersignError('profile-missing', `there is no account in this profile (${this.folder})`, {
      hint: '`countersign account create alice@example.com` makes one, `countersign device request` brings this device into one; --profile chooses another',
    });
  }

  async #options() {
    const { crypto, clock } = this.environment;
    return { keys: await this.keys(), state: this.state, crypto, clock, keyStore: this.#keyStore };
  }

  async #passphrase(account: string, fresh: boolean): Promise<string> {
    const passphrase = await this.#anyPassphrase(account, fresh);
    if (!fresh || passphrase.length > 0) return passphrase;
    throw new CountersignError('passphrase-needed', 'an empty passphrase seals nothing', {
      hint: 'nothing was made; is the variable, or the file that it names, empty?',
    });
  }

  async #anyPassphrase(account: string, fresh: boolean): Promise<string> {
    const { variables, terminal } = this.environment;
    const file = variables.COUNTERSIGN_PASSPHRASE_FILE;
    if (file !== undefined) return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
    const given = variables.COUNTERSIGN_PASSPHRASE;
    if (given !== undefined) return given;
    if (!terminal.canAsk) {
      throw new CountersignError(
        'passphrase-needed',
        'the keys are sealed with a passphrase, and nobody can be asked',
        {
          hint: 'set COUNTERSIGN_PASSPHRASE_FILE to a file that holds it, readable by this user only',
        },
      );
    }
    const whose = `the keys of ${account} on this device`;
    const typed = await terminal.askSecret(
      fresh ? `New passphrase for ${whose}: ` : `Passphrase for ${whose}: `,
    );
    if (fresh && (await terminal.askSecret('Once more: ')) !== typed) {
      throw new CountersignError('passphrase-wrong', 'the two passphrases differ', {
        hint: 'nothing was made; try again',
      });
    }
    this.#typedAt = this.environment.clock.monotonic();
    return typed;
  }
}

function folderOf(named: string | undefined, variables: NodeJS.ProcessEnv): string {
  const name = named ?? variables.COUNTERSIGN_PROFILE ?? 'default';
  if (name.includes('/')) return resolve(name);
  if (!/^[\w.-]+$/.test(name) || name.startsWith('.')) {
    throw new CountersignError('usage', `not the name of a profile: ${JSON.stringify(name)}`);
  }
  return join(profilesFolder(variables), name);
}

/** Where the profiles that have names are. */
export function profilesFolder(variables: NodeJS.ProcessEnv): string {
  return join(variables.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'countersign');
}
