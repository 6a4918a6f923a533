/**
 * The host's own account at a broker, by which it asks approvers and pushes questions: a profile that
 * `countersign account create` has made. Its passphrase stands in a file, since a daemon can ask nobody.
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Device, Enquirer, systemClock } from '@countersign/client';
import {
  FileKeyStore,
  keyringProtection,
  passphraseProtection,
  SqliteStateStore,
} from '@countersign/client/node';
import { CountersignError } from '@countersign/core';
import { webCrypto } from '@countersign/core/webcrypto';

/**
 * The account, opened when it is first needed.
 * @param signal until then its keys are looked after, by a daemon
 */
export function hostAccount(
  profile: string,
  signal?: AbortSignal,
  variables: NodeJS.ProcessEnv = process.env,
): () => Promise<Enquirer> {
  let opened: Promise<Enquirer> | undefined;
  return () => {
    opened ??= open(profile, signal, variables);
    // What failed once may work when it is tried again.
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };
}

async function open(
  profile: string,
  signal: AbortSignal | undefined,
  variables: NodeJS.ProcessEnv,
): Promise<Enquirer> {
  const passphrase = passphraseProtection(async () => passphraseOf(variables));
  const protections = [passphrase, keyringProtection];
  const keyStore = new FileKeyStore(join(profile, 'keys.json'), passphrase, protections);
  const keys = await keyStore.load();
  if (keys === undefined) {
    throw new CountersignError('profile-missing', `there is no account in ${profile}`, {
      hint: '`countersign account create` makes one',
    });
  }
  const state = new SqliteStateStore(join(profile, 'state.db'));
  const enquirer = new Enquirer({ keys, state, crypto: webCrypto, clock: systemClock, keyStore });
  if (signal !== undefined) void new Device(enquirer.session).maintainHourly(keyStore, signal);
  return enquirer;
}

function passphraseOf({
  COUNTERSIGN_PASSPHRASE_FILE: file,
  COUNTERSIGN_PASSPHRASE: given,
}: NodeJS.ProcessEnv): string {
  if (file !== undefined) return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (given !== undefined) return given;
  throw new CountersignError('passphrase-needed', 'the host’s keys are sealed with a passphrase', {
    hint: 'set COUNTERSIGN_PASSPHRASE_FILE to a file that holds it, readable by this user only',
  });
}
