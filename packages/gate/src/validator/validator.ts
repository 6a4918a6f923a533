/**
 * What the commands share: where this validator's folder is, what opens it, how a host is reached.
 * @module
 */
import type { Clock } from '@countersign/client';
import type { ValidatorBook } from '@countersign/client/m-auth';
import {
  defaultValidatorFolder,
  type KeyProtection,
  keyringProtection,
  nodeNoise,
  passphraseProtection,
  ValidatorFolder,
} from '@countersign/client/node';
import { CountersignError } from '@countersign/core';
import { isAddress } from '@countersign/core/m-auth';
import { passphrase, type Terminal } from './terminal.ts';

export const PROTECTIONS = ['passphrase', 'keyring'] as const;
export type ProtectionName = (typeof PROTECTIONS)[number];

/** What the program is given by `main.ts`, and what a command leaves. */
export interface Validator {
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly variables: NodeJS.ProcessEnv;
  exit: number;
}

export interface GlobalOptions {
  readonly store?: string;
  readonly json?: true;
}

export function folderOf({ store }: GlobalOptions, variables: NodeJS.ProcessEnv): ValidatorFolder {
  const folder = store ?? variables.COUNTERSIGN_VALIDATOR;
  return new ValidatorFolder(folder ?? defaultValidatorFolder(variables.XDG_CONFIG_HOME));
}

export function protectionsOf({ terminal, variables }: Validator): Record<ProtectionName, KeyProtection> {
  return {
    passphrase: passphraseProtection((_, fresh) => passphrase(terminal, variables, fresh)),
    keyring: keyringProtection,
  };
}

/** Opens the folder for as long as the work takes. */
export async function withBook<T>(
  validator: Validator,
  options: GlobalOptions & { protect?: ProtectionName },
  work: (book: ValidatorBook) => Promise<T>,
): Promise<T> {
  const protections = protectionsOf(validator);
  const folder = folderOf(options, validator.variables);
  const sealing = protections[options.protect ?? 'passphrase'];
  using opened = await folder.open(nodeNoise, sealing, Object.values(protections));
  return await work(opened.book);
}

/** Without a folder there is nothing to open, and no passphrase to ask for. @throws `interface-unknown` */
export function needFolder(validator: Validator, options: GlobalOptions): void {
  if (folderOf(options, validator.variables).exists) return;
  throw new CountersignError('interface-unknown', 'this validator is not paired with any interface', {
    hint: '`countersign validator add` pairs it, with what `countersign-gate enroll` shows on the host',
  });
}

/** @throws `usage` */
export function parseAddress(text: string): string {
  if (isAddress(text)) return text;
  throw new CountersignError('usage', `not an address: ${JSON.stringify(text)}`, {
    hint: 'server.example:8475, or wss://server.example/gate',
  });
}
