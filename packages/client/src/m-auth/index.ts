/**
 * M-AUTH at work: what a validator, in a browser or on a command line, and a system interface share.
 * @module
 */
export { type AttemptRun, runAttempt } from './attempt.ts';
export type { ByteDuplex } from './duplex.ts';
export { Inbox } from './inbox.ts';
export {
  eraseLost,
  KEPT_ERASURES_ROOM,
  type KeptErasure,
  keepErasures,
  keptErasures,
  type LostPairs,
  sendErasure,
} from './kept-erasures.ts';
export { joinPair, offerPair, type PairingEnd } from './pairing.ts';
export type { RecordUpdates } from './record-updates.ts';
export { type Judgement, judge, type LocalTime, parseRules, SignOnRules } from './rules.ts';
export {
  type ContextAnswer,
  type ShownContext,
  type SignOnListener,
  type SignOnParts,
  type SignOnResult,
  signOn,
} from './sign-on.ts';
export { type KnownInterface, type PairKeys, StatePairKeys, ValidatorBook } from './validator-book.ts';
export { connectWebSocket, reachByWebSocket } from './web-socket.ts';
