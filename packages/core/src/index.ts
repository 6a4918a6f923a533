/**
 * The protocol of Countersign, pure: no I/O, no clock, no keys of its own. Begin with `createRequest`,
 * `createResponse` and `verifyResponse`; `replayLog` says who may do what.
 * @module
 */
export * from './account-entries.ts';
export * from './account-link.ts';
export * from './account-name.ts';
export * from './base32.ts';
export * from './base64url.ts';
export * from './checkpoint.ts';
export * from './contact.ts';
export * from './crypto-provider.ts';
export * from './device-log.ts';
export * from './display-text.ts';
export * from './enrolment.ts';
export * from './errors.ts';
export * from './invitation.ts';
export * from './keys.ts';
export * from './length-value.ts';
export * from './log-entries.ts';
export * from './merkle.ts';
export * from './mutual-session.ts';
export { MAX_DEVICES } from './new-device.ts';
export * from './origin.ts';
export * from './passcode.ts';
export * from './question.ts';
export * from './receipt.ts';
export * from './recovery-code.ts';
export * from './replay.ts';
export * from './report.ts';
export * from './request.ts';
export * from './request-state.ts';
export * from './response.ts';
export * from './room.ts';
export * from './sealing.ts';
export * from './secret-code.ts';
export * from './session-messages.ts';
export * from './session-terms.ts';
export * from './session-values.ts';
export * from './statement.ts';
export * from './strict-json.ts';
export * from './tree-head.ts';
export * from './tree-leaf.ts';
export * from './tree-tiles.ts';
export * from './udf.ts';
export * from './visible.ts';
