/**
 * A key file whose key is in the operating system's keyring: the Secret Service on Linux, the Keychain on macOS, the
 * Credential Manager on Windows. The file names the entry, and opens for nobody who cannot read it.
 * @module
 */
import { getRandomValues } from 'node:crypto';
import { CountersignError, encodeBase64url } from '@countersign/core';
import type { AsyncEntry } from '@napi-rs/keyring';
import { KEY_BYTES, type KeyProtection } from './key-protection.ts';

const SERVICE = 'countersign';
/** Tells the devices of one account apart, in its entry's name. */
const TAG_BYTES = 6;

/** Each call throws `keyring-unavailable` where no keyring answers. */
export const keyringProtection: KeyProtection = {
  opens: ({ keyring }) => keyring !== undefined,

  async create(account) {
    const key = getRandomValues(new Uint8Array(KEY_BYTES));
    const keyring = `${account} ${encodeBase64url(getRandomValues(new Uint8Array(TAG_BYTES)))}`;
    await withEntry(keyring, (entry) => entry.setSecret(key));
    return { key, parameters: { keyring } };
  },

  async unlock({ keyring }) {
    const secret = await withEntry(String(keyring), (entry) => entry.getSecret());
    if (secret === null) {
      throw new CountersignError('keyring-entry-missing', `the keyring has no key “${SERVICE}: ${keyring}”`, {
        hint: 'is this the user, the machine and the session that made the account? without that entry the keys are lost, and the device must be let in anew',
      });
    }
    return Uint8Array.from(secret);
  },

  async discard({ keyring }) {
    await withEntry(String(keyring), (entry) => entry.deleteCredential());
  },

  wrongKey: (cause) =>
    new CountersignError('key-file-invalid', 'the key file does not open with the key in the keyring', {
      cause,
      hint: 'the file or the entry was replaced; the device must be let in anew',
    }),
};

async function withEntry<T>(name: string, work: (entry: AsyncEntry) => Promise<T>): Promise<T> {
  try {
    const { AsyncEntry } = await import('@napi-rs/keyring');
    // Never the kernel's keyring in its place: that one forgets everything when the machine starts anew.
    return await work(new AsyncEntry(SERVICE, name, { linux: { store: 'secret-service' } }));
  } catch (cause) {
    throw new CountersignError('keyring-unavailable', 'no keyring of the operating system answers', {
      cause,
      hint: 'on Linux it needs a Secret Service, like GNOME Keyring or KWallet, unlocked in this session; a new account can be made with --protect passphrase',
    });
  }
}
