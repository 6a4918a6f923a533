/**
 * The gate: what a host needs so that people sign on with their validators.
 * @module
 */
export {
  Demultiplexer,
  type DemultiplexerEvent,
  type DemultiplexerLimits,
} from './demultiplexer/demultiplexer.ts';
export { type DemultiplexerSockets, listen } from './demultiplexer/listen.ts';
export { type Enrolled, type Enrolling, enrol } from './host/enrol.ts';
export { type ApprovalRule, HostRecords } from './host/host-records.ts';
export { type AskApprovers, approversBy } from './sign-on/approvers.ts';
export { gateAuthenticator } from './sign-on/pam-gate.ts';
export type { Outcome, SignOn, SignOnResult, Stage } from './sign-on/sign-on.ts';
export { type Door, SystemInterface } from './sign-on/system-interface.ts';
