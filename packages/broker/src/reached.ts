/**
 * When each device was last heard of. Kept in memory, and written down now and then: what is lost with a crash is a
 * minute of it.
 * @module
 */
import type { PushStore, ReachedDevice } from './store/push-store.ts';

/** A device's time is written down at most so often, in seconds. */
const COARSE = 60;
/** Written down together, at most. */
const BATCH = 500;

interface Heard {
  readonly device: ReachedDevice;
  /** The time that is written down. */
  readonly written: number;
}

export class Reached {
  readonly #store: PushStore;
  readonly #now: () => number;
  readonly #heard = new Map<string, Heard>();

  constructor(store: PushStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The device spoke just now. */
  note(accountId: number, kid: string): void {
    const key = keyOf(accountId, kid);
    const written = this.#heard.get(key)?.written ?? 0;
    this.#heard.set(key, { device: { accountId, kid, at: this.#now() }, written });
  }

  /** When a device spoke last, if that is newer than what is written down. */
  newest(accountId: number, kid: string): number | undefined {
    return this.#heard.get(keyOf(accountId, kid))?.device.at;
  }

  /** Writes down what is due. @param all also what was written a moment ago */
  async flush(all = false): Promise<void> {
    const now = this.#now();
    const due: [string, ReachedDevice][] = [];
    for (const [key, { device, written }] of this.#heard) {
      if (device.at > written && (all || now - written >= COARSE)) due.push([key, device]);
      // Silent since it was written down: there is nothing more to remember.
      else if (now - device.at > COARSE) this.#heard.delete(key);
      if (!all && due.length === BATCH) break;
    }
    if (due.length === 0) return;
    await this.#store.noteReached(due.map(([, device]) => device));
    for (const [key, device] of due) {
      const newest = this.#heard.get(key)?.device ?? device;
      this.#heard.set(key, { device: newest, written: device.at });
    }
  }
}

function keyOf(accountId: number, kid: string): string {
  return `${accountId} ${kid}`;
}
