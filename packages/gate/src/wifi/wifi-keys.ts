/**
 * Each person's own passphrase for a wireless network, among the host's records. It is handed to whoever has signed
 * on, and another one takes its place at each rotation; the one before is good until the next, so that nobody is cut
 * off who fetches the new one in between. Whoever is disabled has none after the next rotation.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { encodeBase32, groupBase32 } from '@countersign/core';
import type { HandedSecret, InterfaceRecord } from '@countersign/core/m-auth';
import * as v from 'valibot';
import type { JournalEntry } from '../host/host-records.ts';
import type { PersonKey } from './wpa-psk-file.ts';

export const WIFI_SCHEMA = `
  CREATE TABLE wifi_keys (
    user TEXT PRIMARY KEY,
    passphrase TEXT NOT NULL,
    before TEXT
  ) STRICT, WITHOUT ROWID;
`;

export const WifiSettings = v.strictObject({
  /** The network's name, as people see it. */
  network: v.pipe(v.string(), v.regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,30}[\x21-\x7e])?$/)),
  /** Who signs on to this service is handed a passphrase. */
  service: v.string(),
  /** hostapd's `wpa_psk_file`. */
  file: v.string(),
  hostapd: v.optional(v.strictObject({ folder: v.string(), interface: v.string() })),
  /** How often passphrases are replaced. */
  hours: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(8784)),
});
export type WifiSettings = v.InferOutput<typeof WifiSettings>;

/** 120 bits: nobody tries that many against a handshake that was recorded. */
const PASSPHRASE_BYTES = 15;
const SETTINGS = 'wifi';
const ROTATED = 'wifi-rotated';

export class WifiKeys {
  readonly #write: <T>(work: () => T) => T;
  readonly #note: (entry: JournalEntry) => void;
  readonly #pairsOf: (user: string) => readonly InterfaceRecord[];
  readonly #sql;

  constructor(
    database: DatabaseSync,
    write: <T>(work: () => T) => T,
    note: (entry: JournalEntry) => void,
    pairsOf: (user: string) => readonly InterfaceRecord[],
  ) {
    this.#write = write;
    this.#note = note;
    this.#pairsOf = pairsOf;
    this.#sql = {
      all: database.prepare('SELECT user, passphrase, before FROM wifi_keys ORDER BY user'),
      one: database.prepare('SELECT passphrase FROM wifi_keys WHERE user = ?'),
      set: database.prepare(
        `INSERT INTO wifi_keys (user, passphrase, before) VALUES (?, ?, ?)
         ON CONFLICT (user) DO UPDATE SET passphrase = excluded.passphrase, before = excluded.before`,
      ),
      remove: database.prepare('DELETE FROM wifi_keys WHERE user = ?'),
      readSetting: database.prepare('SELECT value FROM settings WHERE name = ?'),
      writeSetting: database.prepare(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      ),
    };
  }

  get settings(): WifiSettings | undefined {
    const row = this.#sql.readSetting.get(SETTINGS);
    if (row === undefined) return undefined;
    return v.parse(WifiSettings, JSON.parse(Buffer.from(row.value as Uint8Array).toString()));
  }

  set settings(settings: WifiSettings) {
    const value = Buffer.from(JSON.stringify(v.parse(WifiSettings, settings)));
    this.#write(() => this.#sql.writeSetting.run(SETTINGS, value));
  }

  /** When passphrases were replaced last, in seconds since 1970. */
  get rotatedAt(): number {
    const row = this.#sql.readSetting.get(ROTATED);
    return row === undefined ? 0 : Number(Buffer.from(row.value as Uint8Array).toString());
  }

  /** A person's passphrase, drawn where they have none yet: `fresh` then, and hostapd is to be told. */
  hand(user: string): { readonly secret: HandedSecret; readonly fresh: boolean } {
    const name = `Wi-Fi ${this.settings?.network ?? ''}`.trimEnd();
    return this.#write(() => {
      const row = this.#sql.one.get(user);
      const value = row === undefined ? draw() : String(row.passphrase);
      if (row === undefined) this.#sql.set.run(user, value, null);
      return { secret: { name, value }, fresh: row === undefined };
    });
  }

  /** Replaces all; whoever can't sign on any more has none from now on. @returns who that is */
  rotate(now: number): string[] {
    return this.#write(() => {
      const cut: string[] = [];
      for (const { user, passphrase } of this.#rows()) {
        if (this.#pairsOf(user).some(({ disabled }) => !disabled))
          this.#sql.set.run(user, draw(), passphrase);
        else {
          this.#sql.remove.run(user);
          this.#note({ at: now, user, service: 'wifi', what: 'cut off: no next passphrase' });
          cut.push(user);
        }
      }
      this.#sql.writeSetting.run(ROTATED, Buffer.from(String(now)));
      return cut;
    });
  }

  /** What opens the network now. */
  keys(): PersonKey[] {
    return this.#rows().flatMap(({ user, passphrase, before }) => [
      { user, passphrase },
      ...(before === undefined ? [] : [{ user, passphrase: before }]),
    ]);
  }

  #rows(): { user: string; passphrase: string; before: string | undefined }[] {
    return this.#sql.all.all().map((row) => ({
      user: String(row.user),
      passphrase: String(row.passphrase),
      before: row.before === null ? undefined : String(row.before),
    }));
  }
}

function draw(): string {
  return groupBase32(encodeBase32(randomBytes(PASSPHRASE_BYTES)));
}
