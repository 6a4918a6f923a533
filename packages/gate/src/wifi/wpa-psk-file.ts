/**
 * hostapd's `wpa_psk_file` with a passphrase for each person, and telling hostapd to read it again. Stations that are
 * connected stay so.
 * @module
 */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { CountersignError } from '@countersign/core';
import { writeWhole } from '../install/write-whole.ts';

export interface PersonKey {
  readonly user: string;
  /** 8 to 63 characters of ASCII (IEEE 802.11). */
  readonly passphrase: string;
}

/** Where hostapd's control sockets are, and which one it is. */
export interface HostapdAt {
  readonly folder: string;
  readonly interface: string;
}

/** Of any station; the key says whose it is. */
const ANY_STATION = '00:00:00:00:00:00';
const ANSWER_MS = 5000;

/** The text of the file. hostapd names the person, percent-encoded, when a station connects. */
export function wpaPskFile(keys: readonly PersonKey[]): string {
  const lines = keys.map(
    ({ user, passphrase }) => `keyid=${encodeURIComponent(user)} ${ANY_STATION} ${passphrase}`,
  );
  return `${['# Written by countersign-gate.', ...lines].join('\n')}\n`;
}

/**
 * Writes the file, and has hostapd read it.
 * @throws `usage` where hostapd does not take it: it goes on with what it had
 */
export async function publishKeys(
  path: string,
  keys: readonly PersonKey[],
  hostapd: HostapdAt | undefined,
): Promise<void> {
  writeWhole(path, wpaPskFile(keys));
  if (hostapd === undefined) return;
  // hostapd answers to a socket of the caller's, which must be where it can see it.
  const words = ['-p', hostapd.folder, '-i', hostapd.interface, '-s', dirname(path), 'reload_wpa_psk'];
  const said = await promisify(execFile)('hostapd_cli', words, { timeout: ANSWER_MS }).then(
    ({ stdout }) => stdout.trim(),
    (error: Error) => error.message,
  );
  if (said === 'OK') return;
  throw new CountersignError('usage', `hostapd did not take the new passphrases: ${said}`, {
    hint: 'is it running, with this control socket and wpa_psk_file?',
  });
}
