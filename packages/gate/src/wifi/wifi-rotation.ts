/**
 * The wireless network of a host at work, inside its daemon: passphrases are handed over, replaced when it is time, and
 * hostapd is told of both. What it does not take is tried again.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HandedSecret } from '@countersign/core/m-auth';
import type { WifiKeys } from './wifi-keys.ts';
import { publishKeys } from './wpa-psk-file.ts';

export interface WifiEvent {
  readonly event: 'wifi';
  readonly what: string;
  /** Who has no next passphrase. */
  readonly cut?: readonly string[];
}

/** How often it is looked whether it is time, in ms. */
const LOOK_MS = 2000;

export class WifiRotation {
  readonly #keys: WifiKeys;
  readonly #now: () => number;
  readonly #say: (event: WifiEvent) => void;
  #told = '';
  #telling: Promise<void> = Promise.resolve();

  /** @param now seconds since 1970 */
  constructor(keys: WifiKeys, now: () => number, say: (event: WifiEvent) => void) {
    this.#keys = keys;
    this.#now = now;
    this.#say = say;
  }

  /** What whoever has signed on to a service is handed, if it is that of the network. */
  readonly secretFor = (user: string, service: string): HandedSecret | undefined => {
    if (service !== this.#keys.settings?.service) return undefined;
    const { secret, fresh } = this.#keys.hand(user);
    // Ready before the person has typed it.
    if (fresh) void this.#tell();
    return secret;
  };

  /** Works until it is told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#rotateIfDue();
      } catch (error) {
        // The records are busy, say: it is tried again.
        this.#say({ event: 'wifi', what: (error as Error).message });
      }
      await this.#tell();
      await delay(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  #rotateIfDue(): void {
    const { settings } = this.#keys;
    if (settings === undefined) return;
    const now = this.#now();
    // A clock that was set back is no reason to wait.
    const since = now - this.#keys.rotatedAt;
    if (since < settings.hours * 3600 && since >= 0) return;
    this.#say({ event: 'wifi', what: 'rotated', cut: this.#keys.rotate(now) });
  }

  /** One after the other: hostapd must have the newest last. */
  #tell(): Promise<void> {
    this.#telling = this.#telling.then(async () => {
      try {
        const { settings } = this.#keys;
        const keys = this.#keys.keys();
        const state = JSON.stringify([settings, keys]);
        if (settings === undefined || state === this.#told) return;
        await publishKeys(settings.file, keys, settings.hostapd);
        this.#told = state;
      } catch (error) {
        this.#say({ event: 'wifi', what: (error as Error).message });
      }
    });
    return this.#telling;
  }
}
