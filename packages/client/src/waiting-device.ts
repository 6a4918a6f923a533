/**
 * A device that waits before an account's door, as it remembers that.
 * @module
 */
import type { EnrolmentFacts } from '@countersign/core';
import type { StateStore } from './state-store.ts';

export const ENROLMENT_KIND = 'enrolment';

/** A device that waits before the door. */
export interface WaitingDevice {
  readonly facts: EnrolmentFacts;
  /** The account, by the identity that it will belong to. */
  readonly account: { readonly name: string; readonly identity: string };
  /** What the person types on a device of the account; absent where a PIN does it. */
  readonly code?: string;
}

/** The device that waits in this key store, if one does. */
export function waitingDevice(state: StateStore, identity: string): Promise<WaitingDevice | undefined> {
  return state.get<WaitingDevice>(ENROLMENT_KIND, identity);
}
