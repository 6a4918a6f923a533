/**
 * M-AUTH: a person's validator and a system interface prove to each other who they are, inside a time gate, over
 * bytes that anybody may carry. spec/m-auth.md has it byte by byte. A place of its own (`@countersign/core/m-auth`).
 * @module
 */
export { MAX_PAIRS, TAG_BLOCK } from './m-auth-candidates.ts';
export * from './m-auth-erase.ts';
export * from './m-auth-frames.ts';
export * from './m-auth-interface.ts';
export {
  type ContextMessage,
  type HandedSecret,
  parseContext,
  type Refusal,
  type SignOnContext,
} from './m-auth-messages.ts';
export * from './m-auth-pair-join.ts';
export * from './m-auth-pair-link.ts';
export * from './m-auth-pair-offer.ts';
export type { PairNames, PairStep } from './m-auth-pair-wire.ts';
export * from './m-auth-passcode.ts';
export {
  ANY_SERVICE,
  InterfaceRecord,
  isForService,
  jsonBytes,
  MAX_RECORD_BYTES,
  parseInterfaceRecord,
  parseValidatorRecord,
  ValidatorRecord,
} from './m-auth-record.ts';
export type { Commit, Step } from './m-auth-step.ts';
export * from './m-auth-validator.ts';
