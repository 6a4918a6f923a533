/**
 * A device with all that it can do: it answers, and looks after its account's devices, rooms and its own keys.
 * @module
 */
import { Addresses } from './addresses.ts';
import { Devices } from './devices.ts';
import { Invitations } from './invitations.ts';
import type { KeyStore } from './key-store.ts';
import { Responder } from './responder.ts';
import { Rooms } from './rooms.ts';
import { maintain, rotateKeys, type Which } from './rotation.ts';
import type { Session, SessionOptions } from './session.ts';
import { sleep } from './sleep.ts';

const HOUR_MS = 3_600_000;

export class Device extends Responder {
  readonly devices: Devices;
  readonly invitations: Invitations;
  readonly rooms: Rooms;
  readonly addresses: Addresses;

  constructor(options: SessionOptions | Session) {
    super(options);
    this.rooms = new Rooms(this.session);
    this.devices = new Devices(this.session, this.rooms);
    this.invitations = new Invitations(this.session);
    this.addresses = new Addresses(this.session);
  }

  /**
   * What a device does now and then: ends an epoch after seven days, or by which one could read that was shown out,
   * and erases the keys that open older ones.
   * @param keyStore where its keys are kept
   */
  maintain(keyStore: KeyStore): Promise<{ epoch: boolean; rotated: boolean }> {
    return maintain(this.session, this.devices, this.rooms, keyStore);
  }

  /** Does that at once and every hour, until a signal; what fails is done an hour later. */
  async maintainHourly(keyStore: KeyStore, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.maintain(keyStore).catch(() => {});
      await sleep(HOUR_MS, signal);
    }
  }

  /** New keys for this device, which keeps its place; the old ones are erased. */
  rotate(keyStore: KeyStore, which: Which): Promise<void> {
    return rotateKeys(this.session, this.rooms, keyStore, which);
  }
}
