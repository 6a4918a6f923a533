/**
 * What the broker keeps of how a device is reached, as an interface: a part of `Store`. Times are seconds since 1970.
 * @module
 */

/** Where a device is told by Web Push, and by which keys the message is sealed to it (RFC 8291 section 2). */
export interface PushSubscription {
  readonly endpoint: string;
  readonly p256dh: string;
  readonly auth: string;
}

export interface Reach {
  readonly kid: string;
  /** When the device itself spoke to the broker. */
  readonly reachedAt?: number;
  /** When its push service last took a message. */
  readonly pushedAt?: number;
  readonly subscription?: PushSubscription;
}

/** A device that is told by Web Push. */
export interface Subscriber {
  readonly kid: string;
  readonly subscription: PushSubscription;
}

export interface ReachedDevice {
  readonly accountId: number;
  readonly kid: string;
  readonly at: number;
}

export interface PushStore {
  /** Takes the place of what the device had; absent, it is told no more. */
  saveSubscription(accountId: number, kid: string, subscription: PushSubscription | undefined): Promise<void>;
  /** Forgets a subscription, if it is still this one. */
  dropSubscription(accountId: number, kid: string, endpoint: string): Promise<void>;
  noteReached(devices: readonly ReachedDevice[]): Promise<void>;
  notePushed(accountId: number, kid: string, at: number): Promise<void>;
  /** An account's devices that are told by Web Push; asked at every question, and cheap where there is none. */
  listSubscribers(accountId: number): Promise<Subscriber[]>;
  /** Every device of an account of which something is known. */
  readReach(accountId: number): Promise<Reach[]>;
}
