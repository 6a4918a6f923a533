/**
 * What an enquirer or a device imports. `Enquirer` asks, `Device` answers, `createAccount` makes either.
 * @module
 */
export { AccountBook, type Binding, type KnownAccount, knownAccounts } from './account-book.ts';
export {
  BrokerApi,
  type ListOptions,
  type WireEvent,
  type WireRequest,
  type WireSession,
  type WireState,
} from './broker-api.ts';
export { type Clock, systemClock } from './clock.ts';
export { Contacts } from './contacts.ts';
export { createAccount, type NewAccountOptions, newEpoch } from './create-account.ts';
export * from './device.ts';
export { DEFAULT_RIGHTS, Devices, type Door, type KnockingDevice } from './devices.ts';
export {
  type Ask,
  type Asked,
  askedQuestions,
  Enquirer,
  type Outcome,
  type VerifiedAnswer,
} from './enquirer.ts';
export {
  completeEnrolment,
  type Enrolled,
  type NewDeviceOptions,
  requestEnrolment,
  type WaitingDevice,
  waitingDevice,
} from './enrol.ts';
export { type DeviceKeys, type KeyStore, MemoryKeyStore } from './key-store.ts';
export type { Evidence, KnownTree } from './known-tree.ts';
export { type Alarm, type BrokerAlarm, type LogAlarm, LogMonitor, type Round } from './monitor.ts';
export {
  type AccountPlace,
  beginRecovery,
  completeRecovery,
  freezeByCode,
  newRecovery,
  recoveryProof,
  replaceRecovery,
  thawByCode,
  UNDO_SECONDS,
} from './recovery.ts';
export { type KnownRoom, type RoomMessage, Rooms } from './rooms.ts';
export { EPOCH_LIFE, type Which } from './rotation.ts';
export { Session, type SessionOptions } from './session.ts';
export { MemoryStateStore, type StateStore } from './state-store.ts';
export type { StreamEvent } from './stream.ts';
