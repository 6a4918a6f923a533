/**
 * What an enquirer or a device imports. `Enquirer` asks, `Device` answers, `createAccount` makes either.
 * @module
 */

export { AccountBook, type Binding, type KnownAccount, knownAccounts } from './account-book.ts';
export { type AskedPage, type AskedRequest, readAsked } from './asked.ts';
export { BrokerApi, type ListOptions } from './broker-api.ts';
export { type Clock, systemClock } from './clock.ts';
export { Contacts } from './contacts.ts';
export { createAccount, type NewAccountOptions, newEpoch } from './create-account.ts';
export * from './device.ts';
export { DEFAULT_RIGHTS, Devices, type Door, type KnockingDevice } from './devices.ts';
export {
  type Ask,
  type Asked,
  Enquirer,
  type Outcome,
  type VerifiedAnswer,
} from './enquirer.ts';
export {
  completeEnrolment,
  type Enrolled,
  type NewDeviceOptions,
  requestEnrolment,
} from './enrol.ts';
export { explain } from './explain.ts';
export { Invitations, type StandingInvitation } from './invitations.ts';
export { type DeviceKeys, type KeyStore, MemoryKeyStore } from './key-store.ts';
export type { Evidence, KnownTree } from './known-tree.ts';
export { Members, readMembers } from './members.ts';
export { type Alarm, type BrokerAlarm, type LogAlarm, LogMonitor, type Round } from './monitor.ts';
export { askedQuestions, forgetAsked } from './posted-questions.ts';
export {
  type KnownCard,
  type Organisation,
  readCard,
  readOrganisation,
  readPicture,
  recommend,
} from './profile.ts';
export {
  type AccountPlace,
  beginRecovery,
  completeRecovery,
  freezeByCode,
  newRecovery,
  recoveryInForce,
  recoveryProof,
  replaceRecovery,
  thawByCode,
  UNDO_SECONDS,
} from './recovery.ts';
export { begunRegistration } from './registration.ts';
export * from './responder.ts';
export { type KnownRoom, type RoomMessage, Rooms } from './rooms.ts';
export { EPOCH_LIFE, type Which } from './rotation.ts';
export { SealedStateStore } from './sealed-state-store.ts';
export { Session, type SessionOptions } from './session.ts';
export { historyLines, type ReadHistory, readHistory } from './session-history.ts';
export { beginSignIn, readSeat, type SignIn, type SignInOutcome } from './sign-in.ts';
export { MemoryStateStore, type StateStore } from './state-store.ts';
export type { StreamEvent } from './stream.ts';
export { checkSignedText, type SignedText, signText } from './text-signatures.ts';
export { type WaitingDevice, waitingDevice } from './waiting-device.ts';
export type {
  Reached,
  WireAsked,
  WireAskedCounts,
  WireDomain,
  WireEvent,
  WireListedSession,
  WireRequest,
  WireSession,
  WireState,
} from './wire.ts';
